// A value set on the command line that changes nothing is said to.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class UnusedSettingsTest : public ::testing::Test {
 protected:
  // The small scenario with classes of jobs as well.
  std::string WithClasses(const std::string& classes) {
    const std::string path = WriteSmallScenario(folder_, {.jobs = 20});
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    std::string scenario = text.str();
    scenario.insert(scenario.find("regions:"), "  classes: " + classes + "\n");
    return folder_.Write("classes.yaml", scenario);
  }
  // What stands on standard error beside the run's figures.
  std::string RunSays(const std::string& path, std::vector<std::string> set,
                      const std::string& policy = "fcfs") {
    std::ostringstream out, err;
    const auto code = RunSimCommand(
        {.scenario = path, .policies = {policy}, .set = std::move(set)}, out,
        err);
    EXPECT_TRUE(code.ok()) << code.status();
    return err.str();
  }
  std::string SweepSays(const std::string& path,
                        std::vector<std::string> vary) {
    std::ostringstream out, err;
    const auto code = RunSimSweepCommand(
        {.scenario = path, .policies = {"fcfs"}, .vary = std::move(vary)}, out,
        err);
    EXPECT_TRUE(code.ok()) << code.status();
    return err.str();
  }

  const TemporaryFolder folder_;
};

constexpr char kDelay[] = "jobs.defaults.max_delay=48h";

TEST_F(UnusedSettingsTest, SaysThatEveryClassHasItsOwnDelay) {
  const std::string all = WithClasses(
      "[{name: short, shorter_than: 2h, max_delay: 6h}, {max_delay: 24h}]");
  EXPECT_EQ(RunSays(all, {kDelay}),
            "--set jobs.defaults.max_delay changes nothing: every class of "
            "jobs has its own; set jobs.classes.short.max_delay, "
            "jobs.classes.1.max_delay\n");
  EXPECT_EQ(RunSays(all, {"jobs.classes.short.max_delay=1h",
                          "jobs.classes.1.max_delay=2h"}),
            "");
}

TEST_F(UnusedSettingsTest, IsSilentWhereSomeClassHasTheDefault) {
  EXPECT_EQ(RunSays(WriteSmallScenario(folder_, {.jobs = 20}), {kDelay}), "");
  EXPECT_EQ(RunSays(WithClasses("[{name: short, shorter_than: 2h, max_delay: "
                                "6h}]"),
                    {kDelay}),
            "");
  EXPECT_EQ(RunSays(WithClasses("[{name: short, shorter_than: 2h, max_delay: "
                                "6h}, {name: long}]"),
                    {kDelay}),
            "");
}

TEST_F(UnusedSettingsTest, SaysWhatElseHasToBeSet) {
  const std::string path = WriteSmallScenario(folder_, {.jobs = 20});
  const auto says = [&](const std::string& set) {
    return RunSays(path, {set});
  };
  EXPECT_THAT(says("jobs.defaults.restart=1h"),
              AllOf(StartsWith("--set jobs.defaults.restart changes nothing: "),
                    HasSubstr("jobs.defaults.suspendable=true")));
  EXPECT_THAT(says("jobs.defaults.elastic_exponent=0.5"),
              HasSubstr("jobs.defaults.elastic="));
  EXPECT_THAT(says("jobs.defaults.state_gb=5"), HasSubstr("network."));
  EXPECT_THAT(says("network.gbit_per_s=5"),
              HasSubstr("jobs.defaults.state_gb"));
  EXPECT_EQ(
      RunSays(path, {"jobs.defaults.suspendable=true",
                     "jobs.defaults.restart=1h", "jobs.defaults.state_gb=5",
                     "network.gbit_per_s=5", "jobs.defaults.elastic=0.5:2",
                     "jobs.defaults.elastic_exponent=0.5"}),
      "");
}

TEST_F(UnusedSettingsTest, SaysThatThePoliciesHaveTheirOwnRuntime) {
  const std::string path = WriteSmallScenario(folder_, {.jobs = 20});
  const std::string own =
      "policies=[fcfs, {name: fcfs, label: own, runtime: known}]";
  const std::string runtime = "jobs.defaults.runtime=learned";
  EXPECT_THAT(RunSays(path, {own, runtime}, "own"),
              HasSubstr("every policy that is played has its own"));
  EXPECT_EQ(RunSays(path, {own, runtime}, "fcfs"), "");
}

TEST_F(UnusedSettingsTest, ASweepSaysItOfWhatItVaries) {
  EXPECT_THAT(SweepSays(WithClasses("[{max_delay: 24h}]"),
                        {"jobs.defaults.max_delay=6h,24h"}),
              StartsWith("--vary jobs.defaults.max_delay changes nothing: "));
  // It does change something in half of these.
  EXPECT_EQ(SweepSays(WriteSmallScenario(folder_, {.jobs = 20}),
                      {"jobs.defaults.restart=1m,1h",
                       "jobs.defaults.suspendable=false,true"}),
            "");
}

}  // namespace
}  // namespace ccsched::testing
