// Times one replanning and one arrival of a synthetic cluster.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_bench [WAITING [POOLS]]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "policies/planner/rolling_plan.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

PlanJob RandomJob(Random& random) {
  PlanJob job;
  job.release = 0;
  job.duration = static_cast<int64_t>(3.6e9 * 2 * std::exp(random.Normal()));
  job.latest_end = job.duration + 24 * kSlotUs;
  job.count = job.max_count = 1u << random.Below(4);
  return job;
}

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int Main(int argc, char** argv) {
  const int waiting = argc > 1 ? std::atoi(argv[1]) : 10000;
  const int sites = argc > 2 ? std::atoi(argv[2]) : 20;
  Random random(3);
  std::vector<PlanPool> pools(sites);
  std::vector<uint16_t> placement;
  for (int p = 0; p < sites; ++p) {
    pools[p].capacity = waiting / sites;
    placement.push_back(static_cast<uint16_t>(p));
  }
  RollingOptions options;
  RollingPlan plan(pools, {placement}, options,
                   [](int pool, int64_t, int32_t slots, double* grams) {
                     for (int32_t k = 0; k < slots; ++k) {
                       grams[k] = 200 + 100 * std::sin(k * 0.26 + pool);
                     }
                   });
  const double start = Seconds();
  for (int j = 0; j < waiting; ++j) plan.Arrive(0, RandomJob(random), true);
  const double arrived = Seconds();
  plan.Replan(1000);
  const double replanned = Seconds();
  for (int j = 0; j < 1000; ++j) plan.Arrive(1000, RandomJob(random), false);
  const double after = Seconds();
  std::printf(
      "%d jobs, %d pools, %d h: arrivals %.2f s, replan %.3f s, "
      "an arrival %.1f us\n",
      waiting, sites, options.horizon_slots, arrived - start,
      replanned - arrived, (after - replanned) * 1e6 / 1000);
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
