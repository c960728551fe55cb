// The certified bound against the exact optimum of small instances.
// SPDX-License-Identifier: Apache-2.0
#include "sim/bound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "scheduler/base/random.h"
#include "tests/sim/bound/exact.h"

namespace ccsched {
namespace {

constexpr int kHours = 14;

const absl::Time kStart = absl::FromUnixSeconds(1633219200);

ExactInstance RandomInstance(uint64_t seed, bool suspendable, int overhead) {
  Random random(seed);
  ExactInstance instance;
  for (int p = 0; p < 2; ++p) {
    instance.capacity.push_back(2 + static_cast<int>(random.Below(2)));
    instance.grams.emplace_back();
    for (int k = 0; k < kHours; ++k) {
      instance.grams.back().push_back(50 + 400 * random.Uniform());
    }
  }
  for (int j = 0; j < 4; ++j) {
    ExactJob job;
    job.release = static_cast<int>(random.Below(4));
    job.duration = 1 + static_cast<int>(random.Below(3));
    job.latest_end =
        job.release + job.duration + 2 + static_cast<int>(random.Below(3));
    job.count = 1 + static_cast<int>(random.Below(2));
    job.suspendable = suspendable;
    job.checkpoint = overhead;
    job.restart = 0;
    instance.jobs.push_back(job);
  }
  return instance;
}

// Owns what a BoundInstance points to.
struct Bounded {
  std::vector<std::unique_ptr<Forecast>> intensities;
  BoundInstance instance;
};

Bounded ToBound(const ExactInstance& exact) {
  Bounded bounded;
  for (size_t p = 0; p < exact.capacity.size(); ++p) {
    bounded.intensities.push_back(std::make_unique<Forecast>(
        kStart, *StepSeries::Create(kStart, absl::Hours(1), exact.grams[p])));
    bounded.instance.pools.push_back(
        {.grid_power = Watts(1000),
         .capacity = static_cast<uint32_t>(exact.capacity[p]),
         .intensity = bounded.intensities.back().get()});
  }
  for (const ExactJob& job : exact.jobs) {
    BoundJob b;
    b.release = kStart + absl::Hours(job.release);
    b.runtime = absl::Hours(job.duration);
    b.latest_end = kStart + absl::Hours(job.latest_end);
    b.count = static_cast<uint32_t>(job.count);
    b.pools = {0, 1};
    b.suspendable = job.suspendable;
    b.checkpoint = absl::Hours(job.checkpoint);
    b.restart = absl::Hours(job.restart);
    bounded.instance.jobs.push_back(b);
  }
  return bounded;
}

// The mean of bound / optimum over seeds; fails where a bound is above.
double MeanTightness(bool suspendable, int overhead) {
  double sum = 0;
  int cases = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const ExactInstance exact = RandomInstance(seed, suspendable, overhead);
    const double optimum = ExactOptimum(exact);
    if (!std::isfinite(optimum)) continue;
    const Bounded bounded = ToBound(exact);
    const auto bound =
        CarbonBound(bounded.instance, {.max_rounds = 600, .patience = 600});
    EXPECT_TRUE(bound.ok()) << bound.status();
    if (!bound.ok()) return 0;
    EXPECT_LE(bound->carbon.value(), optimum * (1 + 1e-9)) << "seed " << seed;
    sum += bound->carbon.value() / optimum;
    ++cases;
  }
  EXPECT_GT(cases, 20);
  return sum / cases;
}

TEST(BoundTest, IsBelowTheOptimumOfRigidJobsAndClose) {
  EXPECT_GT(MeanTightness(false, 0), 0.96);
}

TEST(BoundTest, IsBelowTheOptimumOfSuspendableJobsAndClose) {
  EXPECT_GT(MeanTightness(true, 0), 0.97);
}

TEST(BoundTest, IsBelowTheOptimumWithOverheadsAndClose) {
  EXPECT_GT(MeanTightness(true, 1), 0.93);
}

TEST(BoundTest, IsExactWithoutLimits) {
  ExactInstance exact = RandomInstance(3, false, 0);
  exact.capacity = {100, 100};
  Bounded bounded = ToBound(exact);
  for (BoundPool& pool : bounded.instance.pools) pool.capacity = kUnlimited;
  const auto bound = CarbonBound(bounded.instance, {});
  ASSERT_TRUE(bound.ok());
  EXPECT_NEAR(bound->carbon.value(), ExactOptimum(exact), 1e-3);
}

TEST(BoundTest, HoldsForStartsWithinAnHour) {
  // A job of 90 minutes whose best start is half past one.
  Forecast grid(kStart, *StepSeries::Create(kStart, absl::Hours(1),
                                            {300, 200, 100, 400}));
  BoundInstance instance;
  instance.pools.push_back({Watts(1000), 1, &grid});
  BoundJob job;
  job.release = kStart;
  job.runtime = absl::Minutes(90);
  job.latest_end = kStart + absl::Hours(4);
  job.pools = {0};
  instance.jobs.push_back(job);
  const auto bound = CarbonBound(instance, {});
  ASSERT_TRUE(bound.ok());
  EXPECT_NEAR(bound->carbon.value(), 100 + 100, 1e-6);
}

TEST(BoundTest, RefusesWhatCantBe) {
  Forecast grid(kStart,
                *StepSeries::Create(kStart, absl::Hours(1), {300, 200}));
  BoundInstance instance;
  instance.pools.push_back({Watts(1000), 1, &grid});
  BoundJob job;
  job.release = kStart;
  job.runtime = absl::Hours(2);
  job.latest_end = kStart + absl::Hours(1);
  job.pools = {0};
  instance.jobs = {job};
  EXPECT_EQ(CarbonBound(instance, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  instance.jobs[0].latest_end = kStart + absl::Hours(2);
  instance.jobs[0].pools = {1};
  EXPECT_EQ(CarbonBound(instance, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ccsched
