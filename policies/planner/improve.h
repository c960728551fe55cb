// Betters a plan by taking out a few jobs at a time and putting them back.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_IMPROVE_H_
#define CCSCHED_POLICIES_PLANNER_IMPROVE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"

namespace ccsched {

struct ImproveOptions {
  int64_t rounds = 1000;
  uint64_t seed = 1;
  int least = 3;  // jobs taken out in a round
  int most = 30;
};

// Ruin and recreate: takes out jobs that were neighbours in time, puts them
// back in a new order, each where it is cheapest, and keeps what costs less
// under `goal`. Placing goes by `goal` and by `guide` (the same plus prices)
// in turn. Jobs not in `movable` stay. Returns what was gained, in the units of
// `goal`. Source: Schrimpf et al. 2000.
// REQUIRES: `movable` in order of release, its jobs placed.
double Improve(const PlanInstance& instance, const PriceTable& goal,
               const PriceTable& guide, const std::vector<uint32_t>& movable,
               const ImproveOptions& options, Schedule& schedule);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_IMPROVE_H_
