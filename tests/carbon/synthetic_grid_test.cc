// Synthetic grids have the statistics that they are made from.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/synthetic_grid.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/time/civil_time.h"
#include "gtest/gtest.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

const absl::Time kStart =
    absl::FromCivil(absl::CivilYear(2023), absl::UTCTimeZone());
constexpr int kYear = 8760;

double Correlation(const std::vector<double>& z, size_t lag) {
  double product = 0;
  double squares = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    squares += z[i] * z[i];
    if (i >= lag) product += z[i] * z[i - lag];
  }
  return product / squares;
}

TEST(SyntheticGridTest, HasTheProfilesMeanSpreadAndCorrelations) {
  ASSERT_EQ(GridProfiles().size(), 6);
  for (const GridProfile& profile : GridProfiles()) {
    SCOPED_TRACE(profile.name);
    const int years = 10;
    const StepSeries s = SyntheticGrid(profile, kStart, years * kYear, 7);
    double wanted_mean = 0;
    double wanted_spread = 0;
    double mean = 0;
    std::vector<double> z;
    double squares = 0;
    for (size_t i = 0; i < s.values().size(); ++i) {
      const auto h =
          absl::ToCivilHour(kStart + absl::Hours(i), absl::UTCTimeZone());
      const double m = profile.mean[h.month() - 1][h.hour()];
      const double spread = profile.spread_permille[h.month() - 1] / 1000.0;
      wanted_mean += m;
      wanted_spread += spread * spread;
      mean += s.values()[i];
      squares += std::pow(s.values()[i] / m - 1, 2);
      z.push_back((s.values()[i] / m - 1) / spread);
    }
    EXPECT_NEAR(mean / wanted_mean, 1, .05);
    EXPECT_NEAR(std::sqrt(squares / wanted_spread), 1, .2);
    EXPECT_NEAR(Correlation(z, 1), profile.lag_1h, .03);
    EXPECT_NEAR(Correlation(z, 24), profile.lag_24h, .12);
  }
}

TEST(SyntheticGridTest, TheSameSeedGivesTheSameHoursAndAnotherDoesNot) {
  const GridProfile& solar = *FindGridProfile("solar");
  const StepSeries a = SyntheticGrid(solar, kStart, 100, 1);
  EXPECT_EQ(a.values(), SyntheticGrid(solar, kStart, 100, 1).values());
  EXPECT_NE(a.values(), SyntheticGrid(solar, kStart, 100, 2).values());
  EXPECT_EQ(FindGridProfile("US-CAL-CISO"), &solar);
  EXPECT_EQ(FindGridProfile("moon"), nullptr);
}

TEST(SyntheticGridTest, ItsCsvIsReadAndMarkedEstimated) {
  const std::string csv =
      SyntheticGridCsv(*FindGridProfile("wind"), kStart, 48, 3);
  const auto column = ParseGridCsv(csv, "wind.csv", "", GapRule::kRefuse);
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_EQ(column->series.values().size(), 48);
  EXPECT_EQ(
      std::count(column->estimated.begin(), column->estimated.end(), true), 48);
}

}  // namespace
}  // namespace ccsched
