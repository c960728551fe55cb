// The band holds what it promises, by lead, and follows errors that grow.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/error_band.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

// Forecasts of every hour at four leads, with errors uniform in ± width.
class Forecasts {
 public:
  // Returns the share of this day's errors that fell within their band.
  double Day(double width) {
    int inside = 0, all = 0;
    for (int hour = 0; hour < 24; ++hour) {
      for (const int64_t lead : {12, 36, 60, 84}) {
        const auto band = band_.At(lead, hour);
        const double error = width * (2 * random_.Uniform() - 1);
        if (band) {
          ++all;
          inside += error >= band->low && error <= band->high;
        }
        band_.Add(lead, hour, error, band);
      }
      // Of the hour just ahead little is missed.
      band_.Add(0, hour, width / 4 * (2 * random_.Uniform() - 1), {});
    }
    return all == 0 ? std::nan("") : static_cast<double>(inside) / all;
  }
  double Days(int days, double width) {
    double sum = 0;
    for (int day = 0; day < days; ++day) sum += Day(width);
    return sum / days;
  }
  const ErrorBand& band() const { return band_; }

 private:
  Random random_{11};
  ErrorBand band_;
};

TEST(ErrorBandTest, KnowsNothingUntilTwoWeeksHaveCome) {
  Forecasts forecasts;
  for (int day = 0; day < 13; ++day) forecasts.Day(1);
  EXPECT_FALSE(forecasts.band().At(12, 5));
  forecasts.Day(1);
  EXPECT_TRUE(forecasts.band().At(12, 5));
}

TEST(ErrorBandTest, EightOfTenFallWithin) {
  Forecasts forecasts;
  for (int day = 0; day < 30; ++day) forecasts.Day(1);
  EXPECT_NEAR(forecasts.Days(300, 1), .8, .01);
}

// Half a percent more each day: quantiles of the last 60 days alone would be
// too narrow day after day.
TEST(ErrorBandTest, FollowsErrorsThatGrow) {
  Forecasts forecasts;
  double sum = 0;
  for (int day = 0; day < 600; ++day) {
    const double share = forecasts.Day(std::pow(1.005, day));
    if (day >= 300) sum += share / 300;
  }
  EXPECT_NEAR(sum, .8, .015);
}

TEST(ErrorBandTest, IsNarrowerWhereLittleIsMissed) {
  Forecasts forecasts;
  for (int day = 0; day < 60; ++day) forecasts.Day(1);
  const auto near = forecasts.band().At(0, 7), far = forecasts.band().At(12, 7);
  ASSERT_TRUE(near && far);
  EXPECT_NEAR((near->high - near->low) / (far->high - far->low), .25, .05);
}

}  // namespace
}  // namespace ccsched
