// Projects in scenarios: budgets that hold jobs, shares that order them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kStart = 1646092800;  // 2022-03-01T00:00:00Z

std::string Stamp(absl::Duration after) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                          absl::FromUnixSeconds(kStart) + after,
                          absl::UTCTimeZone());
}

// One site of four accelerators on a grid of 1000 g/kWh: 300 g an
// accelerator-hour. Twenty hours of work of red come at once, then ten of blue.
class SimProjectsTest : public ::testing::Test {
 protected:
  SimProjectsTest() {
    std::string grid = "utc,ci_lca\n";
    for (int h = 0; h < 24 * 40; ++h) {
      absl::StrAppend(&grid, Stamp(absl::Hours(h)), ",1000\n");
    }
    folder_.Write("grid.csv", grid);
    std::string jobs = "job_id,submit_utc,duration_s,gpus,vc\n";
    for (int i = 0; i < 20; ++i) {
      absl::StrAppend(&jobs, "r", i, ",", Stamp(absl::ZeroDuration()),
                      ",3600,1,red\n");
    }
    for (int i = 0; i < 10; ++i) {
      absl::StrAppend(&jobs, "b", i, ",", Stamp(absl::Minutes(1)),
                      ",3600,1,blue\n");
    }
    folder_.Write("jobs.csv", jobs);
  }
  Ran Play(const std::string& projects) {
    return RunScenario(
        {.scenario = folder_.Write(
             "projects.yaml",
             absl::StrCat(
                 "version: 1\nstart: 2022-03-01T00:00:00Z\n",
                 "jobs: {trace: jobs.csv, format: philly, defaults: "
                 "{accelerator: v100, runtime: known}}\n",
                 "regions: [{name: g, intensity: grid.csv, column: ci_lca}]\n",
                 "sites: [{name: a, region: g, pools: [{accelerator: v100, "
                 "count: 4, active_watts: 300}]}]\n",
                 projects, "policies: [fcfs]\n")),
         .policies = {"fcfs"},
         .output = "json"});
  }
  nlohmann::json Run(const std::string& projects) {
    const Ran ran = Play(projects);
    EXPECT_TRUE(ran.ok) << ran.error;
    return ran.ok ? ran.json["runs"][0] : nlohmann::json();
  }

  const TemporaryFolder folder_;
};

TEST_F(SimProjectsTest, WithoutTermsTheFloodGoesFirst) {
  const nlohmann::json run =
      Run("projects: [{name: red, budget: {co2e_kg: 1000}}]\n");
  EXPECT_GT(run["projects"]["blue"]["wait_mean_s"], 4 * 3600);
  EXPECT_EQ(run["unfinished"], 0);
}

TEST_F(SimProjectsTest, SharesGiveTheLaterProjectItsTurn) {
  const nlohmann::json run =
      Run("projects: [{name: red, share: 1}, {name: blue, share: 1}]\n"
          "fair_share: {half_life: 48h}\n");
  EXPECT_LT(run["projects"]["blue"]["wait_mean_s"], 3.5 * 3600);
  EXPECT_EQ(run["unfinished"], 0);
}

TEST_F(SimProjectsTest, ABudgetHoldsWhatGoesBeyondUntilTheNextPeriod) {
  // Ten jobs a day: the rest waits for midnight.
  const nlohmann::json run =
      Run("projects: [{name: red, budget: {co2e_kg: 3, period: day}, action: "
          "hold}]\n");
  EXPECT_EQ(run["unfinished"], 0);
  EXPECT_NEAR(run["projects"]["red"]["co2e_g"], 6000, 1e-6);
  EXPECT_GT(run["projects"]["red"]["wait_mean_s"], 10 * 3600);
  EXPECT_LT(run["projects"]["blue"]["wait_mean_s"], 4 * 3600);
}

TEST_F(SimProjectsTest, NamesWhatIsWrongInTheTerms) {
  EXPECT_THAT(Play("projects: [{name: red, share: -1}]\n").error,
              AllOf(HasSubstr("projects[0].share"), HasSubstr("-1")));
  EXPECT_THAT(Play("projects: [{name: red, action: hold}]\n").error,
              HasSubstr("projects[0].action"));
  EXPECT_THAT(
      Play("projects: [{name: red, budget: {co2e_kg: 1, period: moon}}]\n")
          .error,
      HasSubstr("moon"));
  EXPECT_THAT(Play("projects: [{name: red}, {name: red}]\n").error,
              HasSubstr("two projects 'red'"));
}

}  // namespace
}  // namespace ccsched::testing
