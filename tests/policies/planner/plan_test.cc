// The planner's parts on small random cases.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "policies/planner/improve.h"
#include "policies/planner/pause_plan.h"
#include "policies/planner/paused_response.h"
#include "policies/planner/pricing.h"
#include "policies/planner/rigid_response.h"
#include "policies/planner/rolling_plan.h"
#include "policies/planner/room_search.h"
#include "policies/planner/schedule.h"
#include "policies/planner/timeline.h"
#include "scheduler/base/random.h"
#include "tests/policies/planner/grams.h"

namespace ccsched {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;

PlanInstance RandomInstance(uint64_t seed, int jobs, bool suspendable) {
  Random random(seed);
  PlanInstance plan;
  plan.slots = plan.priced_slots = 40;
  plan.placements = {{0, 1}};
  for (int p = 0; p < 2; ++p) {
    PlanPool pool;
    pool.capacity = 4;
    pool.room.assign(plan.slots, 4);
    for (int k = 0; k < plan.slots; ++k) {
      pool.grams.push_back(20 + 300 * random.Uniform());
    }
    plan.pools.push_back(pool);
  }
  for (int j = 0; j < jobs; ++j) {
    PlanJob job;
    job.release = static_cast<int64_t>(random.Below(600)) * kMinuteUs;
    job.duration = (5 + static_cast<int64_t>(random.Below(400))) * kMinuteUs;
    job.latest_end = job.release + job.duration + 12 * kSlotUs;
    job.count = 1 + static_cast<uint32_t>(random.Below(3));
    job.suspendable = suspendable;
    job.checkpoint = job.restart = 5 * kMinuteUs;
    plan.jobs.push_back(job);
  }
  std::stable_sort(
      plan.jobs.begin(), plan.jobs.end(),
      [](const PlanJob& a, const PlanJob& b) { return a.release < b.release; });
  return plan;
}

TEST(TimelineTest, AgreesWithAMinuteByMinuteCount) {
  constexpr int kMinutes = 8 * 60;
  Random random(11);
  Timeline timeline(9);
  std::vector<int> level(kMinutes, 0);
  struct Run {
    int from, to, count;
  };
  std::vector<Run> runs;
  for (int step = 0; step < 400; ++step) {
    if (runs.size() > 12 || (!runs.empty() && random.Below(3) == 0)) {
      const size_t i = random.Below(runs.size());
      const Run run = runs[i];
      timeline.Remove(run.from * kMinuteUs, run.to * kMinuteUs, run.count);
      for (int m = run.from; m < run.to; ++m) level[m] -= run.count;
      runs.erase(runs.begin() + static_cast<int64_t>(i));
    } else {
      const int from = static_cast<int>(random.Below(kMinutes - 1));
      const int to =
          from + 1 + static_cast<int>(random.Below(kMinutes - from - 1));
      const int count = 1 + static_cast<int>(random.Below(4));
      timeline.Add(from * kMinuteUs, to * kMinuteUs, count);
      for (int m = from; m < to; ++m) level[m] += count;
      runs.push_back({from, to, count});
    }
    const int a = static_cast<int>(random.Below(kMinutes - 1));
    const int b = a + 1 + static_cast<int>(random.Below(kMinutes - a - 1));
    const int limit = static_cast<int>(random.Below(12));
    int peak = 0;
    int last = -1;
    int first = b;
    int clear = b;
    for (int m = a; m < b; ++m) {
      peak = std::max(peak, level[m]);
      if (level[m] > limit) {
        last = m + 1;
        first = std::min(first, m);
      } else {
        clear = std::min(clear, m);
      }
    }
    const int64_t from = a * kMinuteUs;
    const int64_t to = b * kMinuteUs;
    EXPECT_EQ(timeline.Peak(from, to), peak);
    EXPECT_EQ(timeline.LastAbove(from, to, limit),
              last < 0 ? -1 : last * kMinuteUs);
    EXPECT_EQ(timeline.FirstAbove(from, to, limit), first * kMinuteUs);
    EXPECT_EQ(timeline.FirstNotAbove(from, to, limit), clear * kMinuteUs);
  }
}

TEST(RigidResponseTest, NoMinuteIsCheaper) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const PlanInstance plan = RandomInstance(seed, 10, false);
    const PriceTable prices(plan);
    for (const PlanJob& job : plan.jobs) {
      const StartChoice best = BestStart(plan, prices, job);
      double least = std::numeric_limits<double>::infinity();
      for (int64_t s = job.release; s <= job.latest_start(); s += kMinuteUs) {
        for (int p = 0; p < 2; ++p) {
          least = std::min(least, prices.Between(p, s, s + job.duration));
        }
      }
      EXPECT_LE(best.cost, least + 1e-9) << "seed " << seed;
      EXPECT_NEAR(
          best.cost,
          prices.Between(best.pool, best.start, best.start + job.duration),
          1e-9);
      EXPECT_GE(best.start, job.release);
      EXPECT_LE(best.start, job.latest_start());
    }
  }
}

TEST(ScheduleTest, KeepsCapacityAndPromisesAndStaysAboveTheBound) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const PlanInstance plan = RandomInstance(seed, 18, false);
    Pricing pricing(plan);
    pricing.Ascend({.rounds = 200});
    PriceTable carbon(plan);
    PriceTable priced(plan);
    for (int p = 0; p < 2; ++p) {
      priced.SetPrices(plan, p, &pricing.best_prices()[p * plan.slots]);
    }
    Schedule schedule(plan);
    bool all = true;
    std::vector<uint32_t> movable;
    for (size_t j = 0; j < plan.jobs.size(); ++j) {
      all = schedule.PutCheapest(priced, j) && all;
      movable.push_back(static_cast<uint32_t>(j));
    }
    if (!all) continue;  // too crowded for greed
    const double before = Grams(plan, schedule);
    const double gained =
        Improve(plan, carbon, priced, movable,
                {.rounds = 300, .seed = seed, .most = 8}, schedule);
    const double after = Grams(plan, schedule);
    EXPECT_NEAR(before - after, gained, 1e-6);
    EXPECT_GE(after, pricing.best_bound() - 1e-6) << "seed " << seed;
    for (int p = 0; p < 2; ++p) {
      EXPECT_LE(schedule.timeline(p).Peak(0, plan.end()), 4);
    }
    for (size_t j = 0; j < plan.jobs.size(); ++j) {
      EXPECT_GE(schedule.place(j).start, plan.jobs[j].release);
      EXPECT_LE(schedule.place(j).start, plan.jobs[j].latest_start());
    }
  }
}

TEST(TimelineTest, KeepsItsLevelsWhenItIsLengthened) {
  Timeline timeline(3);
  timeline.Add(10 * kMinuteUs, 3 * kSlotUs, 2);
  timeline.Add(kSlotUs + 1, 2 * kSlotUs + 7, 3);
  for (const int32_t slots : {3, 4, 200}) {
    timeline.Lengthen(slots);
    EXPECT_EQ(timeline.Peak(0, 10 * kMinuteUs), 0);
    EXPECT_EQ(timeline.peak(1), 5);
    EXPECT_EQ(timeline.FirstAbove(0, 3 * kSlotUs, 2), kSlotUs + 1);
    EXPECT_EQ(timeline.LastAbove(0, 3 * kSlotUs, 2), 2 * kSlotUs + 7);
    EXPECT_EQ(timeline.FirstNotAbove(kSlotUs, slots * kSlotUs, 0), 3 * kSlotUs);
  }
  timeline.Add(3 * kSlotUs, 200 * kSlotUs, 1);
  EXPECT_EQ(timeline.Peak(2 * kSlotUs + 7, 200 * kSlotUs), 2);
}

std::vector<PlanPool> PoolOfFour() {
  std::vector<PlanPool> pools(1);
  pools[0].capacity = 4;
  return pools;
}

void AlwaysTheSame(int, int64_t, int32_t slots, double* grams) {
  std::fill(grams, grams + slots, 100.0);
}

// A job that lost its node when its promise was over already.
TEST(RollingPlanTest, HasRoomForLateJobsHoweverLongTheyRun) {
  RollingPlan plan(PoolOfFour(), {{0}}, {}, AlwaysTheSame);
  PlanJob job;
  job.duration = job.latest_end = 2000 * kSlotUs;
  const uint32_t first = plan.Arrive(0, job, false);
  plan.Forget(kSlotUs, first);
  const int64_t now = 300 * kSlotUs;
  const uint32_t again = plan.Arrive(now, job, false);
  EXPECT_EQ(plan.entry(again).pool, 0);
  EXPECT_GE(plan.entry(again).start, now);
  EXPECT_EQ(plan.entry(again).end, plan.entry(again).start + job.duration);
}

// Of runs of unknown length the mean may be far beyond the P90. Half as wide
// it would last so long that its end lay beyond all that is planned.
TEST(RollingPlanTest, NoWidthEndsLaterThanTheJobsOwnWherePromisesEnd) {
  RollingPlan plan(PoolOfFour(), {{0}}, {}, AlwaysTheSame);
  PlanJob job;
  job.count = 2;
  job.duration = 200 * kSlotUs;
  job.latest_end = 205 * kSlotUs;
  auto widths = std::make_shared<PlanWidths>();
  widths->widths = {{2, 1}, {1, 0.6}};
  widths->longest = 10 * kSlotUs;
  job.widths = widths;
  EXPECT_LE(AtWidth(job, {1, 0.6}).latest_end, job.latest_end);
  for (int n = 0; n < 8; ++n) {
    const uint32_t one = plan.Arrive(0, job, false);
    if (n > 1) continue;  // no room in time
    EXPECT_EQ(plan.entry(one).job.count, 2u);
    EXPECT_LE(plan.entry(one).end, job.latest_end);
  }
  plan.Replan(kSlotUs / 2);
}

// Room begins and ends within hours.
TEST(PausePlanTest, UsesPartsOfSlots) {
  PlanInstance plan;
  plan.slots = plan.priced_slots = 12;
  plan.placements = {{0}};
  plan.pools.resize(1);
  plan.pools[0].capacity = 1;
  plan.pools[0].grams.assign(plan.slots, 100.0);
  Schedule schedule(plan);
  const auto hour = [](double h) { return static_cast<int64_t>(h * kSlotUs); };
  schedule.timeline(0).Add(0, hour(1.5), 1);
  schedule.timeline(0).Add(hour(3.25), hour(7.5), 1);
  schedule.timeline(0).Add(hour(8), hour(12), 1);
  PlanJob job;
  job.duration = hour(2.25);
  job.latest_end = hour(12);
  job.suspendable = true;
  const PriceTable prices(plan);
  PausePlanner planner;
  double worth = 0;
  std::vector<Stretch> stretches;
  planner.Plan(plan, prices, prices, schedule, job, {}, {}, worth, stretches);
  ASSERT_EQ(stretches.size(), 2u);
  EXPECT_EQ(stretches[0].start, hour(1.5));
  EXPECT_EQ(stretches[0].end, hour(3.25));
  EXPECT_EQ(stretches[1].start, hour(7.5));
  EXPECT_EQ(stretches[1].end, hour(8));
}

// With weeks to go it keeps most of its day for later moves.
TEST(RollingPlanTest, KeepsSlackForAsLongAsAPausableJobRuns) {
  for (const int64_t days : {2, 28}) {
    // The cleanest hour is the last that its slack lets it wait for.
    RollingPlan plan(PoolOfFour(), {{0}}, {},
                     [](int, int64_t origin, int32_t slots, double* grams) {
                       for (int32_t k = 0; k < slots; ++k) {
                         grams[k] = k + origin / kSlotUs < 24 ? 1000.0 : 10.0;
                       }
                     });
    PlanJob job;
    job.duration = days * 24 * kSlotUs;
    job.latest_end = job.duration + 24 * kSlotUs;
    job.suspendable = true;
    const uint32_t one = plan.Arrive(0, job, false);
    EXPECT_EQ(plan.entry(one).start, 24 * kSlotUs * 2 / days);
    // Nor is it spent where a plan of several jobs is bettered.
    const uint32_t two = plan.Arrive(0, job, false);
    plan.Replan(0);
    EXPECT_EQ(plan.entry(one).start, 24 * kSlotUs * 2 / days);
    EXPECT_EQ(plan.entry(two).start, 24 * kSlotUs * 2 / days);
  }
}

// Who pauses is to come back, and is then in the way of others.
TEST(RollingPlanTest, PlansNoPausesForADayAfterAPoolWasFull) {
  RollingPlan plan(PoolOfFour(), {{0}}, {},
                   [](int, int64_t origin, int32_t slots, double* grams) {
                     for (int32_t k = 0; k < slots; ++k) {
                       grams[k] =
                           (k + origin / kSlotUs) % 4 < 2 ? 10.0 : 1000.0;
                     }
                   });
  PlanJob all;
  all.duration = all.latest_end = 36 * kSlotUs;
  all.count = 4;
  const uint32_t first = plan.Arrive(0, all, false);
  plan.Start(first, {0, 0, all.duration, 4});
  PlanJob job;
  job.duration = 4 * kSlotUs;
  job.latest_end = 160 * kSlotUs;
  job.suspendable = true;
  const uint32_t one = plan.Arrive(0, job, false);
  plan.Replan(0);
  EXPECT_FALSE(plan.entry(one).pausable);
  EXPECT_EQ(plan.entry(one).end, plan.entry(one).start + job.duration);
  plan.Forget(kSlotUs, first);
  plan.Replan(kSlotUs);
  EXPECT_FALSE(plan.entry(one).pausable);
  plan.Replan(25 * kSlotUs);
  EXPECT_TRUE(plan.entry(one).pausable);
  // Of the many hours that cost the same it takes few.
  const size_t stretches = plan.entry(one).stretches.size();
  EXPECT_TRUE(stretches == 2 || stretches == 3) << stretches;
}

// Alone it is in nobody's way, though it fills its pool.
TEST(RollingPlanTest, AJobThatFillsItsPoolAloneMayPause) {
  RollingPlan plan(PoolOfFour(), {{0}}, {},
                   [](int, int64_t origin, int32_t slots, double* grams) {
                     for (int32_t k = 0; k < slots; ++k) {
                       grams[k] = (k + origin / kSlotUs) < 30 ? 1000.0 : 10.0;
                     }
                   });
  PlanJob job;
  job.duration = 30 * kSlotUs;
  job.count = 4;
  job.latest_end = 300 * kSlotUs;
  job.suspendable = true;
  const uint32_t one = plan.Arrive(0, job, false);
  plan.Start(one, {0, 0, job.duration, 4});
  plan.Replan(0);
  EXPECT_TRUE(plan.entry(one).pausable);
  EXPECT_EQ(plan.SuspendAt(one), job.checkpoint);
}

TEST(PausePlanTest, DoesAllTheWorkWithinItsWindowAboveItsBounds) {
  int lifted = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const PlanInstance plan = RandomInstance(seed, 6, true);
    const PriceTable prices(plan);
    Schedule schedule(plan);
    PausePlanner planner;
    StretchSearch search;
    PausedSearch paused;
    for (const PlanJob& job : plan.jobs) {
      double worth = 0;
      std::vector<Stretch> stretches;
      const double cost = planner.Plan(plan, prices, prices, schedule, job, {},
                                       {}, worth, stretches);
      ASSERT_FALSE(stretches.empty()) << "seed " << seed;
      int64_t useful = 0;
      for (size_t i = 0; i < stretches.size(); ++i) {
        useful += stretches[i].end - stretches[i].start;
        if (i > 0) {
          useful -= job.restart + job.checkpoint;
          EXPECT_GE(stretches[i].start, stretches[i - 1].end);
        }
      }
      EXPECT_EQ(useful, job.duration) << "seed " << seed;
      EXPECT_GE(stretches.front().start, job.release);
      EXPECT_LE(stretches.back().end, job.latest_end);
      const double bound =
          search.Best(prices, plan.placements[0], job, 100, 30).bound;
      EXPECT_GE(cost, bound - 1e-6) << "seed " << seed;
      const double whole = BestStart(plan, prices, job).cost;
      EXPECT_LE(cost, whole + 1e-6);
      // Of plans with a pause and of those without one, rather than of all.
      const double closer = std::min(
          whole,
          paused.Top(prices, plan.placements[0], job, 100, 30).best.bound);
      EXPECT_GE(cost, closer - 1e-6) << "seed " << seed;
      EXPECT_GE(closer, bound - 1e-6 * bound) << "seed " << seed;
      lifted += closer > 1.0001 * bound ? 1 : 0;
    }
  }
  EXPECT_GT(lifted, 0);
}

}  // namespace
}  // namespace ccsched
