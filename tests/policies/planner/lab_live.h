// Plays an instance live: each job is known from its release on.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_POLICIES_PLANNER_LAB_LIVE_H_
#define CCSCHED_TESTS_POLICIES_PLANNER_LAB_LIVE_H_

#include "policies/planner/instance.h"
#include "policies/planner/rolling_plan.h"

namespace ccsched {

struct LiveResult {
  double grams = 0;
  int late = 0;
  int replans = 0;
  double wait_hours = 0;      // mean
  std::vector<double> usage;  // of each pool's slots
  std::vector<Stretch> runs;  // of each job, if it ran in one stretch
};

// Runtimes and intensities are known exactly; replans every `every_us`.
LiveResult PlayLive(const PlanInstance& plan, const RollingOptions& options,
                    int64_t every_us);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_POLICIES_PLANNER_LAB_LIVE_H_
