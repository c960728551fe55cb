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

// What the jobs of random instances are like.
struct Family {
  Kind kind = Kind::kRigid;
  double checkpoint = 0, restart = 0;  // hours, of those that pause or resize
  bool elastic_pauses = false;
  double exponent = 1;  // of elastic jobs
  uint64_t seeds = 10;  // so many instances
};

ExactJob RandomJob(Random& random, const Family& family, Kind kind) {
  ExactJob job;
  job.release = static_cast<int>(random.Below(6));
  job.duration = 1 + static_cast<int>(random.Below(4));
  const int slack = 3 + static_cast<int>(random.Below(4));
  job.latest_end = job.release + job.duration + slack;
  job.count = 1 + static_cast<int>(random.Below(2));
  if (kind == Kind::kRigid) return job;
  job.checkpoint = family.checkpoint;
  job.restart = family.restart;
  job.suspendable = kind == Kind::kSuspendable || family.elastic_pauses;
  if (kind == Kind::kElastic) {
    job.most = 2 * job.count;
    job.exponent = family.exponent;
    // Elastic programs take Cbc by far the longest.
    job.latest_end -= slack - 2;
  }
  return job;
}

ExactInstance RandomInstance(uint64_t seed, const Family& family) {
  Random random(seed);
  ExactInstance instance;
  const bool elastic = family.kind == Kind::kElastic;
  for (int p = 0; p < (elastic ? 2 : 3); ++p) {
    instance.capacity.push_back(2 + static_cast<int>(random.Below(2)));
    instance.grams.emplace_back();
    for (int k = 0; k < kHours; ++k) {
      instance.grams.back().push_back(50 + 400 * random.Uniform());
    }
  }
  for (int j = 0; j < (elastic ? 3 : 7); ++j) {
    const Kind kind =
        family.kind == Kind::kMixed ? static_cast<Kind>(j % 3) : family.kind;
    instance.jobs.push_back(RandomJob(random, family, kind));
  }
  return instance;
}

// Owns what a BoundInstance points to.
struct Bounded {
  std::vector<std::unique_ptr<Forecast>> intensities;
  std::vector<std::unique_ptr<Speedup>> speedups;
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
    if (job.most > 0) {
      b.least = static_cast<uint32_t>(job.least);
      b.most = static_cast<uint32_t>(job.most);
      bounded.speedups.push_back(
          std::make_unique<Speedup>(*Speedup::Power(job.exponent)));
      b.speedup = bounded.speedups.back().get();
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
Tightness MeanTightness(const Family& family) {
  Tightness sum;
  int cases = 0;
  for (uint64_t seed = 1; seed <= family.seeds; ++seed) {
    const ExactInstance exact = RandomInstance(seed, family);
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
  EXPECT_GT(cases, static_cast<int>(family.seeds) / 2);
  return {sum.optimum / cases, sum.relaxation / cases};
}

// With jobs that choose one of their starts, the best prices attain the linear
// relaxation: no bound of this kind is higher.
TEST(BoundTest, IsTheLinearRelaxationOfRigidJobs) {
  const Tightness tightness = MeanTightness({.kind = Kind::kRigid});
  EXPECT_GT(tightness.optimum, 0.95);
  EXPECT_NEAR(tightness.relaxation, 1, 2e-3);
}

// So do those of jobs in parts, whose work is relaxed as well.
void ExpectTight(const Family& family, double optimum) {
  const Tightness tightness = MeanTightness(family);
  EXPECT_GT(tightness.optimum, optimum);
  EXPECT_NEAR(tightness.relaxation, 1, 0.02);
}

TEST(BoundTest, IsBelowTheOptimumOfSuspendableJobsAndClose) {
  ExpectTight({.kind = Kind::kSuspendable}, 0.97);
}

// A plan with a pause and one without are not mixed, as the relaxation does it.
TEST(BoundTest, IsBelowTheOptimumWithOverheadsAndAboveTheRelaxation) {
  const Tightness tightness =
      MeanTightness({.kind = Kind::kSuspendable, .checkpoint = 1});
  EXPECT_GT(tightness.optimum, 0.98);
  EXPECT_GT(tightness.relaxation, 1.05);
}

// Elastic jobs in the small are far from their relaxation: few accelerators,
// whole hours.
TEST(BoundTest, IsBelowTheOptimumOfElasticJobs) {
  ExpectTight({.kind = Kind::kElastic, .seeds = 4}, 0.7);
}

constexpr Family kElasticWithOverheads = {
    .kind = Kind::kElastic, .checkpoint = 0.25, .restart = 0.25, .seeds = 4};

TEST(BoundTest, IsBelowTheOptimumOfElasticJobsThatPayForOtherWidths) {
  ExpectTight(kElasticWithOverheads, 0.7);
}

TEST(BoundTest, IsBelowTheOptimumOfElasticJobsThatPayForPauses) {
  Family family = kElasticWithOverheads;
  family.elastic_pauses = true;
  ExpectTight(family, 0.7);
}

TEST(BoundTest, IsBelowTheOptimumOfElasticJobsThatGainLittleByWidth) {
  Family family = kElasticWithOverheads;
  family.exponent = 0.6;
  ExpectTight(family, 0.7);
  family.elastic_pauses = true;
  ExpectTight(family, 0.7);
}

// Two accelerators for two clean hours and a dirty one between do four hours of
// work but for what a pause, the least width or another width costs there. What
// is asserted are mixtures of the plans named, as many as do the work.
TEST(BoundTest, CountsPausesWidthsAndChangesOfThem) {
  Forecast grid(kStart,
                *StepSeries::Create(kStart, absl::Hours(1), {100, 1000, 100}));
  BoundInstance instance;
  instance.pools.push_back({Watts(1000), kUnlimited, &grid});
  BoundJob job;
  job.release = kStart;
  job.runtime = absl::Hours(4);
  job.latest_end = kStart + absl::Hours(3);
  job.least = 1;
  job.most = 2;
  job.pools = {0};
  const auto bound = [&](bool pauses, double overhead_h) {
    job.suspendable = pauses;
    job.checkpoint = job.restart = absl::Hours(overhead_h);
    instance.jobs = {job};
    return CarbonBound(instance, {})->carbon.value();
  };
  // Both clean hours.
  EXPECT_NEAR(bound(true, 0), 400, 1e-3);
  // The same, which does three hours of work, and all hours, which do six.
  EXPECT_NEAR(bound(true, 0.25), 400 + 2000.0 / 3, 1e-3);
  // The first hour alone, and all of them, the dirty one on one accelerator.
  EXPECT_NEAR(bound(false, 0), 200 + 1200 * 2.0 / 3, 1e-3);
  // The first hour alone, and all of them on two.
  EXPECT_NEAR(bound(false, 0.25), 200 + 2200 / 2.0, 1e-3);
  job.least = job.count = 2;
  job.runtime = absl::Hours(2);
  EXPECT_NEAR(bound(false, 0), 200 + 2200 / 2.0, 1e-3);
}

TEST(BoundTest, IsBelowTheOptimumOfAllKindsTogether) {
  ExpectTight({.kind = Kind::kMixed, .checkpoint = 1, .seeds = 6}, 0.85);
}

TEST(BoundTest, IsExactWithoutLimits) {
  ExactInstance exact = RandomInstance(3, {});
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
