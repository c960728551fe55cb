// The certified bound against the exact optimum of small instances.
// SPDX-License-Identifier: Apache-2.0
#include "sim/bound.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "scheduler/base/random.h"
#include "tests/sim/bound/exact.h"

namespace ccsched {
namespace {

constexpr int kHours = 20;

const absl::Time kStart = absl::FromUnixSeconds(1633219200);

enum class Kind { kRigid, kSuspendable, kElastic, kMixed };

ExactInstance RandomInstance(uint64_t seed, Kind kind, int overhead) {
  Random random(seed);
  ExactInstance instance;
  for (int p = 0; p < 3; ++p) {
    instance.capacity.push_back(2 + static_cast<int>(random.Below(2)));
    instance.grams.emplace_back();
    for (int k = 0; k < kHours; ++k) {
      instance.grams.back().push_back(50 + 400 * random.Uniform());
    }
  }
  for (int j = 0; j < (kind == Kind::kElastic ? 5 : 7); ++j) {
    ExactJob job;
    job.release = static_cast<int>(random.Below(6));
    job.duration = 1 + static_cast<int>(random.Below(4));
    job.latest_end =
        job.release + job.duration + 3 + static_cast<int>(random.Below(4));
    job.count = 1 + static_cast<int>(random.Below(2));
    Kind own = kind;
    if (kind == Kind::kMixed) own = static_cast<Kind>(j % 3);
    if (own == Kind::kElastic) {
      job.max_count = 2 * job.count;
    } else if (own == Kind::kSuspendable) {
      job.suspendable = true;
      job.checkpoint = overhead;
    }
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
    if (job.max_count > 0) {
      b.max_count = static_cast<uint32_t>(job.max_count);
    }
    for (size_t p = 0; p < exact.capacity.size(); ++p) {
      b.pools.push_back(static_cast<uint16_t>(p));
    }
    b.suspendable = job.suspendable;
    b.checkpoint = absl::Hours(job.checkpoint);
    b.restart = absl::Hours(job.restart);
    bounded.instance.jobs.push_back(b);
  }
  return bounded;
}

struct Tightness {
  double optimum = 0;     // mean of bound / optimum
  double relaxation = 0;  // mean of bound / optimum of the linear relaxation
};

// Over seeds; fails where a bound is above the optimum.
Tightness MeanTightness(Kind kind, int overhead) {
  Tightness sum;
  int cases = 0;
  // Elastic programs take Cbc by far the longest.
  const uint64_t seeds = kind == Kind::kElastic ? 4 : 10;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const ExactInstance exact = RandomInstance(seed, kind, overhead);
    const std::optional<double> optimum = ExactOptimum(exact);
    if (!optimum) continue;
    const Bounded bounded = ToBound(exact);
    const auto bound =
        CarbonBound(bounded.instance, {.max_rounds = 600, .patience = 600});
    EXPECT_TRUE(bound.ok()) << bound.status();
    if (!bound.ok()) return {};
    EXPECT_LE(bound->carbon.value(), *optimum * (1 + 1e-6)) << "seed " << seed;
    sum.optimum += bound->carbon.value() / *optimum;
    sum.relaxation += bound->carbon.value() / *ExactRelaxation(exact);
    ++cases;
  }
  EXPECT_GT(cases, static_cast<int>(seeds) / 2);
  return {sum.optimum / cases, sum.relaxation / cases};
}

// With jobs that choose one of their starts, the best prices attain the linear
// relaxation: no bound of this kind is higher.
TEST(BoundTest, IsTheLinearRelaxationOfRigidJobs) {
  const Tightness tightness = MeanTightness(Kind::kRigid, 0);
  EXPECT_GT(tightness.optimum, 0.95);
  EXPECT_NEAR(tightness.relaxation, 1, 2e-3);
}

TEST(BoundTest, IsBelowTheOptimumOfSuspendableJobsAndClose) {
  EXPECT_GT(MeanTightness(Kind::kSuspendable, 0).optimum, 0.97);
}

TEST(BoundTest, IsBelowTheOptimumWithOverheadsAndClose) {
  EXPECT_GT(MeanTightness(Kind::kSuspendable, 1).optimum, 0.9);
}

TEST(BoundTest, IsBelowTheOptimumOfElasticJobs) {
  EXPECT_GT(MeanTightness(Kind::kElastic, 0).optimum, 0.8);
}

TEST(BoundTest, IsBelowTheOptimumOfAllKindsTogether) {
  EXPECT_GT(MeanTightness(Kind::kMixed, 1).optimum, 0.85);
}

TEST(BoundTest, IsExactWithoutLimits) {
  ExactInstance exact = RandomInstance(3, Kind::kRigid, 0);
  exact.capacity = {100, 100, 100};
  Bounded bounded = ToBound(exact);
  for (BoundPool& pool : bounded.instance.pools) pool.capacity = kUnlimited;
  const auto bound = CarbonBound(bounded.instance, {});
  ASSERT_TRUE(bound.ok());
  EXPECT_NEAR(bound->carbon.value(), ExactOptimum(exact).value(), 1e-3);
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
