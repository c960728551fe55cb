// The cheapest start of a job that runs without a pause, under given prices.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_RIGID_RESPONSE_H_
#define CCSCHED_POLICIES_PLANNER_RIGID_RESPONSE_H_

#include <cstdint>
#include <limits>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"

namespace ccsched {

struct StartChoice {
  int pool = -1;  // none yet
  int64_t start = 0;
  double cost = std::numeric_limits<double>::infinity();  // per accelerator
};

// How long a run lasts: as expected, and by a spread if it is not null. And
// what it costs until it starts, from the table's origin on.
struct RunLength {
  int64_t expected = 0;
  const LengthSpread* spread = nullptr;
  double wait = 0;  // an hour

  double Wait(int64_t until) const {
    return wait * (static_cast<double>(until) * (1.0 / kSlotUs));
  }
  static RunLength Of(const PlanJob& job) {
    return {job.duration, job.spread.get(), job.wait};
  }
};

// What one accelerator costs, on average over the spread, from `start` on,
// and for waiting until then.
double RunCost(const PriceTable& prices, int pool, int64_t start,
               const RunLength& length);

// Improves `best` by the cheapest start in [earliest, latest] at `pool`.
// The cost is piecewise linear in the start, so its least value lies where the
// start or the end meets a slot's edge, or at an end of the window: these are
// tried, and the result is the minimum over every real-valued start.
// With a spread, starts at slots' edges and the ends of the window are tried.
// REQUIRES: 0 <= earliest <= latest, latest + expected within the table.
void BestStart(const PriceTable& prices, int pool, int64_t earliest,
               int64_t latest, const RunLength& length, StartChoice& best);

// The cheapest over all pools of the job's placement, in its whole window.
StartChoice BestStart(const PlanInstance& instance, const PriceTable& prices,
                      const PlanJob& job);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_RIGID_RESPONSE_H_
