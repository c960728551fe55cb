// What every forecaster keeps to, and what each of them does.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecaster.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "gtest/gtest.h"
#include "scheduler/carbon/synthetic_grid.h"

namespace ccsched {
namespace {

const absl::Time kStart =
    absl::FromCivil(absl::CivilYear(2023), absl::UTCTimeZone());
absl::Time Hour(int64_t h) { return kStart + absl::Hours(h); }

StepSeries Grid(const char* profile, int hours, uint64_t seed = 1) {
  return SyntheticGrid(*FindGridProfile(profile), kStart, hours, seed);
}
StepSeries First(const StepSeries& s, int64_t count) {
  return *StepSeries::Create(
      s.start(), s.step(),
      std::vector<double>(s.values().begin(), s.values().begin() + count));
}
std::vector<double> Values(const std::optional<IssuedForecast>& f) {
  return f->forecast.series().values();
}

class EveryForecaster : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Forecaster> Make() { return *MakeForecaster(GetParam()); }
};

TEST_P(EveryForecaster, DoesNotSeeTheFuture) {
  const StepSeries all = Grid("wind", 24 * 60);
  StepSeries changed = First(all, 24 * 50);
  std::vector<double> values = changed.values();
  values.insert(values.end(), 24 * 10, 1e6);
  changed = *StepSeries::Create(kStart, absl::Hours(1), values);
  for (const int hour : {24 * 50, 24 * 50 - 7, 24 * 30 + 5}) {
    const auto a = Make()->Issue(all, Hour(hour), absl::Hours(96));
    const auto b = Make()->Issue(changed, Hour(hour), absl::Hours(96));
    const auto c = Make()->Issue(First(all, hour), Hour(hour), absl::Hours(96));
    EXPECT_EQ(Values(a), Values(b)) << hour;
    EXPECT_EQ(Values(a), Values(c)) << hour;
  }
}

TEST_P(EveryForecaster, LearningByTheHourIsLearningAtOnce) {
  const StepSeries all = Grid("solar", 24 * 45);
  const auto by_hour = Make();
  std::optional<IssuedForecast> last;
  for (int h = 1; h <= 24 * 45; ++h) {
    last = by_hour->Issue(First(all, h), Hour(h), absl::Hours(48));
  }
  const auto at_once = Make()->Issue(all, Hour(24 * 45), absl::Hours(48));
  EXPECT_EQ(Values(last), Values(at_once));
}

TEST_P(EveryForecaster, StartsWithTheStepOfNowAndCoversTheHorizon) {
  const StepSeries all = Grid("solar", 24 * 40);
  const absl::Time now = Hour(24 * 39) + absl::Minutes(20);
  const auto f = Make()->Issue(all, now, absl::Hours(30));
  EXPECT_EQ(f->forecast.issued(), now);
  EXPECT_EQ(f->forecast.series().start(), Hour(24 * 39));
  EXPECT_EQ(f->forecast.series().end(), Hour(24 * 39 + 30));
}

TEST_P(EveryForecaster, ADayThatRepeatsIsForecastAsItIs) {
  std::vector<double> values;
  for (int h = 0; h < 24 * 60; ++h) {
    values.push_back(300 + 100 * std::sin(h % 24 / 24.0 * 6.28));
  }
  const auto s = *StepSeries::Create(kStart, absl::Hours(1), values);
  const auto f = Make()->Issue(s, Hour(24 * 50), absl::Hours(96));
  for (int h = 0; h < 96; ++h) {
    EXPECT_NEAR(Values(f)[h], values[24 * 50 + h], 1e-6);
  }
}

TEST_P(EveryForecaster, ServesFromTheFirstHourOn) {
  const StepSeries all = Grid("clean", 24 * 30);
  const auto forecaster = Make();
  EXPECT_FALSE(forecaster->Issue(all, Hour(0), absl::Hours(24)));
  for (int h = 1; h < 24 * 30; ++h) {
    const auto f = forecaster->Issue(all, Hour(h), absl::Hours(24));
    ASSERT_TRUE(f.has_value()) << h;
    for (const double v : Values(f)) {
      EXPECT_GT(v, 0) << h;
      EXPECT_LT(v, 2000) << h;
    }
  }
}

TEST_P(EveryForecaster, ValuesAWeekOldAreNothingToGoBy) {
  const StepSeries all = Grid("clean", 24 * 30);
  EXPECT_TRUE(Make()->Issue(all, Hour(24 * 37), absl::Hours(24)));
  EXPECT_FALSE(Make()->Issue(all, Hour(24 * 37 + 1), absl::Hours(24)));
}

TEST_P(EveryForecaster, TakesStepsOfFiveMinutes) {
  std::vector<double> values;
  for (int i = 0; i < 288 * 30; ++i) {
    values.push_back(200 + 50 * std::sin(i % 288 / 288.0 * 6.28));
  }
  const auto s = *StepSeries::Create(kStart, absl::Minutes(5), values);
  const auto f = Make()->Issue(s, Hour(24 * 29), absl::Hours(24));
  ASSERT_TRUE(f.has_value());
  EXPECT_EQ(f->forecast.series().end(), Hour(24 * 30));
  for (int h = 0; h < 24; ++h) {
    EXPECT_NEAR(f->forecast.At(Hour(24 * 29 + h)).value(), values[h * 12], 9);
  }
}

TEST_P(EveryForecaster, AnotherSeriesMakesItLearnAnew) {
  const auto forecaster = Make();
  const StepSeries later = Grid("wind", 24 * 40);
  forecaster->Issue(later, Hour(24 * 40), absl::Hours(24));
  const StepSeries other = Grid("solar", 24 * 30);
  EXPECT_EQ(Values(forecaster->Issue(other, Hour(24 * 30), absl::Hours(24))),
            Values(Make()->Issue(other, Hour(24 * 30), absl::Hours(24))));
}

INSTANTIATE_TEST_SUITE_P(Forecasters, EveryForecaster,
                         ::testing::ValuesIn(ForecasterNames()));

TEST(ForecasterTest, PersistenceRepeatsTheLastDay) {
  const StepSeries s = Grid("wind", 24 * 3);
  const auto f =
      (*MakeForecaster("persistence"))->Issue(s, Hour(24 * 3), absl::Hours(72));
  for (int h = 0; h < 72; ++h) {
    EXPECT_EQ(Values(f)[h], s.values()[24 * 2 + h % 24]);
  }
}

TEST(ForecasterTest, BlendLearnsThatOnlyLastWeekCounts) {
  std::vector<double> values;
  for (int h = 0; h < 24 * 80; ++h) {
    values.push_back(h / 24 % 7 == 0 ? 100 : 300);  // one clean day a week
  }
  const auto s = *StepSeries::Create(kStart, absl::Hours(1), values);
  const auto f =
      (*MakeForecaster("blend"))->Issue(s, Hour(24 * 77), absl::Hours(48));
  EXPECT_NEAR(Values(f)[5], 100, 1e-9);
  EXPECT_NEAR(Values(f)[29], 300, 1e-9);
}

TEST(ForecasterTest, TheBandOfTheRegressionHoldsFourValuesOfFive) {
  const StepSeries s = Grid("wind", 24 * 400, 5);
  const auto forecaster = *MakeForecaster("regression");
  int inside = 0;
  int all = 0;
  for (int day = 100; day < 395; ++day) {
    const auto f = forecaster->Issue(s, Hour(24 * day), absl::Hours(96));
    ASSERT_FALSE(f->p10.empty());
    for (int h = 0; h < 96; ++h) {
      const absl::Time t = Hour(24 * day + h);
      EXPECT_LE(f->p10.At(t), f->p90.At(t));
      inside += s.At(t) >= f->p10.At(t) && s.At(t) <= f->p90.At(t);
      ++all;
    }
  }
  EXPECT_NEAR(static_cast<double>(inside) / all, .8, .08);
}

TEST(ForecasterTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_EQ(MakeForecaster("oracle").status().message(),
            "no forecaster \"oracle\"; there are: persistence, blend, "
            "regression");
}

}  // namespace
}  // namespace ccsched
