// Clean energy matched hour by hour with what a ledger says was used.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/matching.h"

#include <vector>

#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

const absl::Time kStart =
    absl::FromCivil(absl::CivilDay(2022, 3, 1), absl::UTCTimeZone());

AccountRow Row(double from_h, double to_h, double kwh, double intensity) {
  AccountRow row;
  row.start = kStart + absl::Hours(1) * from_h;
  row.end = kStart + absl::Hours(1) * to_h;
  row.joules = static_cast<int64_t>(kwh * 3.6e6);
  row.pue = 1.25;
  row.intensity = intensity;
  return row;
}
StepSeries Series(std::vector<double> values) {
  return *StepSeries::Create(kStart, absl::Hours(1), std::move(values));
}

TEST(MatchingTest, RowsOfAnHourAreAddedUpAndMatchedOnce) {
  const std::vector<AccountRow> rows = {Row(0, .5, 4, 500), Row(.5, 1, 4, 300),
                                        Row(2, 3, 8, 100)};
  const auto hours =
      HoursOf(rows, Series({4, 1000, 20}), Series({20, 50, 100}), std::nullopt);
  ASSERT_TRUE(hours.ok()) << hours.status();
  ASSERT_EQ(hours->size(), 2);
  const auto m = MatchHours(*hours);
  ASSERT_TRUE(m.ok());
  EXPECT_NEAR(m->load.value(), 20, 1e-9);  // PUE included
  EXPECT_NEAR(m->gross.value(), 10 * 400 + 10 * 100, 1e-9);
  // The second hour's 1000 kWh, in which nothing ran, earn nothing.
  EXPECT_NEAR(m->net.value(), 6 * 400, 1e-9);
  EXPECT_NEAR(*m->cfe_score, (4 + 6 * .2 + 10) / 20, 1e-9);
}

TEST(MatchingTest, ARowOverSeveralHoursIsSpreadOverThem) {
  const std::vector<AccountRow> rows = {Row(.5, 2, 12, 200)};
  const auto hours =
      HoursOf(rows, Series({5, 0}), StepSeries(), GramsPerKwh(600));
  ASSERT_TRUE(hours.ok()) << hours.status();
  const auto m = MatchHours(*hours);
  EXPECT_NEAR(m->gross.value(), 15 * 200, 1e-9);
  EXPECT_NEAR(m->net.value(), 10 * 600, 1e-9);  // by the residual factor
  EXPECT_FALSE(m->cfe_score.has_value());
}

TEST(MatchingTest, WhatIsUnknownIsNotMatched) {
  std::vector<AccountRow> rows = {Row(0, 1, 1, 100)};
  EXPECT_FALSE(HoursOf(rows, StepSeries(), StepSeries(), std::nullopt).ok());
  rows[0].intensity.reset();
  EXPECT_EQ(
      HoursOf(rows, Series({1}), StepSeries(), std::nullopt).status().message(),
      "from 2022-03-01T00:00:00Z to 2022-03-01T01:00:00Z: the intensity "
      "is not known");
}

TEST(MatchingTest, NegativeEnergyAndImpossibleSharesAreRefused) {
  MatchedHour h;
  h.load = KilowattHours(-1);
  EXPECT_FALSE(MatchHours({&h, 1}).ok());
  h.load = KilowattHours(1);
  h.grid_share = 1.5;
  EXPECT_FALSE(MatchHours({&h, 1}).ok());
}

}  // namespace
}  // namespace ccsched
