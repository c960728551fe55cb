// What is wrong in a scenario is told with file and line, or the job's id.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/results_text.h"
#include "sim/sweep.h"
#include "sim/synthetic.h"
#include "sim/tally.h"
#include "sim/workload.h"
#include "tests/sim/scenario_files.h"
#include "tests/sim/schedule_checker.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class ScenarioTest : public ::testing::Test {
 protected:
  // The error of the small scenario with `from` replaced by `to`.
  std::string ErrorWith(const std::string& from, const std::string& to) {
    const std::string path = WriteSmallScenario(folder_, {});
    std::string text = Text(path);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    folder_.Write("small.yaml", text);
    return RunScenario({.scenario = path, .policies = {"fcfs"}}).error;
  }
  std::string ErrorSetting(const std::string& assignment) {
    return RunScenario({.scenario = WriteSmallScenario(folder_, {}),
                        .policies = {"fcfs"},
                        .set = {assignment}})
        .error;
  }

  const TemporaryFolder folder_;
};

TEST_F(ScenarioTest, NamesTheLineOfAnUnknownKey) {
  EXPECT_THAT(ErrorWith("format: philly", "fromat: philly"),
              AllOf(HasSubstr("small.yaml:6"), HasSubstr("fromat")));
}

TEST_F(ScenarioTest, RefusesWhatNoSiteCanBe) {
  EXPECT_THAT(ErrorWith("pue: 1.2", "pue: 1e300"),
              HasSubstr("pue 1e+300 is not between 1 and 10"));
  EXPECT_THAT(ErrorWith("active_watts: 300", "active_watts: 1e308"),
              HasSubstr("active_watts 1e+308 is not between 0 and 1e+09"));
  EXPECT_THAT(
      ErrorWith("idle_watts: 40", "idle_watts: 400"),
      HasSubstr("idle_watts 400 is not between 0 and active_watts, 300"));
  EXPECT_THAT(ErrorWith("region: wind", "region: wnid"),
              HasSubstr("did you mean 'wind'? (known: gas, wind, solar)"));
}

TEST_F(ScenarioTest, SaysWhichVersionItReads) {
  EXPECT_THAT(ErrorWith("version: 1", "version: 2"),
              HasSubstr("small.yaml:1: version: 2; this program reads"));
  EXPECT_THAT(ErrorWith("version: 1\n", ""),
              HasSubstr("the file has to say 'version: 1'"));
}

// Which of the two was meant, nobody can tell.
TEST_F(ScenarioTest, RefusesAParameterGivenTwice) {
  const auto said = [](const absl::Status& status) {
    return std::string(status.message());
  };
  EXPECT_THAT(said(ParsePolicy("planner:haste=1,haste=2", {}).status()),
              HasSubstr("haste is given twice"));
  EXPECT_THAT(said(Combine({"seed=1,2", "seed=3"}).status()),
              HasSubstr("seed is varied already"));
}

// Of --set the last counts, as its help says: a script's own values go over
// those that it always gives.
TEST_F(ScenarioTest, TheLastOfTwoSettingsCounts) {
  const auto error = [this](std::vector<std::string> set) {
    return RunScenario({.scenario = WriteSmallScenario(folder_, {}),
                        .policies = {"fcfs"},
                        .set = std::move(set)})
        .error;
  };
  EXPECT_EQ(error({"jobs.trace=none.csv", "jobs.trace=jobs.csv"}), "");
  EXPECT_THAT(error({"jobs.trace=jobs.csv", "jobs.trace=none.csv"}),
              HasSubstr("none.csv"));
}

// A value from the command line is on no line of the file.
TEST_F(ScenarioTest, BlamesTheSettingThatBroughtAValue) {
  EXPECT_THAT(ErrorSetting("sites.at-wind.pue=0.5"),
              AllOf(StartsWith("--set sites.at-wind.pue=0.5: "),
                    Not(HasSubstr("small.yaml"))));
  EXPECT_THAT(ErrorSetting("jobs.trace=none.csv"),
              AllOf(StartsWith("--set jobs.trace=none.csv: "),
                    Not(HasSubstr("small.yaml"))));
  EXPECT_THAT(ErrorSetting("jobs.format=phily"),
              AllOf(StartsWith("--set jobs.format=phily: "),
                    HasSubstr("did you mean 'philly'?")));
  const std::string policies = "policies=[fcfs, {name: plannr}]";
  EXPECT_THAT(RunScenario({.scenario = WriteSmallScenario(folder_, {}),
                           .set = {policies}})
                  .error,
              AllOf(StartsWith("--set " + policies + ": "),
                    Not(HasSubstr("small.yaml"))));
  EXPECT_THAT(ErrorSetting("sites=[]"), StartsWith("--set sites=[]: "));
}

// Two values that don't go together: one stands in the file, the other came.
TEST_F(ScenarioTest, BlamesTheSettingThatTheFileDoesNotGoWith) {
  const std::string path = WriteSmallScenario(folder_, {});
  const auto error = [&path](std::vector<std::string> set) {
    return RunScenario(
               {.scenario = path, .policies = {"fcfs"}, .set = std::move(set)})
        .error;
  };
  const std::string late = "start=2031-01-01T00:00:00Z";
  EXPECT_THAT(
      error({"name=a", late, "jobs.defaults.max_delay=1h"}),
      AllOf(StartsWith("--set " + late + ": "), HasSubstr("small.yaml:")));
  // What is wrong without them is not theirs.
  folder_.Write("broken.yaml", "version: 2\n");
  EXPECT_THAT(
      RunScenario({.scenario = folder_.path() + "/broken.yaml",
                   .policies = {"fcfs"},
                   .set = {"name=a"}})
          .error,
      AllOf(HasSubstr("broken.yaml:1: version: 2"), Not(HasSubstr("--set"))));
}

TEST_F(ScenarioTest, NamesTheLineOfAMissingTrace) {
  EXPECT_THAT(ErrorWith("jobs.csv", "none.csv"),
              AllOf(HasSubstr("small.yaml:5"), HasSubstr("none.csv")));
}

TEST_F(ScenarioTest, NamesADurationThatIsNegative) {
  EXPECT_THAT(ErrorWith("max_delay: 12h", "max_delay: -12h"),
              AllOf(HasSubstr("small.yaml:"),
                    HasSubstr("jobs.defaults.max_delay -12h is negative")));
}

TEST_F(ScenarioTest, NamesTheLineOfAMissingGrid) {
  EXPECT_THAT(ErrorWith("intensity: wind.csv", "intensity: calm.csv"),
              AllOf(HasSubstr("small.yaml:"), HasSubstr("calm.csv")));
}

// Grams of two bases make no sum, and a share is no intensity.
TEST_F(ScenarioTest, RefusesMixedBasesByName) {
  const std::string path = WriteSmallScenario(folder_, {});
  const auto renamed = [this](const std::string& file, const std::string& as) {
    std::string grid = Text(folder_.path() + "/" + file);
    grid.replace(4, grid.find('\n') - 4, as);
    folder_.Write(file, grid);
  };
  const auto error = [&path](const std::string& column) {
    return RunScenario({.scenario = path,
                        .policies = {"fcfs"},
                        .set = {"regions.2.column=" + column}})
        .error;
  };
  renamed("solar.csv", "ci_direct");
  EXPECT_THAT(error("ci_direct"),
              AllOf(HasSubstr("solar.csv is average-direct"),
                    HasSubstr("region gas is average-lifecycle")));
  renamed("solar.csv", "xx_lca");
  EXPECT_EQ(error("xx_lca"), "");  // who names it otherwise has to know
  folder_.Write("solar.csv", "utc,cfe_pct\n2022-02-20T00:00:00Z,40\n");
  EXPECT_THAT(error("cfe_pct"), HasSubstr("holds shares in %"));
}

TEST_F(ScenarioTest, NamesTheLineOfAGapInASeries) {
  const std::string path = WriteSmallScenario(folder_, {});
  std::string grid = Text(folder_.path() + "/wind.csv");
  const size_t from = grid.find("2022-03-02T05");
  grid.erase(from, grid.find('\n', from) - from + 1);
  folder_.Write("wind.csv", grid);
  EXPECT_THAT(RunScenario({.scenario = path}).error, HasSubstr("wind.csv:247"));
}

TEST_F(ScenarioTest, NamesTheJobThatCanNeverRun) {
  EXPECT_THAT(ErrorSetting("jobs.defaults.accelerator=tpu"), HasSubstr("tpu"));
  const std::string path =
      WriteSmallScenario(folder_, {.jobs = 2000, .accelerators = 8});
  EXPECT_THAT(RunScenario({.scenario = path}).error,
              AllOf(HasSubstr("jobs.csv:"), HasSubstr("job gen-"),
                    HasSubstr("can never run")));
}

TEST_F(ScenarioTest, RefusesABadRowOrCountsIt) {
  const std::string path = WriteSmallScenario(folder_, {});
  std::string trace = Text(folder_.path() + "/jobs.csv");
  trace += "bad-1,2022-03-02T00:00:00Z,soon,1,vc0\nbad-2,2022-03-02\n";
  folder_.Write("jobs.csv", trace);
  EXPECT_THAT(RunScenario({.scenario = path}).error,
              AllOf(HasSubstr("jobs.csv:402"), HasSubstr("duration_s"),
                    HasSubstr("soon")));
  const Ran ran = RunScenario({.scenario = path,
                               .policies = {"fcfs"},
                               .output = "json",
                               .skip_bad_rows = true});
  ASSERT_TRUE(ran.ok) << ran.error;
  EXPECT_EQ(ran.json["trace"]["bad_rows"], 2);
  EXPECT_EQ(ran.json["runs"][0]["jobs"], 400);
}

TEST_F(ScenarioTest, SetChangesWhatRuns) {
  const std::string path = WriteSmallScenario(folder_, {});
  const Ran ran = RunScenario({.scenario = path,
                               .policies = {"fcfs"},
                               .set = {"sites.at-wind.pue=1.5"},
                               .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  EXPECT_THAT(ErrorSetting("sites.at-wind.pue=0.5"), HasSubstr("0.5"));
  EXPECT_THAT(ErrorSetting("sites.at-wind.pew=1.5"), HasSubstr("pew"));
}

TEST_F(ScenarioTest, StreamedTracesGiveTheSameJobs) {
  const std::string path = WriteSmallScenario(folder_, {});
  const auto scenario = LoadScenario(path, {.policies = {"fcfs"}});
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const auto stored = LoadWorkload(*scenario, {});
  const auto streamed = LoadWorkload(*scenario, {.jobs_in_memory = 10});
  ASSERT_TRUE(stored.ok() && streamed.ok());
  const auto a = (*stored)->Open(), b = (*streamed)->Open();
  ASSERT_TRUE(a.ok() && b.ok());
  for (int i = 0; i < 400; ++i) {
    const SimJob* const x = *(*a)->Next();
    const SimJob* const y = *(*b)->Next();
    ASSERT_NE(x, nullptr);
    ASSERT_NE(y, nullptr);
    EXPECT_EQ(x->id, y->id);
    EXPECT_EQ(x->submit_us, y->submit_us);
    EXPECT_EQ(x->project, y->project);
  }
  EXPECT_EQ(*(*a)->Next(), nullptr);
  EXPECT_EQ(*(*b)->Next(), nullptr);
}

TEST_F(ScenarioTest, TakesForecastsAsTheyWereIssued) {
  const std::string path = WriteSmallScenario(
      folder_, {.forecast = "{csv: fc.csv, column: ci, issued: issued_utc}"});
  const std::string head = "issued_utc,utc,ci\n";
  const std::string first =
      "2022-02-28T00:00:00Z,2022-02-28T00:00:00Z,90\n"
      "2022-02-28T18:00:00Z,2022-02-28T23:00:00Z,100\n"
      "2022-02-28T18:00:00Z,2022-03-01T00:00:00Z,110\n"
      "2022-02-28T18:00:00Z,2022-03-01T01:00:00Z,120\n";
  folder_.Write("fc.csv",
                head + first + "2022-03-01T06:00:00Z,2022-03-01T06:00:00Z,7\n");
  const auto scenario = LoadScenario(path, {.policies = {"fcfs"}});
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  // Of three regions; the issue that was over by the start is of no use.
  ASSERT_EQ(scenario->forecasts.size(), 6u);
  EXPECT_EQ(scenario->forecasts[0].at, scenario->start);
  EXPECT_EQ(scenario->forecasts[0].forecast->At(scenario->start).value(), 110);
  EXPECT_EQ(scenario->forecasts[3].at, scenario->start + absl::Hours(6));
  folder_.Write("fc.csv",
                head + first + "2022-02-28T18:00:00Z,2022-03-01T03:00:00Z,9\n");
  EXPECT_THAT(RunScenario({.scenario = path}).error, HasSubstr("fc.csv:6"));
  folder_.Write("fc.csv",
                head + "2022-03-02T00:00:00Z,2022-03-02T00:00:00Z,90\n");
  EXPECT_THAT(RunScenario({.scenario = path}).error,
              HasSubstr("issued by the start"));
}

TEST(CheckerTest, RefusesAnEarlyStart) {
  const TemporaryFolder folder;
  const std::string path = WriteSmallScenario(folder, {});
  const Ran ran = RunScenario({.scenario = path,
                               .policies = {"fcfs"},
                               .schedule_dir = folder.path(),
                               .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  auto rows = ScheduleChecker::ReadSchedule(folder.path() + "/fcfs.csv");
  // Moved within one hour of the grid, so that its carbon stays the same.
  for (CheckedRow& row : rows) {
    const int64_t hour = 3'600'000'000;
    if (row.start % hour < 1'000'000 || row.start / hour != row.end / hour) {
      continue;
    }
    row.start -= 1'000'000;
    row.end -= 1'000'000;
    break;
  }
  const auto wrong = ScheduleChecker(path).Check(rows, ran.json["runs"][0]);
  ASSERT_FALSE(wrong.empty());
  EXPECT_THAT(wrong.front(), HasSubstr("early"));
}

TEST(DurationSampleTest, KeepsPercentilesOfVeryMany) {
  DurationSample sample;
  constexpr int64_t kMany = 5'000'000;
  for (int64_t i = 0; i < kMany; ++i) sample.Add(i * 1000);
  EXPECT_NEAR(sample.Percentile(0.5), kMany * 500.0, kMany * 0.5);
  EXPECT_NEAR(sample.Percentile(0.99), kMany * 990.0, kMany * 1.0);
  EXPECT_NEAR(sample.mean_us(), (kMany - 1) * 500.0, 1);
}

// The table of many figures fits a terminal; elsewhere all of them are there.
TEST(TableTextTest, LeavesOutWhatTellsLeastAndSaysSo) {
  SimResult result;
  result.policy = "planner, and a label that is never cut";
  const std::string all = ResultsTable("s", {result});
  EXPECT_THAT(all, HasSubstr("slowdown"));
  EXPECT_EQ(ResultsTable("s", {result}, 200), all);
  const std::string narrow = ResultsTable("s", {result}, 75);
  EXPECT_THAT(narrow, HasSubstr("a label that is never cut"));
  EXPECT_THAT(narrow, HasSubstr("wait  "));
  EXPECT_THAT(narrow, HasSubstr("No room in 75 columns for slowdown, p99; -o "
                                "csv and -o json have all.\n"));
}

TEST_F(ScenarioTest, SaysWhereNoScheduleKeepsAllPromises) {
  const auto run = [&](int accelerators, const char* output) {
    return RunScenario(
        {.scenario = WriteSmallScenario(folder_, {.jobs = 2000,
                                                  .days = 0.5,
                                                  .accelerators = accelerators,
                                                  .max_delay = "0s"}),
         .policies = {"fcfs"},
         .bound = true,
         .output = output});
  };
  const Ran full = run(16, "json");
  ASSERT_TRUE(full.ok) << full.error;
  EXPECT_TRUE(full.json["runs"][0]["bound_co2e_g"].is_null());
  EXPECT_THAT(run(16, "table").out,
              HasSubstr("no schedule keeps all their promises"));
  const Ran roomy = run(10'000, "json");
  ASSERT_TRUE(roomy.ok) << roomy.error;
  EXPECT_GT(roomy.json["runs"][0]["bound_co2e_g"].get<double>(), 0);
  EXPECT_THAT(run(10'000, "table").out, HasSubstr("no schedule emits less"));
}

}  // namespace
}  // namespace ccsched::testing
