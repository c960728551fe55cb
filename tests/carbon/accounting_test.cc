// Rows of the account: exact integrals, integers, sums that close.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/accounting.h"

#include <vector>

#include "gtest/gtest.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

const absl::Time kStart =
    absl::FromCivil(absl::CivilDay(2021, 10, 3), absl::UTCTimeZone());
absl::Time Minute(double m) { return kStart + absl::Minutes(1) * m; }

std::vector<GridSlice> Hourly(const std::vector<double>& values) {
  std::vector<GridSlice> slices;
  for (size_t h = 0; h < values.size(); ++h) {
    slices.push_back({Minute(60 * h), Minute(60 * h + 60),
                      GramsPerKwh(values[h]), false, "v"});
  }
  return slices;
}

TEST(AccountingTest, EachHourHasItsOwnIntensity) {
  const auto rows = SplitEnergy({Minute(30), Minute(135), Joules(3.5 * 3.6e6)},
                                1, Hourly({300, 100, 500}));
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(*rows[0].joules, 3'600'000);
  EXPECT_EQ(*rows[0].milligrams, 300'000);
  EXPECT_EQ(*rows[1].joules, 7'200'000);
  EXPECT_EQ(*rows[1].milligrams, 200'000);
  EXPECT_EQ(*rows[2].joules, 1'800'000);
  EXPECT_EQ(*rows[2].milligrams, 250'000);
}

TEST(AccountingTest, PueIsInTheGramsAndNotInTheJoules) {
  const auto rows =
      SplitEnergy({Minute(0), Minute(60), Joules(3.6e6)}, 1.5, Hourly({100}));
  EXPECT_EQ(*rows[0].joules, 3'600'000);
  EXPECT_EQ(*rows[0].milligrams, 150'000);
  EXPECT_EQ(rows[0].pue, 1.5);
}

TEST(AccountingTest, UnknownIsAbsentNotZero) {
  std::vector<GridSlice> slices = Hourly({100, 200});
  slices[1].intensity.reset();
  auto rows = SplitEnergy({Minute(0), Minute(120), Joules(7.2e6)}, 1, slices);
  EXPECT_EQ(*rows[1].joules, 3'600'000);
  EXPECT_FALSE(rows[1].milligrams.has_value());
  rows = SplitEnergy({Minute(0), Minute(60), std::nullopt}, 1, slices);
  EXPECT_FALSE(rows[0].joules.has_value());
  EXPECT_FALSE(rows[0].milligrams.has_value());
}

TEST(AccountingTest, RowsSumToTheRoundedTotalWhateverTheSamples) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<double> values;
    for (int h = 0; h < 20; ++h) values.push_back(random.Uniform() * 800);
    const auto slices = Hourly(values);
    Account account(1 + random.Uniform());
    int64_t joules = 0;
    int64_t milligrams = 0;
    absl::Time t = Minute(0);
    double exact = 0;
    while (t < Minute(1100)) {
      const absl::Time next = t + absl::Seconds(1 + random.Below(600));
      const double j = random.Uniform() * 10;
      exact += j;
      account.Add(t, next, Joules(j), slices);
      t = next;
      for (const AccountRow& row : account.Take()) {
        joules += *row.joules;
        milligrams += *row.milligrams;
      }
    }
    for (const AccountRow& row : account.Take(true)) {
      joules += *row.joules;
      milligrams += *row.milligrams;
    }
    EXPECT_EQ(joules, std::llround(exact));
    EXPECT_EQ(milligrams, std::llround(account.carbon().value() * 1000));
  }
}

TEST(AccountingTest, SamplesOfOneHourMakeOneRow) {
  Account account(1);
  const auto slices = Hourly({100, 100, 100});
  for (int m = 0; m < 150; m += 5) {
    account.Add(Minute(m), Minute(m + 5), Joules(0.5), slices);
  }
  const auto closed = account.Take();
  ASSERT_EQ(closed.size(), 2);
  EXPECT_EQ(*closed[0].joules, 6);
  auto open = account.Take(true);
  ASSERT_EQ(open.size(), 1);
  EXPECT_EQ(open[0].start, Minute(120));
  EXPECT_EQ(*open[0].joules, 3);
  account.Add(Minute(150), Minute(155), Joules(1), slices);
  open = account.Take(true);
  ASSERT_EQ(open.size(), 1);
  EXPECT_EQ(open[0].start, Minute(120));
  EXPECT_EQ(*open[0].joules, 4);
}

TEST(AccountingTest, ARepeatedSampleIsNotBilledTwice) {
  Account account(1);
  const auto slices = Hourly({100});
  EXPECT_EQ(account.Add(Minute(0), Minute(10), Joules(10), slices), 1);
  EXPECT_EQ(account.Add(Minute(0), Minute(10), Joules(10), slices), 0);
  EXPECT_EQ(account.Add(Minute(5), Minute(15), Joules(10), slices), 0.5);
  EXPECT_DOUBLE_EQ(account.total().value(), 15);
}

TEST(AccountingTest, AGapInTheSamplesStartsARowOfItsOwn) {
  Account account(1);
  const auto slices = Hourly({100});
  account.Add(Minute(0), Minute(10), Joules(10), slices);
  account.Add(Minute(20), Minute(30), Joules(10), slices);
  const auto rows = account.Take(true);
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0].end, Minute(10));
  EXPECT_EQ(rows[1].start, Minute(20));
}

TEST(AccountingTest, EmissionOverAnUnknownHourIsUnknown) {
  auto slices = Hourly({100, 300});
  EXPECT_NEAR(
      Emission(KilowattHours(2), 1.1, Minute(0), Minute(120), slices)->value(),
      440, 1e-9);
  slices[1].intensity.reset();
  EXPECT_FALSE(Emission(KilowattHours(2), 1.1, Minute(0), Minute(120), slices));
  EXPECT_FALSE(Emission(KilowattHours(2), 1.1, Minute(0), Minute(180),
                        Hourly({100, 300})));
}

}  // namespace
}  // namespace ccsched
