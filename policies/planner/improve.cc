// Betters a plan by taking out a few jobs at a time and putting them back.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/improve.h"

namespace ccsched {

double Improver::Round() {
  out_.Begin();
  out_.TakeNeighbours(options_.least, options_.most);
  return out_.PutElsewhere().value_or(0);
}

double Improve(const PlanInstance& instance, const PriceTable& goal,
               const PriceTable& guide, const std::vector<uint32_t>& movable,
               const ImproveOptions& options, Schedule& schedule) {
  if (movable.size() < 2) return 0;
  Improver improver(instance, goal, guide, movable, options, schedule);
  double gained = 0;
  for (int64_t round = 0; round < options.rounds; ++round) {
    gained += improver.Round();
  }
  return gained;
}

}  // namespace ccsched
