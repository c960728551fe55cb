// The planner's memory of demand, and plans kept live, on made-up jobs.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "policies/planner/demand.h"
#include "policies/planner/pricing.h"
#include "policies/planner/rolling_plan.h"
#include "policies/planner/slot_usage.h"
#include "scheduler/base/random.h"
#include "tests/policies/planner/lab_live.h"

namespace ccsched {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;

double WorkExpected(const DemandHistory& history, int64_t now) {
  std::vector<PlanJob> jobs;
  history.Expect(now, 24 * kSlotUs, jobs);
  double work = 0;
  for (const PlanJob& job : jobs) {
    work += static_cast<double>(job.weight) * job.count *
            (job.duration * (1.0 / kSlotUs));
  }
  return work;
}

TEST(DemandHistoryTest, ExpectsTheLoadToGoOn) {
  DemandHistory history({.least_size = 1});
  PlanJob job;
  job.duration = kSlotUs;
  job.count = 2;
  for (int h = 0; h < 72; ++h) {
    job.release = h * kSlotUs;
    job.latest_end = job.release + 2 * kSlotUs;
    history.Record(job);
  }
  EXPECT_NEAR(WorkExpected(history, 71 * kSlotUs + kMinuteUs), 48, 2);
}

TEST(DemandHistoryTest, ExpectsJobsToLastAsLongAsTheyTurnedOutTo) {
  DemandHistory history({.least_size = 1});
  PlanJob job;
  job.count = 2;
  for (int h = 0; h < 72; ++h) {
    job.release = h * kSlotUs;
    job.duration = 5 * kSlotUs;  // it was believed
    job.latest_end = job.release + 6 * kSlotUs;
    history.Amend(history.Record(job), kSlotUs);
  }
  history.Amend(1000, 100 * kSlotUs);  // of none that is remembered
  EXPECT_NEAR(WorkExpected(history, 71 * kSlotUs + kMinuteUs), 48, 2);
}

TEST(DemandHistoryTest, ExpectsLessAfterTheLongestSilenceOfAll) {
  DemandHistory history({.least_size = 1});
  PlanJob job;
  job.duration = kSlotUs;
  for (int h = 0; h < 72; ++h) {
    job.release = h * kSlotUs;
    job.latest_end = job.release + 2 * kSlotUs;
    history.Record(job);
  }
  const int64_t last = job.release;
  const double going = WorkExpected(history, last + kSlotUs / 2);
  EXPECT_NEAR(WorkExpected(history, last + 2 * kSlotUs), going / 4, 1);
  EXPECT_LT(WorkExpected(history, last + 10 * kSlotUs), going / 50);
}

// A clean pool too small for all, and a dirty one: three weeks of jobs.
PlanInstance CleanAndDirty(uint64_t seed) {
  Random random(seed);
  PlanInstance plan;
  plan.slots = plan.priced_slots = 24 * 30;
  plan.placements = {{0, 1}};
  for (const double grams : {300.0, 60.0}) {
    PlanPool pool;
    pool.capacity = grams > 100 ? 64 : 16;
    pool.room.assign(plan.slots, pool.capacity);
    for (int k = 0; k < plan.slots; ++k) {
      pool.grams.push_back(grams * (1 + 0.4 * std::sin(k * 0.26)));
    }
    plan.pools.push_back(pool);
  }
  for (int64_t at = 0; at < 21 * 24 * kSlotUs;) {
    at +=
        static_cast<int64_t>(-std::log(1 - random.Uniform()) * 30) * kMinuteUs;
    PlanJob job;
    job.release = at;
    job.duration =
        static_cast<int64_t>(60 * std::exp(1.2 * random.Normal())) * kMinuteUs +
        kMinuteUs;
    job.duration = std::min(job.duration, 72 * kSlotUs);
    job.latest_end = at + job.duration + 12 * kSlotUs;
    job.count = 1u << random.Below(4);
    plan.jobs.push_back(job);
  }
  return plan;
}

TEST(RollingPlanTest, StaysNearTheBoundWhereACleanSiteIsSmall) {
  const PlanInstance plan = CleanAndDirty(5);
  Pricing pricing(plan);
  pricing.Ascend({.rounds = 150, .hope = 0.05});
  const LiveResult live = PlayLive(plan, {}, kSlotUs);
  EXPECT_EQ(live.late, 0);
  EXPECT_GE(live.grams, pricing.best_bound());
  EXPECT_LT(live.grams, 1.2 * pricing.best_bound());
}

// Jobs that all come at once, planned for the first time.
std::unique_ptr<RollingPlan> Crowd(const PlanInstance& plan, int jobs) {
  auto rolling = std::make_unique<RollingPlan>(
      plan.pools, plan.placements, RollingOptions(),
      [&plan](int pool, int64_t, int32_t slots, double* grams) {
        for (int32_t k = 0; k < slots; ++k) {
          grams[k] = plan.pools[pool].grams[k % plan.slots];
        }
      });
  for (int j = 0; j < jobs; ++j) {
    PlanJob job = plan.jobs[j];
    job.latest_end -= job.release;
    job.release = 0;
    rolling->Register(0, job, false);
  }
  rolling->Replan(0);
  return rolling;
}

// Replans in slices and does `between(n)` after the n-th of them.
int ReplanInSlices(RollingPlan& rolling, int64_t now, int64_t slice,
                   const std::function<void(int)>& between) {
  int slices = 0;
  rolling.BeginReplan(now);
  for (;;) {
    int64_t work = slice;
    if (rolling.AdvanceReplan(now, work)) return slices;
    between(slices++);
  }
}

TEST(RollingPlanTest, ComesToTheSamePlanHoweverItIsSliced) {
  const PlanInstance plan = CleanAndDirty(7);
  const int jobs = 300;
  const auto whole = Crowd(plan, jobs);
  whole->Replan(kMinuteUs);
  for (const int64_t slice : {1, 20'000, 1'000'000}) {
    const auto sliced = Crowd(plan, jobs);
    EXPECT_GT(ReplanInSlices(*sliced, kMinuteUs, slice, [](int) {}), 1);
    for (int j = 0; j < jobs; ++j) {
      EXPECT_EQ(sliced->entry(j).pool, whole->entry(j).pool) << j;
      EXPECT_EQ(sliced->entry(j).start, whole->entry(j).start) << j;
    }
  }
}

// While it is planned anew jobs come, start and go: the old plan stands and
// the new one knows of them.
TEST(RollingPlanTest, BringsWhatHappensMeanwhileIntoTheNewPlan) {
  const PlanInstance plan = CleanAndDirty(9);
  const int jobs = 300;
  const auto rolling = Crowd(plan, jobs);
  std::vector<uint32_t> come;
  std::set<uint32_t> started, gone;
  const int64_t now = kMinuteUs;
  ReplanInSlices(*rolling, now, 50'000, [&](int n) {
    if (n >= 40) return;
    const auto one = static_cast<uint32_t>(3 * n);
    const RollingPlan::Entry& entry = rolling->entry(one);
    ASSERT_GE(entry.pool, 0);
    rolling->Start(
        one, {entry.pool, now, now + entry.job.duration, entry.job.count});
    started.insert(one);
    rolling->Forget(now, one + 1);
    gone.insert(one + 1);
    PlanJob job = plan.jobs[jobs + n];
    job.release = now;
    job.latest_end = now + job.duration + 12 * kSlotUs;
    come.push_back(rolling->Register(now, job, false));
    gone.erase(come.back());  // its index serves again
  });
  ASSERT_EQ(come.size(), 40u);
  SlotUsage held(2, 2000);
  for (uint32_t j = 0; j < rolling->size(); ++j) {
    const RollingPlan::Entry& entry = rolling->entry(j);
    EXPECT_EQ(entry.used, !gone.contains(j)) << j;
    EXPECT_EQ(entry.running, started.contains(j)) << j;
    if (!entry.used || entry.pool < 0 || entry.running) continue;
    EXPECT_GE(entry.start, now);
    held.Add(entry.pool, entry.start, entry.end, entry.job.count);
  }
  // What waits shares the room, but for the forty that were made to run.
  const std::vector<double>& use = held.Sum();
  for (size_t p = 0; p < 2; ++p) {
    for (int k = 0; k < 2000; ++k) {
      EXPECT_LE(use[p * 2000 + k], plan.pools[p].capacity + 1e-6);
    }
  }
  // And can be planned anew again.
  rolling->Replan(now + kSlotUs);
}

}  // namespace
}  // namespace ccsched
