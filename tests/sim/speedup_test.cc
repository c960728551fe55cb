// Elastic speed-ups: formula, measured points, and what is wrong in them.
// SPDX-License-Identifier: Apache-2.0
#include "sim/speedup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
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

class SpeedupScenarioTest : public ::testing::Test {
 protected:
  std::string Error(const std::string& defaults, const std::string& more = "") {
    return RunScenario({.scenario = WriteSmallScenario(
                            folder_, {.defaults = defaults, .more = more}),
                        .policies = {"carbon-scaler"}})
        .error;
  }
  const TemporaryFolder folder_;
};

TEST_F(SpeedupScenarioTest, SaysWhatIsWrongWithATable) {
  const std::string table =
      "elastic_speedup: [{width: 1, speed: 1}, {width: 2, speed: 1.7}]";
  EXPECT_EQ(Error("elastic: 0.5:2, " + table), "");
  EXPECT_THAT(Error("elastic: 0.5:4, " + table),
              AllOf(HasSubstr("small.yaml:"), HasSubstr("ends at width 2")));
  EXPECT_THAT(Error(table), HasSubstr("give `elastic`, too"));
  EXPECT_THAT(Error("elastic: 0.5:2, elastic_exponent: 1, " + table),
              HasSubstr("give one of them"));
  EXPECT_THAT(Error("elastic: 0.5:2, elastic_speedup: [{width: 1}]"),
              HasSubstr("width 1, speed 0"));
}

TEST_F(SpeedupScenarioTest, ThePriceOfMovedBytesNeedsACurrencyAndIsNoLess) {
  EXPECT_THAT(Error("", "network: {price_per_gb: 0.1}\n"),
              AllOf(HasSubstr("small.yaml:"), HasSubstr("money.currency")));
  EXPECT_THAT(
      Error("", "money: {currency: EUR}\nnetwork: {price_per_gb: -1}\n"),
      HasSubstr("price_per_gb -1 is not between 0"));
  EXPECT_EQ(Error("", "money: {currency: EUR}\nnetwork: {price_per_gb: 0}\n"),
            "");
}

// A link so slow that a move outlasts the grid's data says so by that.
TEST_F(SpeedupScenarioTest, AMoveThatNeverEndsRunsBeyondTheData) {
  const Ran ran =
      RunScenario({.scenario = WriteSmallScenario(
                       folder_, {.suspendable = true,
                                 .defaults = "state_gb: 1e12",
                                 .more = "network: {gbit_per_s: 1e-300}\n"}),
                   .policies = {"wait-awhile"}});
  EXPECT_FALSE(ran.ok);
  EXPECT_THAT(ran.error, HasSubstr("but a job runs until"));
  EXPECT_THAT(Error("state_gb: 1e300"), HasSubstr("state_gb 1e+300"));
}

}  // namespace
}  // namespace ccsched::testing
