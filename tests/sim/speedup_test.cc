// Elastic speed-ups in scenarios.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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
