// A gang's energy, part by part, becomes the rows of one attempt.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/energy_book.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace ccsched {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000 / 3600 * 3600);

// 100 g/kWh in the first hour, 200 in the second, and so on.
std::vector<GridSlice> Rising(absl::Time from, absl::Time to) {
  std::vector<GridSlice> slices;
  for (absl::Time t = from; t < to;) {
    const int64_t hour = (t - kStart) / absl::Hours(1);
    const absl::Time end = std::min(to, kStart + absl::Hours(1) * (hour + 1));
    slices.push_back({t, end, GramsPerKwh(100.0 * (hour + 1)), false, "test"});
    t = end;
  }
  return slices;
}

int64_t Sum(const std::vector<AccountRow>& rows,
            std::optional<int64_t> AccountRow::*what) {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [&](int64_t sum, const AccountRow& row) {
                           return sum + (row.*what).value_or(-1'000'000'000);
                         });
}

TEST(AttemptEnergyTest, SplitsASampleAtTheHour) {
  AttemptEnergy energy({1}, Watts(100), 1.5, kStart, Rising);
  energy.Report(0, kStart, kStart + absl::Hours(2), Joules(7.2e6), "measured");
  energy.Ended(0, kStart + absl::Hours(2));
  const auto rows = energy.Take(true);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].joules, 3'600'000);
  EXPECT_EQ(rows[0].milligrams, 150'000);
  EXPECT_EQ(rows[1].milligrams, 300'000);
  EXPECT_EQ(energy.method(), "measured");
}

TEST(AttemptEnergyTest, WaitsForTheSlowestPart) {
  AttemptEnergy energy({1, 1}, Watts(100), 1, kStart, Rising);
  energy.Report(0, kStart, kStart + absl::Hours(3), Joules(3e6), "modelled");
  EXPECT_TRUE(energy.Take(false).empty());
  energy.Report(1, kStart, kStart + absl::Hours(2), Joules(2e6), "modelled");
  const auto first = energy.Take(false);
  ASSERT_EQ(first.size(), 1u) << "the second hour may still grow";
  EXPECT_EQ(first[0].joules, 2'000'000);
  energy.Report(1, kStart + absl::Hours(2), kStart + absl::Hours(3),
                Joules(1e6), "modelled");
  energy.Ended(0, kStart + absl::Hours(3));
  energy.Ended(1, kStart + absl::Hours(3));
  const auto rest = energy.Take(true);
  EXPECT_EQ(Sum(rest, &AccountRow::joules), 4'000'000);
}

TEST(AttemptEnergyTest, CountsARepeatedReportOnce) {
  AttemptEnergy energy({1}, Watts(100), 1, kStart, Rising);
  energy.Report(0, kStart, kStart + absl::Minutes(20), Joules(1000),
                "measured");
  // Sent again after a reconnection, as one with what came after it.
  energy.Report(0, kStart, kStart + absl::Minutes(40), Joules(2000),
                "measured");
  energy.Ended(0, kStart + absl::Minutes(40));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 2000);
}

// Not by its length: its power was not the same throughout.
TEST(AttemptEnergyTest, OfWhatIsSaidAgainWithMoreTheRestIsCounted) {
  const auto at = [](int s) { return kStart + absl::Seconds(s); };
  AttemptEnergy energy({1}, Watts(100), 1, kStart, Rising);
  energy.Report(0, at(0), at(5), Joules(1000), "measured");
  energy.Report(0, at(5), at(10), Joules(50), "measured");
  energy.Report(0, at(10), at(15), Joules(30), "measured");
  // Lost: [15, 20), 400 J. Then said as one what began after the first.
  energy.Report(0, at(5), at(20), Joules(480), "measured");
  energy.Ended(0, at(20));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 1480);
  EXPECT_EQ(energy.method(), "measured");
}

// Of the shortest that an agent can be told to report.
TEST(AttemptEnergyTest, OfManyShortReportsTheRestIsCountedToo) {
  const auto at = [](int tenth) {
    return kStart + absl::Milliseconds(100) * tenth;
  };
  AttemptEnergy energy({1}, Watts(100), 1, kStart, Rising);
  for (int i = 0; i < 600; ++i) {
    energy.Report(0, at(i), at(i + 1), Joules(i < 300 ? 10 : 1), "measured");
  }
  // Lost: one of 700 J. Then said as one what began with the first.
  energy.Report(0, at(0), at(601), Joules(4000), "measured");
  energy.Ended(0, at(601));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 4000);
}

TEST(AttemptEnergyTest, WhatDoesNotBeginWithAReportIsCountedByItsLength) {
  const auto at = [](int s) { return kStart + absl::Seconds(s); };
  AttemptEnergy energy({1}, Watts(100), 1, kStart, Rising);
  energy.Report(0, at(0), at(10), Joules(1000), "measured");
  energy.Report(0, at(5), at(20), Joules(300), "measured");
  energy.Ended(0, at(20));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 1200);
}

TEST(AttemptEnergyTest, FillsWhatNobodyReportedAndSaysSo) {
  AttemptEnergy energy({4}, Watts(100), 1, kStart, Rising);
  energy.Ended(0, kStart + absl::Minutes(30));
  const auto rows = energy.Take(true);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].joules, 4 * 100 * 1800);
  EXPECT_EQ(energy.method(), "estimated");
}

// Starts are on record in whole microseconds, a node's report is not.
TEST(AttemptEnergyTest, WhatARecordRoundsOffIsNoGapToEstimate) {
  const absl::Time start = kStart + absl::Nanoseconds(1'999);
  AttemptEnergy energy({1}, Watts(100), 1, kStart, Rising);
  energy.Started(0, kStart + absl::Microseconds(1));
  energy.Report(0, start, start + absl::Hours(1), Joules(3.6e5), "measured");
  energy.Ended(0, kStart + absl::Hours(1) + absl::Microseconds(1));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 360'000);
  EXPECT_EQ(energy.method(), "measured");
}

TEST(AttemptEnergyTest, LeavesUnknownWhatCantBeEstimated) {
  AttemptEnergy energy({4}, Watts(0), 1, kStart, Rising);
  energy.Ended(0, kStart + absl::Minutes(30));
  const auto rows = energy.Take(true);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_FALSE(rows[0].joules.has_value());
  EXPECT_FALSE(rows[0].milligrams.has_value());
}

TEST(AttemptEnergyTest, APartThatStartedLaterUsedNothingBefore) {
  AttemptEnergy energy({1, 1}, Watts(100), 1, kStart, Rising);
  energy.Started(0, kStart);
  energy.Started(1, kStart + absl::Minutes(10));
  energy.Report(0, kStart, kStart + absl::Minutes(20), Joules(1200),
                "measured");
  energy.Report(1, kStart + absl::Minutes(10), kStart + absl::Minutes(20),
                Joules(600), "measured");
  energy.Ended(0, kStart + absl::Minutes(20));
  energy.Ended(1, kStart + absl::Minutes(20));
  EXPECT_EQ(Sum(energy.Take(true), &AccountRow::joules), 1800);
  EXPECT_EQ(energy.method(), "measured");
}

}  // namespace
}  // namespace ccsched
