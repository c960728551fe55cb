// The driver: energy on record, what it emitted, and what it would have.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "scheduler/base/log.h"
#include "scheduler/carbon/impact.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// Rows looked at together when actual data come.
constexpr uint32_t kRestateMax = 10'000;
// An agent's clock may be ahead by so much (of real time).
constexpr absl::Duration kAgentClockAhead = absl::Minutes(5);
// Baselines that wait for actual data; the oldest go first.
constexpr size_t kWaitingBaselinesMax = 100'000;

int64_t ToMilligrams(GramsCo2e grams) {
  return static_cast<int64_t>(std::llround(grams.value() * 1000));
}

// Whose CO2e a row has.
std::optional<int64_t> JoulesOf(const EmissionRow& row) { return row.joules; }
std::optional<int64_t> JoulesOf(const NodeEnergyRow& row) {
  return row.unallocated;
}

// The signals that are not the intensity's.
template <typename Row>
void AddSignals(const GridRecord& record, RegionId region, Row& row) {
  row.grid_share = record.ShareOver(region, row.start, row.end);
  row.marginal.reset();
  if (const auto m = record.MarginalOver(region, row.start, row.end)) {
    row.marginal = m->value();
  }
}

// Puts a row on the intensity that is known now. Returns whether it is a
// better one: actual where it was estimated or unknown.
template <typename Row>
bool Restated(const GridRecord& record, RegionId region, Row& row) {
  const std::vector<GridSlice> slices =
      record.Slices(region, row.start, row.end);
  double weighted = 0;
  for (const GridSlice& slice : slices) {
    if (slice.estimated || !slice.intensity) return false;
    const absl::Time a = std::max(slice.start, row.start);
    const absl::Time b = std::min(slice.end, row.end);
    weighted += slice.intensity->value() *
                absl::FDivDuration(b - a, row.end - row.start);
  }
  if (slices.empty()) return false;
  row.intensity = weighted;
  row.intensity_estimated = false;
  row.data_version = slices.back().data_version;
  AddSignals(record, region, row);
  if (const auto joules = JoulesOf(row)) {
    const KilowattHours energy =
        ToKilowattHours(Joules(static_cast<double>(*joules)));
    row.milligrams = ToMilligrams(energy * row.pue * GramsPerKwh(weighted));
  }
  return true;
}

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
    const RegionId region = topology().region(attempt.pool);
    AddSignals(grid_->record(), region, row);
    if (row.intensity_estimated || !row.intensity) {
      // Actual data may have come since it was taken in.
      Restated(grid_->record(), region, row);
    }
    notes.milligrams += row.milligrams.value_or(0);
    SiteSums& sums =
        site_sums_[topology().pools[attempt.pool.value()].site.value()];
    sums.milligrams += static_cast<double>(row.milligrams.value_or(0));
    if (row.marginal && r.joules) {
      sums.marginal_grams += static_cast<double>(*r.joules) / kJoulesPerKwh *
                             row.pue * *row.marginal;
    }
    BookEmission(attempt.job, row.start, row.milligrams);
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
  node.job_joules += metered - unallocated;
  node.idle_joules += unallocated;
  const RegionId region = topology().region(node.pool);
  node_energy_.Report(
      {node.id, region, topology().site(node.pool).pue,
       node.meter == "modelled" ? "modelled" : "measured"},
      from, to, Joules(metered), Joules(unallocated),
      [this, region](absl::Time a, absl::Time b) {
        return grid_->record().Slices(region, a, b);
      },
      std::chrono::steady_clock::now());
  RecordNodeEnergy(node_energy_.Take());
}

void Driver::RecordNodeEnergy(std::vector<NodeEnergyRow> rows) {
  for (NodeEnergyRow& row : rows) {
    const NodeEntry* const node = nodes_.Find(row.node);
    if (node == nullptr) continue;
    const RegionId region = topology().region(node->pool);
    row.site = topology().site(node->pool).name;
    row.region = topology().regions[region.value()].name;
    row.recorded = work_.now;
    AddSignals(grid_->record(), region, row);
    if (row.intensity_estimated || !row.intensity) {
      Restated(grid_->record(), region, row);
    }
    site_sums_[topology().pools[node->pool.value()].site.value()]
        .idle_milligrams += static_cast<double>(row.milligrams.value_or(0));
    work_.batch.node_energy.push_back(std::move(row));
  }
}

void Driver::RestateNodes(RegionId region, absl::Time from, absl::Time to) {
  const std::string& name = topology().regions[region.value()].name;
  for (NodeEnergyRow& row : work_.batch.node_energy) {
    if (row.region == name && row.intensity_estimated) {
      Restated(grid_->record(), region, row);
    }
  }
  // What is still open began with what was known before.
  RecordNodeEnergy(node_energy_.TakeAll(region));
  for (absl::Time next = from - absl::Hours(1); next < to;) {
    const auto rows = setup_.ledger->reader().EstimatedNodeEnergy(
        name, next, to, kRestateMax);
    if (!rows.ok()) {
      Log(LogLevel::kError, "energy of nodes can't be restated",
          {{"region", name}, {"error", rows.status()}});
      return;
    }
    for (NodeEnergyRow row : *rows) {
      if (!Restated(grid_->record(), region, row)) continue;
      row.recorded = work_.now;
      work_.batch.node_energy.push_back(std::move(row));
    }
    if (rows->size() < kRestateMax) break;
    next = rows->back().start + absl::Microseconds(1);
  }
}

// What the job's energy would have emitted at its baseline: from its
// submission on, without a pause, for as long as it ran.
void Driver::RecordBaseline(const Job& job, const JobNotes& notes) {
  if (notes.ran <= absl::ZeroDuration()) return;
  BaselineUse use;
  use.job = job.spec.id;
  use.pool = notes.baseline;
  use.from = job.spec.submitted;
  use.to = job.spec.submitted + notes.ran;
  if (!notes.energy_unknown) use.joules = notes.joules;
  const bool provisional = AddBaseline(use);
  if (const auto baseline = work_.batch.baselines.back().milligrams) {
    avoided_milligrams_ += static_cast<double>(*baseline - notes.milligrams);
  }
  if (!provisional || !use.joules) return;
  // It stands on a forecast: again when actual data come.
  std::deque<BaselineUse>& waiting =
      waiting_baselines_[topology().region(use.pool)];
  if (waiting.size() >= kWaitingBaselinesMax) waiting.pop_front();
  waiting.push_back(use);
}

bool Driver::AddBaseline(const BaselineUse& use) {
  BaselineRow& row = work_.batch.baselines.emplace_back();
  row.job = use.job;
  row.recorded = work_.now;
  if (!use.joules) return true;
  const std::vector<GridSlice> slices =
      grid_->record().Slices(topology().region(use.pool), use.from, use.to);
  const std::optional<GramsCo2e> grams =
      Emission(ToKilowattHours(Joules(static_cast<double>(*use.joules))),
               topology().site(use.pool).pue, use.from, use.to, slices);
  if (grams) row.milligrams = ToMilligrams(*grams);
  for (const GridSlice& slice : slices) row.estimated |= slice.estimated;
  return row.estimated || !grams;
}

// Actual data stand in for what was estimated before: rows of attempts, and
// baselines. The old rows stay on record as superseded.
void Driver::Restate(RegionId region, absl::Time from, absl::Time to) {
  const std::string& name = topology().regions[region.value()].name;
  const GridRecord& record = grid_->record();
  for (EmissionRow& row : work_.batch.emissions) {
    if (row.region == name && row.intensity_estimated) {
      Restated(record, region, row);
    }
  }
  size_t restated = 0;
  for (absl::Time next = from - absl::Hours(1); next < to;) {
    const auto rows =
        setup_.ledger->reader().EstimatedEmissions(name, next, to, kRestateMax);
    if (!rows.ok()) {
      Log(LogLevel::kError, "emissions can't be restated",
          {{"region", name}, {"error", rows.status()}});
      return;
    }
    for (EmissionRow row : *rows) {
      const int64_t before = row.milligrams.value_or(0);
      if (!Restated(record, region, row)) continue;
      row.recorded = work_.now;
      if (row.milligrams) {
        BookEmission(row.job, row.start, *row.milligrams - before);
      }
      work_.batch.emissions.push_back(std::move(row));
      ++restated;
    }
    if (rows->size() < kRestateMax) break;
    next = rows->back().start + absl::Microseconds(1);
  }
  RestateNodes(region, from, to);
  std::deque<BaselineUse>& waiting = waiting_baselines_[region];
  for (size_t left = waiting.size(); left > 0; --left) {
    const BaselineUse use = waiting.front();
    waiting.pop_front();
    const bool touched = use.from < to && use.to > from;
    if (!touched || AddBaseline(use)) waiting.push_back(use);
  }
  if (restated > 0) {
    Log(LogLevel::kInfo, "emissions restated on actual data",
        {{"region", name}, {"rows", restated}});
  }
}

}  // namespace ccsched
