// A node's meter becomes a row an hour, and nothing of it is lost.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/node_energy_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ccsched {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000 / 3600 * 3600);
const NodeEnergyBook::RealTime kNow;

// 100 g/kWh in the first hour, 200 in the second, and so on.
std::vector<GridSlice> Rising(absl::Time from, absl::Time to) {
  std::vector<GridSlice> slices;
  for (absl::Time t = from; t < to;) {
    const int64_t hour =
        absl::Floor(t - kStart, absl::Hours(1)) / absl::Hours(1);
    const absl::Time end = std::min(to, kStart + absl::Hours(1) * (hour + 1));
    slices.push_back({t, end,
                      GramsPerKwh(100.0 * static_cast<double>(hour + 1)), false,
                      "x"});
    t = end;
  }
  return slices;
}

class NodeEnergyBookTest : public ::testing::Test {
 protected:
  // What of `metered` counted.
  double Report(absl::Duration from, absl::Duration to, double metered,
                double unallocated, NodeEnergyBook::RealTime now = kNow) {
    return book_
        .Report({NodeId(1), RegionId(0), 1.5, "measured"}, kStart + from,
                kStart + to, {Joules(metered), Joules(unallocated)}, Rising,
                now)
        .metered.value();
  }
  NodeEnergyBook book_;
};

TEST_F(NodeEnergyBookTest, ReportsThatDoNotQuiteMeetMakeOneRowAnHour) {
  // Every five seconds, a few milliseconds early or late.
  for (int i = 0; i < 1440; ++i) {
    const absl::Duration jitter =
        i == 0 ? absl::ZeroDuration() : absl::Milliseconds(i % 7 * 5 - 15);
    Report(absl::Seconds(5 * i) + jitter, absl::Seconds(5 * i + 5), 1000, 250);
  }
  const auto rows = book_.TakeAll();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].metered + rows[1].metered, 1'440'000);
  EXPECT_EQ(rows[0].unallocated + rows[1].unallocated, 360'000);
  EXPECT_EQ(rows[0].end, kStart + absl::Hours(1));
  EXPECT_EQ(rows[1].intensity, 200);
  // 0.05 kWh, half again for the building, at 200 g.
  EXPECT_NEAR(static_cast<double>(*rows[1].milligrams), 15'000, 100);
  EXPECT_TRUE(book_.TakeAll().empty());
}

TEST_F(NodeEnergyBookTest, AGapIsAGapAndARepetitionCountsOnce) {
  EXPECT_EQ(Report(absl::ZeroDuration(), absl::Minutes(10), 600, 60), 600);
  EXPECT_EQ(Report(absl::ZeroDuration(), absl::Minutes(10), 600, 60), 0);
  EXPECT_EQ(Report(absl::Minutes(5), absl::Minutes(15), 600, 60), 300);
  Report(absl::Minutes(40), absl::Minutes(50), 600, 60);
  const auto rows = book_.TakeAll();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].metered, 900);
  EXPECT_EQ(rows[0].end, kStart + absl::Minutes(15));
  EXPECT_EQ(rows[1].start, kStart + absl::Minutes(40));
}

// Not by its length: its power was not the same throughout.
TEST_F(NodeEnergyBookTest, OfWhatIsSaidAgainWithMoreTheRestIsCounted) {
  const auto at = [](int s) { return absl::Seconds(s); };
  Report(at(0), at(5), 1000, 100);
  Report(at(5), at(10), 50, 50);
  Report(at(10), at(15), 30, 0);
  // Lost: [15, 20), 400 J, 40 of them unallocated.
  EXPECT_EQ(Report(at(5), at(20), 480, 90), 400);
  EXPECT_EQ(Report(at(5), at(25), 500, 95), 20) << "said again with more";
  const auto rows = book_.TakeAll();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].metered, 1500);
  EXPECT_EQ(rows[0].unallocated, 195);
}

TEST_F(NodeEnergyBookTest, ALongHourIsPutOnRecordInParts) {
  Report(absl::ZeroDuration(), absl::Minutes(10), 600, 60);
  EXPECT_TRUE(book_.Take().empty());
  Report(absl::Minutes(10), absl::Minutes(20), 600, 60,
         kNow + std::chrono::minutes(31));
  const auto rows = book_.Take();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].end, kStart + absl::Minutes(10));
}

TEST_F(NodeEnergyBookTest, GoesOnWhereTheRecordEnds) {
  book_.Restore(NodeId(1), kStart + absl::Minutes(30));
  Report(absl::ZeroDuration(), absl::Hours(1), 600, 60);
  const auto rows = book_.TakeAll(RegionId(0));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].metered, 300);
  EXPECT_TRUE(book_.TakeAll(RegionId(7)).empty());
}

}  // namespace
}  // namespace ccsched
