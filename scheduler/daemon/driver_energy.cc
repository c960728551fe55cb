// The driver: energy on record, what it emitted, and what it would have.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "scheduler/base/log.h"
#include "scheduler/carbon/impact.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/restate.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// An agent's clock may be ahead by so much (of real time).
constexpr absl::Duration kAgentClockAhead = absl::Minutes(5);

}  // namespace

std::unique_ptr<AttemptEnergy> Driver::NewEnergy(const LiveAttempt& attempt,
                                                 absl::Time start) const {
  std::vector<uint32_t> counts;
  for (const AttemptPart& part : attempt.parts) counts.push_back(part.count);
  const RegionId region = topology().region(attempt.pool);
  return std::make_unique<AttemptEnergy>(
      std::move(counts), topology().pools[attempt.pool.value()].active,
      topology().site(attempt.pool).pue, start,
      [this, region](absl::Time from, absl::Time to) {
        return grid_->record().Slices(region, from, to);
      });
}

// Puts complete rows on record, and tells the nodes what they may forget.
void Driver::TakeEnergy(LiveAttempt& attempt, bool everything) {
  const std::vector<AccountRow> rows = attempt.energy->Take(everything);
  if (rows.empty()) return;
  JobNotes& notes = notes_[attempt.job];
  for (const AccountRow& r : rows) {
    EmissionRow& row = work_.batch.emissions.emplace_back();
    row.job = attempt.job;
    row.epoch = attempt.epoch.value();
    row.start = r.start;
    row.end = r.end;
    row.joules = r.joules;
    row.pue = r.pue;
    row.intensity = r.intensity;
    row.milligrams = r.milligrams;
    row.method = attempt.energy->method();
    row.intensity_estimated = r.estimated;
    row.data_version = r.data_version;
    row.site = topology().site(attempt.pool).name;
    row.region =
        topology().regions[topology().region(attempt.pool).value()].name;
    row.recorded = work_.now;
    row.embodied = EmbodiedOf(attempt, row.end - row.start);
    // Actual data may have come since it was taken in.
    PutOnSignals(grid_->record(), topology().region(attempt.pool), row);
    notes.milligrams += row.milligrams.value_or(0);
    SiteSums& sums =
        site_sums_[topology().pools[attempt.pool.value()].site.value()];
    sums.milligrams += static_cast<double>(row.milligrams.value_or(0));
    if (row.marginal && r.joules) {
      sums.marginal_grams += static_cast<double>(*r.joules) / kJoulesPerKwh *
                             row.pue * *row.marginal;
    }
    BookEmission(attempt.job, ProjectOf(attempt.job), row.start,
                 row.milligrams);
    if (auto cost =
            prices_.CostOf(row, attempt.pool, attempt.row.count, topology())) {
      work_.batch.costs.push_back(*std::move(cost));
    }
    if (r.joules) {
      notes.joules = notes.joules.value_or(0) + *r.joules;
    } else {
      notes.energy_unknown = true;
    }
  }
  if (everything) return;  // its end is acknowledged as a whole
  for (const AttemptPart& part : attempt.parts) {
    const NodeEntry* const node = nodes_.Find(part.node);
    v1::SchedulerMessage message;
    v1::SampleTaken& taken = *message.mutable_acknowledge()->add_sampled();
    taken.mutable_key()->set_job_id(attempt.job.value());
    taken.mutable_key()->set_epoch(attempt.epoch.value());
    *taken.mutable_until() = ccsched::ToProto(rows.back().end);
    if (node != nullptr) Send(*node, std::move(message));
  }
}

// The attempt's share of the making of its accelerators.
std::optional<int64_t> Driver::EmbodiedOf(const LiveAttempt& attempt,
                                          absl::Duration held) const {
  int pool = attempt.pool.value();
  for (const v1::SiteConfig& site : setup_.cluster.config.sites()) {
    if (pool >= site.pools_size()) {
      pool -= site.pools_size();
      continue;
    }
    if (!site.pools(pool).has_embodied()) return std::nullopt;
    const v1::EmbodiedConfig& config = site.pools(pool).embodied();
    const absl::StatusOr<GramsCo2e> grams =
        Embodied({.total = GramsCo2e(config.kg() * 1000) * attempt.row.count,
                  .lifetime = FromProto(config.lifetime()),
                  .reserved = held,
                  .used = config.used()});
    if (!grams.ok()) return std::nullopt;
    return ToMilligrams(*grams);
  }
  return std::nullopt;
}

// What a node's meter said, and what of it was no job's.
void Driver::TakeNodeEnergy(NodeEntry& node, const v1::Telemetry& telemetry) {
  const absl::Time from = FromProto(telemetry.start());
  const absl::Time to = FromProto(telemetry.end());
  const double metered = telemetry.node_joules();
  const double unallocated = telemetry.unallocated_joules();
  // A clock that is ahead must not close the hours to come.
  if (from >= to || to > work_.now + kAgentClockAhead * clock_setting_.rate) {
    return;
  }
  if (!std::isfinite(metered) || !std::isfinite(unallocated) ||
      unallocated < 0 || metered < unallocated) {
    Log(LogLevel::kWarning, "impossible energy of a node was dropped",
        {{"node", node.name},
         {"joules", metered},
         {"unallocated", unallocated}});
    return;
  }
  const RegionId region = topology().region(node.pool);
  const NodeEnergyBook::Energy counted = node_energy_.Report(
      {node.id, region, topology().site(node.pool).pue,
       node.meter == "modelled" ? "modelled" : "measured"},
      from, to,
      {.metered = Joules(metered), .unallocated = Joules(unallocated)},
      [this, region](absl::Time a, absl::Time b) {
        return grid_->record().Slices(region, a, b);
      },
      std::chrono::steady_clock::now());
  node.job_joules += (counted.metered - counted.unallocated).value();
  node.idle_joules += counted.unallocated.value();
  RecordNodeEnergy(node_energy_.Take());
}

// With the commit its agent may forget it.
void Driver::RecordNodeEnergy(std::vector<NodeEnergyRow> rows) {
  for (NodeEnergyRow& row : rows) {
    const NodeEntry* const node = nodes_.Find(row.node);
    if (node == nullptr) continue;
    v1::SchedulerMessage message;
    *message.mutable_acknowledge()->mutable_node_until() =
        ccsched::ToProto(row.end);
    Send(*node, std::move(message));
    const RegionId region = topology().region(node->pool);
    row.site = topology().site(node->pool).name;
    row.region = topology().regions[region.value()].name;
    row.recorded = work_.now;
    PutOnSignals(grid_->record(), region, row);
    site_sums_[topology().pools[node->pool.value()].site.value()]
        .idle_milligrams += static_cast<double>(row.milligrams.value_or(0));
    work_.batch.node_energy.push_back(std::move(row));
  }
}

// What the job's energy would have emitted at its baseline: from its
// submission on, without a pause, for as long as it ran.
void Driver::RecordBaseline(const Job& job, const JobNotes& notes) {
  if (notes.ran <= absl::ZeroDuration()) return;
  BaselineRow& row = work_.batch.baselines.emplace_back();
  row.job = job.spec.id;
  row.recorded = work_.now;
  const RegionId region = topology().region(notes.baseline);
  row.region = topology().regions[region.value()].name;
  row.start = job.spec.submitted;
  row.end = job.spec.submitted + notes.ran;
  row.pue = topology().site(notes.baseline).pue;
  if (!notes.energy_unknown) row.joules = notes.joules;
  Rebase(grid_->record(), region, row);
  if (row.milligrams) {
    avoided_milligrams_ +=
        static_cast<double>(*row.milligrams - notes.milligrams);
  }
}

}  // namespace ccsched
