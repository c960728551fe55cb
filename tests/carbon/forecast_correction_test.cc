// What is learnt from how forecasts turned out.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecast_correction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'630'454'400);  // 00:00 UTC

StepSeries Hourly(int hours, const std::function<double(int)>& value) {
  std::vector<double> values;
  for (int i = 0; i < hours; ++i) values.push_back(value(i));
  return *StepSeries::Create(kStart, absl::Hours(1), std::move(values));
}
absl::Time H(int hours) { return kStart + absl::Hours(hours); }

double Day(int hour) { return 300 - 100 * std::cos(hour * M_PI / 12); }

TEST(ForecastCorrectionTest, TakesAwayTheUsualErrorOfEachHour) {
  // The source is a quarter too low, and misses the evenings.
  const StepSeries actuals = Hourly(480, Day);
  const Forecast issued(H(0), Hourly(360, [](int i) {
                          return Day(i) / (i % 24 > 17 ? 1.5 : 1.25);
                        }));
  const auto corrected = CorrectForecast(issued, actuals, H(336));
  ASSERT_TRUE(corrected.has_value());
  for (int i = 336; i < 360; ++i) {
    EXPECT_NEAR(corrected->At(H(i)).value() / Day(i), 1, 0.03) << i;
  }
}

TEST(ForecastCorrectionTest, LooksAtNothingThatIsNotOver) {
  const Forecast issued(H(0), Hourly(360, Day));
  const auto with = CorrectForecast(
      issued, Hourly(480, [](int i) { return i < 336 ? Day(i) : 9999; }),
      H(336) + absl::Minutes(59));
  const auto without = CorrectForecast(issued, Hourly(336, Day), H(336));
  ASSERT_TRUE(with.has_value() && without.has_value());
  EXPECT_EQ(with->series().values(), without->series().values());
}

TEST(ForecastCorrectionTest, LetsTheLastErrorFadeAsErrorsHaveFaded) {
  Random random(3);
  double e = 0;
  std::vector<double> errors;
  for (int i = 0; i < 337; ++i) {
    e = 0.9 * e + 0.05 * random.Normal();
    errors.push_back(e);
  }
  errors[336] = errors[335] = 0.4;
  const StepSeries actuals =
      Hourly(337, [&](int i) { return 300 * std::exp(errors[i]); });
  const Forecast issued(H(0), Hourly(361, [](int) { return 300.0; }));
  const auto corrected = CorrectForecast(issued, actuals, H(337));
  ASSERT_TRUE(corrected.has_value());
  const double next = std::log(corrected->At(H(337)).value() / 300);
  const double later = std::log(corrected->At(H(357)).value() / 300);
  EXPECT_GT(next, 0.2);
  EXPECT_LT(next, 0.45);
  EXPECT_LT(std::abs(later), 0.15);
}

TEST(ForecastCorrectionTest, GoesOverIntoTheUsualDayBeyondItsEnd) {
  // Today is to be half of what days usually are.
  const StepSeries actuals = Hourly(336, Day);
  const Forecast issued(
      H(0), Hourly(360, [](int i) { return i < 336 ? Day(i) : Day(i) / 2; }));
  const auto corrected = CorrectForecast(issued, actuals, H(336));
  ASSERT_TRUE(corrected.has_value());
  EXPECT_NEAR(corrected->At(H(340)).value() / Day(340), 0.5, 1e-6);
  double before = 0.5;
  for (int day = 1; day <= 7; ++day) {
    const int i = 340 + 24 * day;
    const double share = corrected->At(H(i)).value() / Day(i);
    EXPECT_GT(share, before);
    before = share;
  }
  EXPECT_GT(before, 0.97);
  EXPECT_LT(before, 1);
}

TEST(ForecastCorrectionTest, SaysNothingOfAFewDays) {
  const StepSeries actuals = Hourly(60, Day);
  const Forecast issued(H(0), Hourly(84, Day));
  EXPECT_FALSE(CorrectForecast(issued, actuals, H(60)).has_value());
  EXPECT_FALSE(CorrectForecast(issued, StepSeries(), H(60)).has_value());
}

}  // namespace
}  // namespace ccsched
