// Clean energy bought, matched hour by hour: net emissions, 24/7 CFE score.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_MATCHING_H_
#define CCSCHED_SCHEDULER_CARBON_MATCHING_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/base/units.h"

namespace ccsched {

// One hour (or shorter step) of a consumer on one grid.
struct MatchedHour {
  KilowattHours load;
  KilowattHours clean;  // carbon-free energy bought on the same grid
  // Carbon-free share of the grid, 0 to 1; only for the score.
  std::optional<double> grid_share;
  GramsPerKwh grid;                     // average intensity, location-based
  std::optional<GramsPerKwh> residual;  // of what is not bought; else `grid`
};

struct Matching {
  KilowattHours load;
  GramsCo2e gross;  // load × grid
  GramsCo2e net;    // (load − clean, never below 0) × residual
  // 24/7 CFE score, 0 to 1: Σ[min(L,C) + (L − min(L,C))·g] ÷ ΣL. Source:
  // Google, "24/7 Carbon-Free Energy: Methodologies and Metrics", 2021. Absent
  // if a share is unknown or there is no load.
  std::optional<double> cfe_score;
};

// A surplus of clean energy in one hour earns nothing in another (Patterson et
// al. 2021, appendix B). Errors: InvalidArgument for negative energy or a share
// outside 0 to 1.
absl::StatusOr<Matching> MatchHours(absl::Span<const MatchedHour> hours);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_MATCHING_H_
