// The durable record: jobs, attempts, decisions, nodes, grid data, emissions.
// SPDX-License-Identifier: Apache-2.0
//
// One writer thread commits batches; what is acknowledged to anybody was in a
// batch whose Commit returned OK. Rows are plain values; bytes named `payload`
// are serialised ccsched.v1 messages that the ledger does not look into.
// A PostgreSQL implementation is meant to fit behind this interface: no SQL
// is seen outside this folder.
#ifndef CCSCHED_SCHEDULER_LEDGER_LEDGER_H_
#define CCSCHED_SCHEDULER_LEDGER_LEDGER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"

namespace ccsched {

// A job as it was submitted. Never changed.
struct SubmissionRow {
  JobId id;
  absl::Time submitted;
  std::string user, project, name;
  std::string key;      // idempotency key; empty: none
  std::string payload;  // ccsched.v1.JobSpec
  std::optional<uint32_t> array_index;
  JobId array_id;
  // Baseline, frozen: where it would have run at once.
  std::string baseline_site, baseline_accelerator;
};

// Where a job stands. One row a job; a new state replaces the old one. The
// restart needs no more than this, its submission and its attempts.
struct JobStateRow {
  JobId id;
  uint8_t state = 0;  // ccsched::JobState
  uint32_t epoch = 0;
  uint64_t queue_key = 0;
  absl::Time changed;
  std::optional<absl::Time> wake;
  std::string planned_site, planned_accelerator;
  absl::Duration executed;
  std::optional<absl::Time> started, ended;  // first start, final end
  std::optional<int32_t> exit_code;
  bool hold_wanted = false, cancel_wanted = false;
  std::string note;
};

struct AttemptRow {
  JobId job;
  uint32_t epoch = 0;
  std::string site, accelerator;
  uint32_t count = 0;
  std::string nodes;  // "node:count,node:count", in rank order
  absl::Time sent;
  std::optional<absl::Time> started, ended;
  std::string outcome;  // empty while it runs
  std::optional<int32_t> exit_code, signal;
  std::string message;
};

struct DecisionRow {
  JobId job;
  absl::Time at;
  std::string policy;
  std::string payload;  // ccsched.v1.Reason
};

// One hour (or less) of one attempt. Integers, rounded once.
struct EmissionRow {
  JobId job;
  uint32_t epoch = 0;
  absl::Time start, end;          // within one step of the intensity series
  std::optional<int64_t> joules;  // of the accelerators; absent: unknown
  double pue = 1;
  std::optional<double> intensity;    // gCO2e/kWh used; absent: unknown
  std::optional<int64_t> milligrams;  // CO2e, PUE included, gross
  std::string method;                 // measured modelled estimated
  bool intensity_estimated = false;   // a forecast or filled value was used
  std::string data_version;           // source and issue time of the intensity
  std::string site, region;
};

// The baseline's emission of an ended attempt's energy (may exceed or fall
// short of what was emitted).
struct BaselineRow {
  JobId job;
  std::optional<int64_t> milligrams;
  bool estimated = false;
};

struct NodeRow {
  NodeId id;
  std::string name, site, accelerator;
  uint32_t count = 0;
  bool drained = false;
  std::string drain_reason, meter, state_id;
};

// A grid series as it arrived. Never changed: a newer one is a new row.
struct GridRow {
  std::string region;
  absl::Time issued, received;
  bool actual = false;
  std::string source, basis;
  std::string payload;  // ccsched.v1.GridSeries
};

// One Step as journalled, for replay: its time, its events, and a digest of
// the decisions that came of it. Payloads are written by scheduler/wire.
struct StepRow {
  absl::Time now;
  std::string events;
  std::string decisions;
};

// All that one step changed; committed together.
struct Batch {
  std::vector<SubmissionRow> submissions;
  std::vector<JobStateRow> states;
  std::vector<AttemptRow> attempts;  // inserted or replaced by (job, epoch)
  std::vector<DecisionRow> decisions;
  std::vector<EmissionRow> emissions;
  std::vector<BaselineRow> baselines;
  std::vector<NodeRow> nodes;
  std::vector<GridRow> grids;
  std::optional<StepRow> step;
  std::vector<std::pair<std::string, std::string>> settings;  // name, value
  bool empty() const;
  void Clear();
};

// What a restart needs: all that is not ended, and where numbering goes on.
struct Snapshot {
  struct LiveJob {
    SubmissionRow submission;
    JobStateRow state;
    std::optional<AttemptRow> attempt;  // the last one
  };
  std::vector<LiveJob> jobs;  // by id
  std::vector<NodeRow> nodes;
  std::vector<GridRow> grids;  // actual ones, and the newest forecasts
  JobId last_job;
  std::optional<absl::Time> last_step;  // time never runs backwards
  std::vector<std::pair<std::string, std::string>> settings;
};

// A job with all that is recorded of it.
struct JobRecord {
  SubmissionRow submission;
  JobStateRow state;
  std::vector<AttemptRow> attempts;
  std::optional<DecisionRow> decision;  // the last one
  std::optional<int64_t> joules;        // PUE included; absent: unknown
  std::optional<int64_t> milligrams;
  std::optional<int64_t> baseline_milligrams;
  bool estimated = false;
};

struct JobFilter {
  std::vector<uint8_t> states;  // empty: all
  std::string user, project;
  JobId after;  // only ids above it: paging
  uint32_t limit = 100;
};

enum class ReportBy : uint8_t { kUser, kProject, kSite, kRegion, kJob, kMonth };
struct ReportFilter {
  ReportBy by = ReportBy::kSite;
  std::optional<absl::Time> from, to;  // by when the energy was used
  std::string user, project;
};
struct ReportRecord {
  std::string key;
  uint64_t jobs = 0, attempts = 0;
  double accelerator_hours = 0;
  std::optional<int64_t> joules, milligrams, baseline_milligrams;
  int64_t measured_joules = 0;
  bool estimated = false;
  uint64_t unknown_energy_attempts = 0;
};

// Reads; may be called from any thread, beside the writer.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  // Errors: NotFound.
  virtual absl::StatusOr<JobRecord> Job(JobId id) = 0;
  virtual absl::StatusOr<std::vector<JobRecord>> Jobs(const JobFilter&) = 0;
  virtual absl::StatusOr<std::vector<DecisionRow>> Decisions(JobId id) = 0;
  virtual absl::StatusOr<std::vector<EmissionRow>> Emissions(JobId id) = 0;
  virtual absl::StatusOr<std::vector<ReportRecord>> Report(
      const ReportFilter&) = 0;
  virtual absl::StatusOr<std::vector<StepRow>> Steps(uint64_t after_sequence,
                                                     uint32_t limit) = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;
  // Durable when it returns OK; on an error nothing of the batch is in it.
  virtual absl::Status Commit(const Batch& batch) = 0;
  virtual absl::StatusOr<Snapshot> Load() = 0;
  // The job submitted under this idempotency key and how many jobs it made.
  struct KeyedJob {
    JobId first;
    uint32_t jobs = 1;
  };
  virtual absl::StatusOr<std::optional<KeyedJob>> FindKey(
      const std::string& key) = 0;
  virtual LedgerReader& reader() = 0;
};

// Opens or makes the ledger in `path` (a SQLite file) and migrates an older
// schema to this one. Errors: FailedPrecondition if it was written by a newer
// version, or is in use by another process.
absl::StatusOr<std::unique_ptr<Ledger>> OpenSqliteLedger(
    const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_LEDGER_H_
