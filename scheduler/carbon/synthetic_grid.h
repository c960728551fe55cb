// Makes intensities that behave like a real grid's, from its statistics.
// SPDX-License-Identifier: Apache-2.0
//
//   StepSeries s = SyntheticGrid(*FindGridProfile("solar"), start, 24 * 28, 1);
#ifndef CCSCHED_SCHEDULER_CARBON_SYNTHETIC_GRID_H_
#define CCSCHED_SCHEDULER_CARBON_SYNTHETIC_GRID_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

// Statistics of one zone's hourly lifecycle intensity, gCO2e/kWh, UTC. Facts
// computed by tests/bench/grid_statistics from the zone's hours of 2021 and
// 2022; none of the hours themselves is here.
struct GridProfile {
  std::string_view name;    // "solar", "wind", …: what drives the grid
  std::string_view zone;    // whose statistics these are
  std::string_view source;  // of the data that the statistics were taken of
  // Mean by month (January first) and hour of the day.
  std::array<std::array<uint16_t, 24>, 12> mean;
  // Of the ratio of an hour to that mean: its standard deviation by month, in
  // thousandths, and the correlation of an hour with the hour and the day
  // before.
  std::array<uint16_t, 12> spread_permille;
  double lag_1h = 0;
  double lag_24h = 0;
  double min = 0, max = 0;  // over the two years
};

// The profiles that are built in.
absl::Span<const GridProfile> GridProfiles();
// By name or zone; null if there is none.
const GridProfile* FindGridProfile(std::string_view name);

// `hours` hourly intensities from `start` on. The same arguments give the same
// series on every machine. It is no zone's history: only its statistics.
StepSeries SyntheticGrid(const GridProfile& profile, absl::Time start,
                         int hours, uint64_t seed);

// The same as a CSV in our layout (utc,ci_lca,estimated), every value marked
// estimated.
std::string SyntheticGridCsv(const GridProfile& profile, absl::Time start,
                             int hours, uint64_t seed);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_SYNTHETIC_GRID_H_
