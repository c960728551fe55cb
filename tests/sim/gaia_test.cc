// GAIA's artefact, reproduced digit for digit.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/sim/scenario_files.h"
#include "tests/sim/schedule_checker.h"

namespace ccsched::testing {
namespace {

struct Figures {
  double grams;
  double wait_s;
};

// Source: umassos/GAIA (ASPLOS'24), its artefact's own trace and code; waits
// in hours to three digits there.
const std::map<std::string, Figures> kPublished = {
    {"fcfs", {562.1713, 0}},
    {"lowest-slot", {438.5145, 5.638 * 3600}},
    {"lowest-window", {384.3588, 6.645 * 3600}},
    {"lowest-window*", {345.3847, 6.605 * 3600}},
    {"carbon-time", {407.5113, 4.729 * 3600}},
    {"carbon-time*", {369.8481, 4.607 * 3600}},
    {"ecovisor", {359.2865, 6.638 * 3600}},
    {"wait-awhile", {307.0558, 7.402 * 3600}},
};

TEST(GaiaTest, GivesEveryFigureOfTheArtefact) {
  const std::string path = ContractScenario("gaia-au-sa");
  if (path.empty()) GTEST_SKIP() << "the real traces are not here";
  const TemporaryFolder folder;
  const Ran ran = RunScenario(
      {.scenario = path, .schedule_dir = folder.path(), .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  const ScheduleChecker checker(path);
  ASSERT_EQ(ran.json["runs"].size(), kPublished.size());
  for (const auto& run : ran.json["runs"]) {
    const std::string policy = run["policy"];
    SCOPED_TRACE(policy);
    const Figures& published = kPublished.at(policy);
    EXPECT_NEAR(run["co2e_g"], published.grams, 1e-6 * published.grams);
    // The table is rounded to 3.6 s.
    EXPECT_NEAR(run["wait_s"]["mean"], published.wait_s, 1.8 + 1);
    EXPECT_EQ(run["unfinished"], 0);
    EXPECT_EQ(checker.Check(ScheduleChecker::ReadSchedule(folder.path() + "/" +
                                                          policy + ".csv"),
                            run),
              std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace ccsched::testing
