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
  const auto power = Speedup::Power(0.7);
  ASSERT_TRUE(power.ok());
  EXPECT_DOUBLE_EQ(power->At(2), std::pow(2, 0.7));
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
}

// What the line says of a width.
double On(const std::vector<SpeedupPoint>& line, double width) {
  size_t i = 1;
  while (i + 1 < line.size() && line[i].width < width) ++i;
  const SpeedupPoint& a = line[i - 1];
  const SpeedupPoint& b = line[i];
  return a.speed +
         (b.speed - a.speed) * (width - a.width) / (b.width - a.width);
}

TEST(SpeedupTest, ALineAboveIsNowhereBelowTheSpeedsNorFarAbove) {
  const std::vector<std::pair<Speedup, double>> most_above = {
      {Speedup(), 1e-12},
      {*Speedup::Power(0.7), 2e-3},
      {*Speedup::Power(0.1), 2e-3},
      {*Speedup::Power(1.2), 0.06},
      {*Speedup::Measured({{0.4, 0.3}, {1, 1}, {1.7, 2.4}, {3, 2.5}}), 1e-12}};
  for (const auto& [speedup, above] : most_above) {
    const std::vector<SpeedupPoint> line = speedup.LineAbove(0.5, 2);
    EXPECT_EQ(line.front().width, 0.5);
    EXPECT_EQ(line.back().width, 2);
    EXPECT_DOUBLE_EQ(line.front().speed, speedup.At(0.5));
    EXPECT_DOUBLE_EQ(line.back().speed, speedup.At(2));
    for (double width = 0.5; width <= 2; width += 0.001) {
      EXPECT_GE(On(line, width), speedup.At(width) * (1 - 1e-12)) << width;
      EXPECT_LE(On(line, width), speedup.At(width) * (1 + above)) << width;
    }
  }
  EXPECT_EQ(Speedup::Power(0.7)->LineAbove(2, 2).size(), 1u);
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
