// The corners of an elastic job's widths, against each of its widths.
// SPDX-License-Identifier: Apache-2.0
#include "sim/speed_corners.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

constexpr uint32_t kOwn = 8;

std::vector<double> CountsOf(const WidthCorners& corners) {
  std::vector<double> counts;
  for (const WidthCorners::Corner& c : corners.corners) {
    counts.push_back(c.count);
  }
  return counts;
}

TEST(SpeedCornersTest, AreTheEndsWhereEachAcceleratorDoesTheSame) {
  EXPECT_EQ(CountsOf(SpeedCorners(Speedup(), kOwn, 4, 16, false)),
            (std::vector<double>{4, 16}));
  EXPECT_EQ(CountsOf(SpeedCorners(Speedup(), 3, 1, 6, false)),
            (std::vector<double>{1, 6}));
}

TEST(SpeedCornersTest, IsTheWidestAloneWhereAJobMayPauseInstead) {
  EXPECT_EQ(CountsOf(SpeedCorners(Speedup(), kOwn, 4, 16, true)),
            (std::vector<double>{16}));
}

TEST(SpeedCornersTest, EndWhereSpeedsGrowNoMore) {
  const auto flat = Speedup::Measured({{0.5, 0.6}, {1, 1}, {2, 1}});
  ASSERT_TRUE(flat.ok());
  EXPECT_EQ(CountsOf(SpeedCorners(*flat, kOwn, 4, 16, true)),
            (std::vector<double>{4, 8}));
}

// At any price and worth, no width is better than the best corner, and that is
// hardly better than the best width.
TEST(SpeedCornersTest, AreAsGoodAsTheBestWidth) {
  Random random(7);
  const std::vector<Speedup> speedups = {
      Speedup(), *Speedup::Power(0.6), *Speedup::Power(1.3),
      *Speedup::Measured({{0.5, 0.4}, {1, 1}, {1.3, 1.6}, {4, 2}})};
  for (int i = 0; i < 4000; ++i) {
    const Speedup& speedup = speedups[random.Below(speedups.size())];
    const auto own = static_cast<uint32_t>(1 + random.Below(40));
    const auto least = static_cast<uint32_t>(1 + random.Below(own));
    const auto most = static_cast<uint32_t>(own + random.Below(3 * own));
    const bool may_pause = random.Below(2) == 0;
    const WidthCorners corners =
        SpeedCorners(speedup, own, least, most, may_pause);
    ASSERT_FALSE(corners.corners.empty());
    EXPECT_LE(corners.corners.size(), 9u);
    const double price = random.Uniform();
    const double worth = 2 * own * random.Uniform();
    const auto cost = [&](double count, double speed) {
      return count * price - worth * speed;
    };
    double best = may_pause ? 0 : std::numeric_limits<double>::infinity();
    double least_cost = best;
    for (uint32_t w = least; w <= most; ++w) {
      least_cost = std::min(least_cost,
                            cost(w, speedup.At(static_cast<double>(w) / own)));
    }
    for (const WidthCorners::Corner& c : corners.corners) {
      best = std::min(best, cost(c.count, c.speed));
    }
    const double scale = most * price + worth * speedup.At(3);
    EXPECT_LE(best, least_cost + 1e-9 * scale) << "case " << i;
    EXPECT_GE(best, least_cost - 0.03 * scale) << "case " << i;
  }
}

}  // namespace
}  // namespace ccsched
