// How each row of the ledger lies in its table: one list of fields a row.
// SPDX-License-Identifier: Apache-2.0
//
// XFields(row) ties the fields in the order of the columns that kXColumns
// names, without the row's key and without its payload, which is bound as a
// blob after them.
#ifndef CCSCHED_SCHEDULER_LEDGER_ROWS_H_
#define CCSCHED_SCHEDULER_LEDGER_ROWS_H_

#include <cstdint>
#include <tuple>

#include "scheduler/ledger/ledger.h"

namespace ccsched {

// One job's attempts, and its decisions, are numbered below this.
inline constexpr int kNumberBits = 20;
inline constexpr int64_t kNumberMax = (int64_t{1} << kNumberBits) - 1;
inline constexpr uint64_t kJobMax = uint64_t{1} << 42;

// The key of attempt or decision `number` of a job.
inline int64_t PackedId(JobId job, uint32_t number) {
  return static_cast<int64_t>(job.value() << kNumberBits) | number;
}
inline JobId PackedJob(int64_t id) { return JobId(id >> kNumberBits); }
inline uint32_t PackedNumber(int64_t id) {
  return static_cast<uint32_t>(id & kNumberMax);
}

#define CCSCHED_SUBMISSION_COLUMNS                               \
  "submitted, user, project, name, key, array_index, array_id, " \
  "baseline_site, baseline_accelerator, payload"
template <typename Row>
auto SubmissionFields(Row& r) {
  return std::tie(r.submitted, r.user, r.project, r.name, r.key, r.array_index,
                  r.array_id, r.baseline_site, r.baseline_accelerator);
}
inline constexpr int kSubmissionColumns = 10;

#define CCSCHED_STATE_COLUMNS                                               \
  "job, state, epoch, queue_key, changed, wake, planned_site, "             \
  "planned_accelerator, executed, started, ended, exit_code, hold_wanted, " \
  "cancel_wanted, note, losses, budget_held, checkpoint"
template <typename Row>
auto StateFields(Row& r) {
  return std::tie(r.id, r.state, r.epoch, r.queue_key, r.changed, r.wake,
                  r.planned_site, r.planned_accelerator, r.executed, r.started,
                  r.ended, r.exit_code, r.hold_wanted, r.cancel_wanted, r.note,
                  r.losses, r.budget_held, r.checkpoint);
}
inline constexpr int kStateColumns = 18;

#define CCSCHED_ATTEMPT_COLUMNS                                      \
  "site, accelerator, count, nodes, sent, started, ended, outcome, " \
  "exit_code, signal, message, use, part_starts, blamed"
template <typename Row>
auto AttemptFields(Row& r) {
  return std::tie(r.site, r.accelerator, r.count, r.nodes, r.sent, r.started,
                  r.ended, r.outcome, r.exit_code, r.signal, r.message, r.use,
                  r.part_starts, r.blamed);
}

#define CCSCHED_EMISSION_COLUMNS                          \
  "\"end\", joules, pue, intensity, milligrams, method, " \
  "intensity_estimated, data_version, site, region, "     \
  "grid_share, marginal, embodied, recorded"
template <typename Row>
auto EmissionFields(Row& r) {
  return std::tie(r.end, r.joules, r.pue, r.intensity, r.milligrams, r.method,
                  r.intensity_estimated, r.data_version, r.site, r.region,
                  r.grid_share, r.marginal, r.embodied, r.recorded);
}

inline constexpr int kEmissionColumns = 14;

#define CCSCHED_BASELINE_COLUMNS \
  "job, milligrams, estimated, recorded, region, start, \"end\", joules, pue"
template <typename Row>
auto BaselineFields(Row& r) {
  return std::tie(r.job, r.milligrams, r.estimated, r.recorded, r.region,
                  r.start, r.end, r.joules, r.pue);
}

#define CCSCHED_NODE_ENERGY_COLUMNS                                          \
  "node, start, \"end\", metered, unallocated, pue, intensity, milligrams, " \
  "method, intensity_estimated, data_version, grid_share, marginal, site, "  \
  "region, recorded"
template <typename Row>
auto NodeEnergyFields(Row& r) {
  return std::tie(r.node, r.start, r.end, r.metered, r.unallocated, r.pue,
                  r.intensity, r.milligrams, r.method, r.intensity_estimated,
                  r.data_version, r.grid_share, r.marginal, r.site, r.region,
                  r.recorded);
}
inline constexpr int kNodeEnergyColumns = 16;

#define CCSCHED_NODE_COLUMNS \
  "id, name, site, accelerator, count, drained, drain_reason, meter, state_id"
template <typename Row>
auto NodeFields(Row& r) {
  return std::tie(r.id, r.name, r.site, r.accelerator, r.count, r.drained,
                  r.drain_reason, r.meter, r.state_id);
}

#define CCSCHED_ACT_COLUMNS "at, caller, act, job, target, detail"
template <typename Row>
auto ActFields(Row& r) {
  return std::tie(r.at, r.by, r.what, r.job, r.target, r.detail);
}

#define CCSCHED_GRID_COLUMNS \
  "region, issued, received, actual, source, basis, payload"
template <typename Row>
auto GridFields(Row& r) {
  return std::tie(r.region, r.issued, r.received, r.actual, r.source, r.basis);
}
inline constexpr int kGridColumns = 7;

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_ROWS_H_
