// Clean energy bought, matched hour by hour: net emissions, 24/7 CFE score.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_MATCHING_H_
#define CCSCHED_SCHEDULER_CARBON_MATCHING_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/accounting.h"

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

// One site's load in an hour, and the clean energy bought for it alone.
struct SiteHour {
  KilowattHours load, own;
};
// What share of each site's load no purchase covers, 0 to 1 (1 without load).
// Each site's own purchase covers it first; `shared`, bought for all sites on
// this grid, covers what is left of all of them in proportion. Surplus is lost.
std::vector<double> UncoveredShares(absl::Span<const SiteHour> sites,
                                    KilowattHours shared);

// The hours of a consumer from the rows of its account, for MatchHours: load by
// step of `clean` (bought energy, kWh a step) with the intensity that the rows
// were accounted at, weighted by energy, and the share of `shares` (in %; may
// be empty). Steps without load are left out. Errors: FailedPrecondition for a
// row of unknown energy or intensity, or outside of `clean`: what is unknown is
// not matched.
absl::StatusOr<std::vector<MatchedHour>> HoursOf(
    absl::Span<const AccountRow> rows, const StepSeries& clean,
    const StepSeries& shares, std::optional<GramsPerKwh> residual);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_MATCHING_H_
