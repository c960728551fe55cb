// Plays an instance live: each job is known from its release on.
// SPDX-License-Identifier: Apache-2.0
#include "tests/policies/planner/lab_live.h"

#include <algorithm>
#include <map>
#include <vector>

#include "policies/planner/slot_usage.h"

namespace ccsched {

LiveResult PlayLive(const PlanInstance& plan, const RollingOptions& options,
                    int64_t every_us) {
  LiveResult result;
  result.runs.resize(plan.jobs.size());
  const PriceTable carbon(plan);
  RollingPlan rolling(
      plan.pools, plan.placements, options,
      [&](int pool, int64_t origin, int32_t slots, double* grams) {
        const std::vector<double>& all = plan.pools[pool].grams;
        for (int32_t k = 0; k < slots; ++k) {
          const size_t i = origin / kSlotUs + k;
          grams[k] = all[std::min(i, all.size() - 1)];
        }
      });
  std::map<uint32_t, size_t> waiting;  // the plan's index to the job's
  std::vector<std::pair<int64_t, uint32_t>> ends;  // a heap of running jobs
  size_t next = 0;
  int64_t replan_at = 0;
  SlotUsage use(plan.pools.size(), plan.slots);
  const auto settle = [&](int64_t now) {
    // Starts that were due before now happened as planned.
    for (auto it = waiting.begin(); it != waiting.end();) {
      const RollingPlan::Entry& entry = rolling.entry(it->first);
      if (entry.start >= now && now >= 0) {
        ++it;
        continue;
      }
      const PlanJob& job = plan.jobs[it->second];
      result.grams +=
          job.count * carbon.Between(entry.pool, entry.start, entry.end);
      // A late run may lie beyond the grid.
      use.Add(entry.pool, std::min(entry.start, plan.end()),
              std::min(entry.end, plan.end()), job.count);
      result.runs[it->second] = entry.run();
      result.late += entry.end > job.latest_end;
      result.wait_hours += (entry.start - job.release) / 3.6e9;
      rolling.Start(it->first, entry.run());
      ends.push_back({-entry.end, it->first});
      std::push_heap(ends.begin(), ends.end());
      it = waiting.erase(it);
    }
    while (!ends.empty() && -ends.front().first <= now) {
      rolling.Forget(now, ends.front().second);
      std::pop_heap(ends.begin(), ends.end());
      ends.pop_back();
    }
  };
  while (next < plan.jobs.size() || !waiting.empty()) {
    const int64_t arrival =
        next < plan.jobs.size() ? plan.jobs[next].release : INT64_MAX;
    if (replan_at <= arrival && rolling.size() > 0) {
      settle(replan_at);
      rolling.Replan(replan_at);
      ++result.replans;
      replan_at += every_us;
      continue;
    }
    // What starts at once must count as started before the next replan; due
    // starts are settled then.
    const uint32_t index = rolling.Arrive(arrival, plan.jobs[next], true);
    waiting[index] = next;
    ++next;
    replan_at = std::max(replan_at, arrival / every_us * every_us + every_us);
  }
  result.usage = use.Sum();
  result.wait_hours /= plan.jobs.size();
  return result;
}

}  // namespace ccsched
