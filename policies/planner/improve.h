// Betters a plan by taking out a few jobs at a time and putting them back.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_IMPROVE_H_
#define CCSCHED_POLICIES_PLANNER_IMPROVE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"
#include "scheduler/base/random.h"

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
// in turn. Jobs not in `movable` stay. Source: Schrimpf et al. 2000.
class Improver {
 public:
  // REQUIRES: all outlive this; `movable` in order of release, its jobs placed.
  Improver(const PlanInstance& instance, const PriceTable& goal,
           const PriceTable& guide, const std::vector<uint32_t>& movable,
           const ImproveOptions& options, Schedule& schedule);
  // One round; returns what was gained, in the units of `goal`.
  double Round();

 private:
  // A job taken out, where it was, and its turn for being put back.
  struct Taken {
    uint32_t job = 0;
    Schedule::Place place;
    double turn = 0;
  };
  double Size(uint32_t job) const;
  double Cost(uint32_t job, const Schedule::Place& place) const;
  // A job with an index in [first, last), big ones likelier.
  uint32_t Draw(size_t first, size_t last);
  void Ruin();

  const PlanInstance& instance_;
  const PriceTable& goal_;
  const PriceTable& guide_;
  const std::vector<uint32_t>& movable_;
  const ImproveOptions options_;
  Schedule& schedule_;
  Random random_;
  std::vector<double> sum_;
  std::vector<Taken> taken_;
};

// All rounds at once; returns what was gained.
double Improve(const PlanInstance& instance, const PriceTable& goal,
               const PriceTable& guide, const std::vector<uint32_t>& movable,
               const ImproveOptions& options, Schedule& schedule);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_IMPROVE_H_
