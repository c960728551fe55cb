// The planner's memory of demand, and plans kept live, on made-up jobs.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "policies/planner/demand.h"
#include "policies/planner/pricing.h"
#include "policies/planner/rolling_plan.h"
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
    job.count = job.max_count = 1u << random.Below(4);
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

}  // namespace
}  // namespace ccsched
