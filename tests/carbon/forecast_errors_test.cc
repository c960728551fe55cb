// Bands learnt from what forecasts were off by.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecast_errors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'609'459'200);

absl::Time Hour(int h) { return kStart + absl::Hours(h); }
StepSeries Series(int from, std::vector<double> values) {
  return *StepSeries::Create(Hour(from), absl::Hours(1), std::move(values));
}

TEST(ForecastErrorsTest, KnowsNothingUntilEnoughHasCome) {
  ForecastErrors errors;
  EXPECT_FALSE(errors.At(absl::Hours(1)));
  errors.Issued(Forecast(Hour(0), Series(0, std::vector<double>(24, 100))));
  errors.Settle(Series(0, std::vector<double>(24, 90)), Hour(24));
  EXPECT_FALSE(errors.At(absl::Hours(1))) << "three values say nothing";
}

// Forecast 100; what comes is spread over 80 to 120 on the first day and over
// 60 to 140 on the second.
TEST(ForecastErrorsTest, TheBandHoldsEightOfTenAndWidensWithTheLead) {
  ForecastErrors errors;
  Random random(7);
  int inside = 0, all = 0;
  for (int day = 0; day < 200; ++day) {
    const int now = day * 48;
    std::vector<double> actual;
    for (int h = 0; h < 48; ++h) {
      const double width = h < 24 ? 20 : 40;
      actual.push_back(100 + width * (2 * random.Uniform() - 1));
      const auto band = errors.At(absl::Hours(h));
      if (day < 100 || !band) continue;
      ++all;
      inside += actual[h] >= band->p10 * 100 && actual[h] <= band->p90 * 100;
    }
    errors.Issued(
        Forecast(Hour(now), Series(now, std::vector<double>(48, 100))));
    errors.Settle(Series(now, actual), Hour(now + 48));
  }
  EXPECT_NEAR(inside / static_cast<double>(all), .8, .03);
  EXPECT_LT(errors.At(absl::Hours(30))->p10, errors.At(absl::Hours(20))->p10);
  EXPECT_GT(errors.At(absl::Hours(30))->p90, errors.At(absl::Hours(20))->p90);
  EXPECT_EQ(errors.At(absl::Hours(200))->p90, errors.At(absl::Hours(40))->p90)
      << "of longer leads nothing is known";
}

// Of one forecast 24 values lie a day to two ahead; 48 are needed.
TEST(ForecastErrorsTest, ComparesNoHourThatHasNotEndedAndNoneTwice) {
  ForecastErrors errors;
  const StepSeries actual = Series(0, std::vector<double>(200, 150));
  errors.Issued(Forecast(Hour(0), Series(0, std::vector<double>(96, 100))));
  for (int h = 0; h <= 40; ++h) errors.Settle(actual, Hour(h));
  EXPECT_FALSE(errors.At(absl::Hours(40))) << "16 values, each seen once";
  errors.Issued(Forecast(Hour(48), Series(48, std::vector<double>(96, 100))));
  errors.Settle(actual, Hour(48 + 47) + absl::Minutes(59));
  EXPECT_FALSE(errors.At(absl::Hours(40))) << "the last hour has not ended";
  errors.Settle(actual, Hour(48 + 48));
  ASSERT_TRUE(errors.At(absl::Hours(40)));
  EXPECT_DOUBLE_EQ(errors.At(absl::Hours(40))->p10, 1.5);
}

}  // namespace
}  // namespace ccsched
