// The driver: what is on record, restated when the grid's data change.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "scheduler/base/log.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/restate.h"

namespace ccsched {

// Puts `row` on what is known now, and whatever counts it. Returns whether it
// has changed.
bool Driver::RestateEmission(RegionId region, const std::string& project,
                             EmissionRow& row) {
  const std::optional<int64_t> before = row.milligrams;
  if (!Restate(grid_->record(), region, row)) return false;
  const int64_t more = row.milligrams.value_or(0) - before.value_or(0);
  const auto notes = notes_.find(row.job);
  if (notes != notes_.end()) notes->second.milligrams += more;
  BookEmission(row.job, project, row.start, more);
  return true;
}

// What this step puts on record, or restates, and is not on record yet.
void Driver::RestateBatch(RegionId region) {
  const std::string& name = topology().regions[region.value()].name;
  for (EmissionRow& row : work_.batch.emissions) {
    if (row.region == name) {
      RestateEmission(region, ProjectOf(row.job), row);
    }
  }
  for (NodeEnergyRow& row : work_.batch.node_energy) {
    if (row.region == name) Restate(grid_->record(), region, row);
  }
  for (BaselineRow& row : work_.batch.baselines) {
    if (row.region == name) Rebase(grid_->record(), region, row);
  }
}

// Data of the region have changed in [span.from, span.to): rows of attempts, of
// nodes and baselines are restated; the old rows stay on record as superseded.
void Driver::RestateSpan(RegionId region, const TimeSpan& span,
                         bool estimated_only) {
  const GridRecord& record = grid_->record();
  // The batch's own rows are newer than those on record.
  absl::flat_hash_set<std::pair<JobId, absl::Time>> emissions;
  absl::flat_hash_set<std::pair<NodeId, absl::Time>> nodes;
  absl::flat_hash_set<JobId> baselines;
  Batch& batch = work_.batch;
  for (const EmissionRow& r : batch.emissions)
    emissions.insert({r.job, r.start});
  for (const NodeEnergyRow& r : batch.node_energy) {
    nodes.insert({r.node, r.start});
  }
  for (const BaselineRow& r : batch.baselines) baselines.insert(r.job);
  size_t restated = 0;
  StandingVisitor visitor;
  visitor.emission = [&](EmissionRow row, const std::string& project) {
    if (emissions.contains({row.job, row.start}) ||
        !RestateEmission(region, project, row)) {
      return;
    }
    row.recorded = work_.now;
    batch.emissions.push_back(std::move(row));
    ++restated;
  };
  visitor.node = [&](NodeEnergyRow row) {
    if (nodes.contains({row.node, row.start}) ||
        !Restate(record, region, row)) {
      return;
    }
    row.recorded = work_.now;
    batch.node_energy.push_back(std::move(row));
    ++restated;
  };
  visitor.baseline = [&](BaselineRow row) {
    if (baselines.contains(row.job) || !Rebase(record, region, row)) return;
    row.recorded = work_.now;
    batch.baselines.push_back(std::move(row));
  };
  const std::string& name = topology().regions[region.value()].name;
  const absl::Status status =
      setup_.ledger->reader().Standing({.region = name,
                                        .from = span.from,
                                        .to = span.to,
                                        .estimated_only = estimated_only},
                                       visitor);
  if (!status.ok()) {
    Log(LogLevel::kError, "not all can be restated on the grid's new data",
        {{"region", name}, {"error", status}});
  }
  if (restated == 0) return;
  Log(LogLevel::kInfo, "restated on the grid's new data",
      {{"region", name}, {"rows", restated}});
}

void Driver::RestateChanges(RegionId region,
                            const std::vector<TimeSpan>& changes,
                            bool estimated_only) {
  if (changes.empty()) return;
  RestateBatch(region);
  // What is still open began with what was known before.
  RecordNodeEnergy(node_energy_.TakeAll(region));
  for (const TimeSpan& span : changes) {
    RestateSpan(region, span, estimated_only);
  }
}

}  // namespace ccsched
