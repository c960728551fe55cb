// The thorough search on small cases.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/iterated_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "policies/planner/pricing.h"
#include "scheduler/base/random.h"
#include "tests/policies/planner/grams.h"

namespace ccsched {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;

PlanPool Pool(double capacity, std::vector<double> grams) {
  PlanPool pool;
  pool.capacity = capacity;
  pool.room.assign(grams.size(), capacity);
  pool.grams = std::move(grams);
  return pool;
}

// Two pools of changing carbon, and jobs that hardly fit into the better one.
PlanInstance RandomInstance(uint64_t seed) {
  constexpr int kSlots = 60;
  constexpr int kJobs = 120;
  Random random(seed);
  PlanInstance plan;
  plan.slots = plan.priced_slots = kSlots;
  plan.placements = {{0, 1}, {1}};
  for (int p = 0; p < 2; ++p) {
    std::vector<double> grams;
    grams.reserve(kSlots);
    for (int k = 0; k < kSlots; ++k) {
      grams.push_back(20 + 100 * p + 100 * random.Uniform());
    }
    plan.pools.push_back(Pool(8 + 100 * p, std::move(grams)));
  }
  plan.jobs.reserve(kJobs);
  for (int j = 0; j < kJobs; ++j) {
    PlanJob job;
    job.release = static_cast<int64_t>(random.Below(1500)) * kMinuteUs;
    job.duration = (5 + static_cast<int64_t>(random.Below(600))) * kMinuteUs;
    job.latest_end = job.release + job.duration + 12 * kSlotUs;
    job.count = 1 + static_cast<uint32_t>(random.Below(4));
    job.pools = random.Below(10) == 0 ? 1 : 0;
    plan.jobs.push_back(job);
  }
  std::stable_sort(
      plan.jobs.begin(), plan.jobs.end(),
      [](const PlanJob& a, const PlanJob& b) { return a.release < b.release; });
  return plan;
}

// A plan, and the prices under which it was made.
struct Lab {
  explicit Lab(uint64_t seed)
      : plan(RandomInstance(seed)), carbon(plan), priced(plan), schedule(plan) {
    Pricing pricing(plan);
    pricing.Ascend({.rounds = 200});
    bound = pricing.best_bound();
    for (int p = 0; p < 2; ++p) {
      priced.SetPrices(plan, p, &pricing.best_prices()[p * plan.slots]);
    }
    movable.reserve(plan.jobs.size());
    for (uint32_t j = 0; j < plan.jobs.size(); ++j) {
      EXPECT_TRUE(schedule.PutCheapest(priced, j)) << "seed " << seed;
      if (j % 10 != 0) movable.push_back(j);
    }
  }
  PlanInstance plan;
  PriceTable carbon;
  PriceTable priced;
  Schedule schedule;
  double bound = 0;
  std::vector<uint32_t> movable;  // nine of ten
};

TEST(IteratedSearchTest, NoRoundMakesThePlanDearerOrBreaksIt) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Lab lab(seed);
    const Schedule first = lab.schedule;
    IteratedSearch search(lab.plan, lab.carbon, lab.priced, lab.movable, seed,
                          lab.schedule);
    const double before = Grams(lab.plan, lab.schedule);
    double all = 0;
    for (int round = 0; round < 500; ++round) {
      const double gained = search.Round();
      ASSERT_GE(gained, 0) << "seed " << seed << " round " << round;
      all += gained;
      ASSERT_LE(lab.schedule.timeline(0).Peak(0, lab.plan.end()), 8)
          << "seed " << seed << " round " << round;
    }
    const double after = Grams(lab.plan, lab.schedule);
    EXPECT_GT(all, 0) << "seed " << seed;
    EXPECT_NEAR(before - after, all, 1e-6 * before) << "seed " << seed;
    EXPECT_GE(after, lab.bound * (1 - 1e-9)) << "seed " << seed;
    for (size_t j = 0; j < lab.plan.jobs.size(); ++j) {
      const PlanJob& job = lab.plan.jobs[j];
      const Schedule::Place& place = lab.schedule.place(j);
      EXPECT_TRUE(job.pools == 0 || place.pool == 1) << "job " << j;
      EXPECT_GE(place.start, job.release) << "job " << j;
      EXPECT_LE(place.start, job.latest_start()) << "job " << j;
      if (j % 10 != 0) continue;
      EXPECT_EQ(place.pool, first.place(j).pool) << "job " << j;
      EXPECT_EQ(place.start, first.place(j).start) << "job " << j;
    }
  }
}

TEST(IteratedSearchTest, TheSameSeedGivesTheSamePlan) {
  Lab one(3);
  Lab other(3);
  for (Lab* lab : {&one, &other}) {
    IteratedSearch search(lab->plan, lab->carbon, lab->priced, lab->movable, 7,
                          lab->schedule);
    for (int round = 0; round < 200; ++round) search.Round();
  }
  for (size_t j = 0; j < one.plan.jobs.size(); ++j) {
    EXPECT_EQ(one.schedule.place(j).pool, other.schedule.place(j).pool);
    EXPECT_EQ(one.schedule.place(j).start, other.schedule.place(j).start);
  }
}

// To take them out one would have to draw all sixty, and none else.
TEST(IteratedSearchTest, GetsALongJobInWhereManyShortOnesAreInItsWay) {
  constexpr int kHours = 60;
  PlanInstance plan;
  plan.slots = plan.priced_slots = kHours + 1;
  plan.placements = {{0, 1}, {0, 2}};
  plan.pools = {Pool(1, std::vector<double>(plan.slots, 10)),
                Pool(1, std::vector<double>(plan.slots, 30)),
                Pool(1, std::vector<double>(plan.slots, 11))};
  Schedule schedule(plan);
  std::vector<uint32_t> movable;
  plan.jobs.reserve(kHours + 1);
  movable.reserve(kHours + 1);
  for (int j = 0; j <= kHours; ++j) {
    PlanJob job;
    job.release = std::max(0, j - 1) * kSlotUs;
    job.duration = (j == 0 ? kHours : 1) * kSlotUs;
    job.latest_end = job.release + job.duration;
    job.pools = j == 0 ? 0 : 1;
    plan.jobs.push_back(job);
    movable.push_back(static_cast<uint32_t>(j));
  }
  schedule.Grow();
  schedule.Put(0, 1, 0);
  for (int j = 1; j <= kHours; ++j) schedule.Put(j, 0, plan.jobs[j].release);
  const PriceTable carbon(plan);
  ASSERT_NEAR(Grams(plan, schedule), kHours * (30 + 10), 1e-6);
  IteratedSearch search(plan, carbon, carbon, movable, 1, schedule);
  for (int round = 0; round < 100; ++round) search.Round();
  EXPECT_NEAR(Grams(plan, schedule), kHours * (10 + 11), 1e-6);
}

}  // namespace
}  // namespace ccsched
