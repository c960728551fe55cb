// Rows of energy put on the grid data that are known now.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/restate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "scheduler/carbon/accounting.h"

namespace ccsched {
namespace {

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

// But for what the order of adding up does.
bool Same(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return std::abs(*a - *b) <= 1e-9 * std::max(std::abs(*a), std::abs(*b));
}

template <typename Row>
bool RestateRow(const GridRecord& record, RegionId region, Row& row) {
  const std::vector<GridSlice> slices =
      record.Slices(region, row.start, row.end);
  if (slices.empty()) return false;
  Row next = row;
  double weighted = 0;
  next.intensity_estimated = false;
  for (const GridSlice& slice : slices) {
    if (!slice.actual) return false;
    weighted +=
        slice.intensity->value() *
        absl::FDivDuration(slice.end - slice.start, row.end - row.start);
    next.intensity_estimated = next.intensity_estimated || slice.estimated;
  }
  next.intensity = weighted;
  next.data_version = slices.back().data_version;
  AddSignals(record, region, next);
  if (Same(row.intensity, next.intensity) &&
      Same(row.marginal, next.marginal) &&
      Same(row.grid_share, next.grid_share) &&
      row.intensity_estimated == next.intensity_estimated) {
    return false;
  }
  if (const auto joules = JoulesOf(row)) {
    const KilowattHours energy =
        ToKilowattHours(Joules(static_cast<double>(*joules)));
    next.milligrams = ToMilligrams(energy * row.pue * GramsPerKwh(weighted));
  }
  row = std::move(next);
  return true;
}

template <typename Row>
void PutRowOnSignals(const GridRecord& record, RegionId region, Row& row) {
  const bool open = row.intensity_estimated || !row.intensity;
  if (!open || !RestateRow(record, region, row)) {
    AddSignals(record, region, row);
  }
}

}  // namespace

int64_t ToMilligrams(GramsCo2e grams) {
  return static_cast<int64_t>(std::llround(grams.value() * 1000));
}

bool Restate(const GridRecord& record, RegionId region, EmissionRow& row) {
  return RestateRow(record, region, row);
}
bool Restate(const GridRecord& record, RegionId region, NodeEnergyRow& row) {
  return RestateRow(record, region, row);
}

void PutOnSignals(const GridRecord& record, RegionId region, EmissionRow& row) {
  PutRowOnSignals(record, region, row);
}
void PutOnSignals(const GridRecord& record, RegionId region,
                  NodeEnergyRow& row) {
  PutRowOnSignals(record, region, row);
}

bool Rebase(const GridRecord& record, RegionId region, BaselineRow& row) {
  const BaselineRow before = row;
  row.milligrams.reset();
  row.estimated = false;
  if (row.joules) {
    const std::vector<GridSlice> slices =
        record.Slices(region, row.start, row.end);
    const std::optional<GramsCo2e> grams =
        Emission(ToKilowattHours(Joules(static_cast<double>(*row.joules))),
                 row.pue, row.start, row.end, slices);
    if (grams) row.milligrams = ToMilligrams(*grams);
    for (const GridSlice& slice : slices) row.estimated |= slice.estimated;
  }
  return row.milligrams != before.milligrams ||
         row.estimated != before.estimated;
}

}  // namespace ccsched
