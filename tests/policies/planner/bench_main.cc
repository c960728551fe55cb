// Times replanning and arrivals of a synthetic cluster, and a simple greedy.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_bench [WAITING [POOLS]]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "policies/planner/price_table.h"
#include "policies/planner/rolling_plan.h"
#include "policies/planner/schedule.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

constexpr int64_t kSlice = 20'000'000;  // looks at a start, as the planner

PlanJob RandomJob(Random& random) {
  PlanJob job;
  job.release = 0;
  job.duration = static_cast<int64_t>(3.6e9 * 2 * std::exp(random.Normal()));
  job.latest_end = job.duration + 24 * kSlotUs;
  job.count = 1u << random.Below(4);
  return job;
}

void Grams(int pool, int64_t, int32_t slots, double* grams) {
  for (int32_t k = 0; k < slots; ++k) {
    grams[k] = 200 + 100 * std::sin(k * 0.26 + pool);
  }
}

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What there is without prices: each job, as it came, takes the start of least
// carbon that has room. Once.
void Greedy(const std::vector<PlanPool>& pools,
            const std::vector<uint16_t>& placement, int waiting) {
  PlanInstance instance;
  Random random(3);
  int64_t end = 168 * kSlotUs;
  for (int j = 0; j < waiting; ++j) {
    instance.jobs.push_back(RandomJob(random));
    end = std::max(end, instance.jobs.back().latest_end);
  }
  // Room behind the longest for those that come too late.
  instance.slots = static_cast<int32_t>(end / kSlotUs) + 50;
  instance.priced_slots = instance.slots;
  instance.pools = pools;
  instance.placements = {placement};
  for (size_t p = 0; p < pools.size(); ++p) {
    instance.pools[p].grams.resize(instance.slots);
    Grams(static_cast<int>(p), 0, instance.slots,
          instance.pools[p].grams.data());
  }
  const double start = Seconds();
  const PriceTable carbon(instance);
  Schedule schedule(instance);
  for (int j = 0; j < waiting; ++j) schedule.PutCheapest(carbon, j);
  std::printf("a simple greedy (each takes its cleanest start, once): %.3f s\n",
              Seconds() - start);
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
  RollingPlan plan(pools, {placement}, options, Grams);
  const double start = Seconds();
  for (int j = 0; j < waiting; ++j) plan.Register(0, RandomJob(random), true);
  plan.Replan(0);
  const double planned = Seconds();
  plan.Replan(1000);
  const double replanned = Seconds();
  std::vector<double> slices;
  plan.BeginReplan(2000);
  for (bool done = false; !done;) {
    const double before = Seconds();
    int64_t work = kSlice;
    done = plan.AdvanceReplan(2000, work);
    slices.push_back(Seconds() - before);
  }
  const double sliced = Seconds();
  for (int j = 0; j < 1000; ++j) plan.Arrive(2000, RandomJob(random), false);
  const double after = Seconds();
  std::printf(
      "%d jobs, %d pools, %d h: first plan %.2f s, replan %.3f s, an arrival "
      "%.1f us\n",
      waiting, sites, options.book.horizon_slots, planned - start,
      replanned - planned, (after - sliced) * 1e6 / 1000);
  std::printf("in slices: %zu, %.3f s in all, the longest %.1f ms\n",
              slices.size(), sliced - replanned,
              1000 * *std::max_element(slices.begin(), slices.end()));
  Greedy(pools, placement, waiting);
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
