// Elastic speed-ups: formula, measured points, and what is wrong in them.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/speedup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace ccsched {
namespace {

using ::testing::HasSubstr;

TEST(SpeedupTest, FollowsTheFormula) {
  EXPECT_EQ(Speedup().At(0.5), 0.5);
  EXPECT_EQ(Speedup().BestPerAccelerator(0.25, 4), 1);
  const auto power = Speedup::Power(0.7);
  ASSERT_TRUE(power.ok());
  EXPECT_DOUBLE_EQ(power->At(2), std::pow(2, 0.7));
  EXPECT_DOUBLE_EQ(power->BestPerAccelerator(0.5, 2), std::pow(0.5, -0.3));
  EXPECT_FALSE(Speedup::Power(0).ok());
  EXPECT_FALSE(Speedup::Power(std::nan("")).ok());
}

TEST(SpeedupTest, GoesStraightFromPointToPoint) {
  const auto measured =
      Speedup::Measured({{0.5, 0.6}, {1, 1}, {2, 1.8}, {4, 1.8}});
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_DOUBLE_EQ(measured->At(0.25), 0.3);
  EXPECT_DOUBLE_EQ(measured->At(0.5), 0.6);
  EXPECT_DOUBLE_EQ(measured->At(0.75), 0.8);
  EXPECT_DOUBLE_EQ(measured->At(1), 1);
  EXPECT_DOUBLE_EQ(measured->At(1.5), 1.4);
  EXPECT_DOUBLE_EQ(measured->At(3), 1.8);
  EXPECT_DOUBLE_EQ(measured->At(9), 1.8);
  EXPECT_EQ(measured->widest(), 4);
  // At half the width each accelerator does 1.2 times the work.
  EXPECT_DOUBLE_EQ(measured->BestPerAccelerator(0.25, 4), 1.2);
  EXPECT_DOUBLE_EQ(measured->BestPerAccelerator(0.75, 4), 0.8 / 0.75);
}

TEST(SpeedupTest, NoWidthBeatsTheBestPerAccelerator) {
  const auto measured =
      Speedup::Measured({{0.3, 0.1}, {1, 1}, {1.7, 2.4}, {3, 2.5}});
  ASSERT_TRUE(measured.ok());
  const double best = measured->BestPerAccelerator(0.3, 3);
  for (double width = 0.3; width <= 3; width += 0.01) {
    EXPECT_LE(measured->At(width) / width, best + 1e-12) << width;
  }
}

TEST(SpeedupTest, NamesThePointThatIsWrong) {
  const auto error = [](std::vector<SpeedupPoint> points) {
    return std::string(Speedup::Measured(std::move(points)).status().message());
  };
  EXPECT_THAT(error({}), HasSubstr("no point has width 1"));
  EXPECT_THAT(error({{0.5, 0.5}, {2, 2}}), HasSubstr("no point has width 1"));
  EXPECT_THAT(error({{1, 1.1}}), HasSubstr("width 1, speed 1.1"));
  EXPECT_THAT(error({{1, 1}, {1, 1}}), HasSubstr("widths have to grow"));
  EXPECT_THAT(error({{1, 1}, {2, 0.9}}), HasSubstr("no slower"));
  EXPECT_THAT(error({{-1, 1}, {1, 1}}), HasSubstr("width -1"));
  EXPECT_THAT(error({{0.5, 0}, {1, 1}}), HasSubstr("above 0"));
  EXPECT_THAT(error({{1, 1}, {std::nan(""), 2}}), HasSubstr("nan"));
}

}  // namespace
}  // namespace ccsched
