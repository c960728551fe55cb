// Tells where the gap between a plan and the bound lies.
// SPDX-License-Identifier: Apache-2.0
#include "tests/policies/planner/lab_anatomy.h"

#include <cstdio>

#include "policies/planner/rigid_response.h"

namespace ccsched {
namespace {

constexpr int kSizes = 6;
constexpr const char* kSizeNames[kSizes] = {"<10",   "<50",   "<250",
                                            "<1250", "<6250", "more"};
// The first and last days of arrivals: an empty cluster, and no successors.
constexpr int kEdgeDays = 4;

struct Lost {
  double regret = 0;  // of jobs
  double place = 0;   // of it, by being at another pool than the cheapest
  double hours = 0;   // of accelerators
};

int SizeClass(double hours) {
  int c = 0;
  for (double edge = 10; c + 1 < kSizes && hours >= edge; edge *= 5) ++c;
  return c;
}

void PrintRow(const char* what, const std::vector<double>& row, double unit) {
  std::printf("%s:", what);
  for (const double x : row) std::printf(" %.2f", x / unit);
  std::printf("\n");
}

}  // namespace

void PrintAnatomy(const PlanInstance& plan, const PriceTable& priced,
                  const std::vector<double>& prices, const LiveResult& live,
                  double bound) {
  std::vector<double> by_day(plan.slots / 24 + 1);
  std::vector<double> idle_by_day(by_day);
  std::vector<double> idle_by_pool(plan.pools.size());
  Lost lost[kSizes];
  for (size_t j = 0; j < plan.jobs.size(); ++j) {
    const PlanJob& job = plan.jobs[j];
    const Stretch& run = live.runs[j];
    const StartChoice best = BestStart(plan, priced, job);
    StartChoice here;
    BestStart(priced, run.pool, job.release, job.latest_start(),
              RunLength::Of(job), here);
    const double cost = priced.Between(run.pool, run.start, run.end);
    const double size = job.count * (job.duration * (1.0 / kSlotUs));
    Lost& l = lost[SizeClass(size)];
    l.regret += job.count * (cost - best.cost);
    l.place += job.count * (here.cost - best.cost);
    l.hours += size;
    by_day[job.release / kSlotUs / 24] += job.count * (cost - best.cost);
  }
  for (size_t p = 0; p < plan.pools.size(); ++p) {
    for (int32_t k = 0; k < plan.slots; ++k) {
      const size_t i = p * plan.slots + k;
      const double idle = prices[i] * (plan.pools[p].capacity - live.usage[i]);
      idle_by_pool[p] += idle;
      idle_by_day[k / 24] += idle;
    }
  }
  const double unit = bound / 100;
  double part[3] = {};
  const int32_t days =
      static_cast<int32_t>(plan.jobs.back().release / kSlotUs / 24) + 1;
  for (int32_t d = 0; d <= plan.slots / 24; ++d) {
    const int which = d < kEdgeDays ? 0 : d < days - kEdgeDays ? 1 : 2;
    part[which] += by_day[d] + idle_by_day[d];
  }
  std::printf("parts: first %.2f mid %.2f end %.2f\n", part[0] / unit,
              part[1] / unit, part[2] / unit);
  for (int c = 0; c < kSizes; ++c) {
    std::printf("  size %6s h: lost %.2f (place %.2f) of %.0f h\n",
                kSizeNames[c], lost[c].regret / unit, lost[c].place / unit,
                lost[c].hours);
  }
  PrintRow("idle by pool", idle_by_pool, unit);
  PrintRow("by day, jobs", by_day, unit);
  PrintRow("by day, idle", idle_by_day, unit);
}

}  // namespace ccsched
