// Betters a plan by taking out a few jobs at a time and putting them back.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_IMPROVE_H_
#define CCSCHED_POLICIES_PLANNER_IMPROVE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"
#include "policies/planner/taken_out.h"

namespace ccsched {

struct ImproveOptions {
  int64_t rounds = 1000;
  uint64_t seed = 1;
  int least = 3;  // jobs taken out in a round
  int most = 30;
};

// Ruin and recreate, as TakenOut has its steps.
class Improver {
 public:
  // REQUIRES: all outlive this; `movable` in order of release, its jobs placed.
  Improver(const PlanInstance& instance, const PriceTable& goal,
           const PriceTable& guide, const std::vector<uint32_t>& movable,
           const ImproveOptions& options, Schedule& schedule)
      : options_(options),
        out_(instance, goal, guide, movable, options.seed, schedule) {}
  // One round; returns what was gained, in the units of `goal`.
  double Round();

 private:
  const ImproveOptions options_;
  TakenOut out_;
};

// All rounds at once; returns what was gained.
double Improve(const PlanInstance& instance, const PriceTable& goal,
               const PriceTable& guide, const std::vector<uint32_t>& movable,
               const ImproveOptions& options, Schedule& schedule);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_IMPROVE_H_
