// Tests of step series: exact integrals against naive sums.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/step_series.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1633219200);

StepSeries Hourly(std::vector<double> values) {
  return *StepSeries::Create(kStart, absl::Hours(1), std::move(values));
}

// 2 kW from 00:30 to 02:15 over 300, 100, 500 g/kWh: 750 g.
TEST(StepSeriesTest, IntegratesPartsOfSteps) {
  const StepSeries s = Hourly({300, 100, 500});
  EXPECT_DOUBLE_EQ(
      s.IntegralHours(kStart + absl::Minutes(30), kStart + absl::Minutes(135)),
      375);
}

TEST(StepSeriesTest, AgreesWithANaiveSumOverRandomIntervals) {
  const uint64_t seed = 7;
  SCOPED_TRACE(seed);
  Random random(seed);
  std::vector<double> values(500);
  for (double& v : values) v = random.Uniform() * 800;
  const StepSeries s = Hourly(values);
  for (int i = 0; i < 300; ++i) {
    const int64_t from = random.Below(499 * 3600);
    const int64_t to = from + random.Below(500 * 3600 - from);
    double naive = 0;
    for (int64_t h = from / 3600; h <= (to - 1) / 3600 && to > from; ++h) {
      const int64_t a = std::max(from, h * 3600);
      const int64_t b = std::min(to, (h + 1) * 3600);
      naive += values[h] * (b - a) / 3600.0;
    }
    EXPECT_NEAR(s.IntegralHours(kStart + absl::Seconds(from),
                                kStart + absl::Seconds(to)),
                naive, 1e-6 * (1 + naive));
  }
}

TEST(StepSeriesTest, CoversItsHalfOpenIntervalOnly) {
  const StepSeries s = Hourly({1, 2});
  EXPECT_TRUE(s.Covers(kStart, kStart + absl::Hours(2)));
  EXPECT_FALSE(s.Covers(kStart - absl::Seconds(1), kStart));
  EXPECT_FALSE(s.Covers(kStart, kStart + absl::Seconds(7201)));
  EXPECT_EQ(s.At(kStart + absl::Hours(1)), 2);
}

TEST(StepSeriesTest, RefusesWhatIsNotANumberAndStepsThatAreNone) {
  EXPECT_FALSE(StepSeries::Create(kStart, absl::ZeroDuration(), {1}).ok());
  EXPECT_FALSE(StepSeries::Create(kStart, absl::Nanoseconds(1500), {1}).ok());
  EXPECT_FALSE(
      StepSeries::Create(kStart, absl::Hours(1), {1, std::nan("")}).ok());
  EXPECT_FALSE(StepSeries::Create(kStart, absl::Hours(1),
                                  {std::numeric_limits<double>::infinity()})
                   .ok());
}

}  // namespace
}  // namespace ccsched
