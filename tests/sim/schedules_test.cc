// Every policy's schedule passes the independent checker; spoilt ones don't.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "policies/registry.h"
#include "tests/sim/scenario_files.h"
#include "tests/sim/schedule_checker.h"

namespace ccsched::testing {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const PolicySpec& spec : AllPolicies()) names.push_back(spec.name);
  return names;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs these policies and checks each schedule.
void ExpectVerified(const std::string& scenario,
                    const std::vector<std::string>& policies,
                    bool bound = true) {
  const TemporaryFolder folder;
  const Ran ran = RunScenario({.scenario = scenario,
                               .policies = policies,
                               .bound = bound,
                               .schedule_dir = folder.path(),
                               .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  const ScheduleChecker checker(scenario);
  for (const auto& run : ran.json["runs"]) {
    const std::string policy = run["policy"];
    SCOPED_TRACE(policy);
    EXPECT_EQ(run["unfinished"], 0);
    if (bound && run["promises_broken"] == 0) {
      EXPECT_GE(run["co2e_g"], run["bound_co2e_g"]);
    }
    EXPECT_THAT(checker.Check(ScheduleChecker::ReadSchedule(
                                  folder.path() + "/" + policy + ".csv"),
                              run),
                IsEmpty());
  }
}

TEST(SchedulesTest, OfRigidJobsAreVerified) {
  const TemporaryFolder folder;
  ExpectVerified(WriteSmallScenario(folder, {}), AllNames());
}

TEST(SchedulesTest, OfSuspendableJobsOnNodesAreVerified) {
  const TemporaryFolder folder;
  ExpectVerified(
      WriteSmallScenario(folder, {.node_size = 8, .suspendable = true}),
      AllNames());
}

TEST(SchedulesTest, OfLearntRuntimesAndPersistenceAreVerified) {
  const TemporaryFolder folder;
  ExpectVerified(
      WriteSmallScenario(folder, {.seed = 2,
                                  .suspendable = true,
                                  .runtime = "learned",
                                  .forecast = "{name: blend, every: 6h}"}),
      AllNames());
}

// Three sites by the day, their cooling worst in the afternoon.
void WriteHourlyPue(const TemporaryFolder& folder) {
  std::ofstream file(folder.path() + "/pue.csv");
  file << "utc,pue\n";
  for (int hour = 0; hour < 24 * 90; ++hour) {
    const absl::Time t =
        absl::FromUnixSeconds(1645315200) + absl::Hours(hour);  // 2022-02-20
    file << absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", t, absl::UTCTimeZone())
         << ',' << 1.1 + 0.01 * (hour % 24) << '\n';
  }
}

TEST(SchedulesTest, OfAnHourlyPueAreVerified) {
  const TemporaryFolder folder;
  WriteHourlyPue(folder);
  ExpectVerified(WriteSmallScenario(
                     folder, {.suspendable = true, .pue = "pue_csv: pue.csv"}),
                 AllNames());
}

TEST(SchedulesTest, OfCappedSitesAreVerified) {
  const TemporaryFolder folder;
  WriteHourlyPue(folder);
  // For 18 of 24 accelerators there is power: two of three nodes.
  const std::string scenario =
      WriteSmallScenario(folder, {.node_size = 8,
                                  .suspendable = true,
                                  .site = "cap_watts: 7200",
                                  .pue = "pue_csv: pue.csv"});
  ExpectVerified(scenario, AllNames());
  const Ran ran = RunScenario(
      {.scenario = scenario, .policies = {"fcfs"}, .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  for (const auto& peak : ran.json["runs"][0]["peak_accelerators"]) {
    EXPECT_LE(peak, 16);
  }
}

TEST(SchedulesTest, OfFailingNodesAreVerified) {
  const TemporaryFolder folder;
  for (const bool suspendable : {false, true}) {
    SCOPED_TRACE(suspendable);
    const std::string scenario = WriteSmallScenario(
        folder, {.jobs = 300,
                 .node_size = 8,
                 .suspendable = suspendable,
                 .more = "faults: {node_mtbf: 200h, repair: 2h}\n"});
    ExpectVerified(scenario, AllNames());
    const Ran ran = RunScenario(
        {.scenario = scenario, .policies = {"fcfs"}, .output = "json"});
    ASSERT_TRUE(ran.ok) << ran.error;
    EXPECT_GT(ran.json["runs"][0]["lost_attempts"], 0);
    EXPECT_GT(ran.json["runs"][0]["node_failures"], 0);
  }
}

TEST(SchedulesTest, OfMovedStateAreVerified) {
  const TemporaryFolder folder;
  const std::string scenario = WriteSmallScenario(
      folder, {.suspendable = true,
               .defaults = "state_gb: 30",
               .more = "money: {currency: EUR}\nnetwork: {gbit_per_s: 2, "
                       "kwh_per_gb: 0.05, price_per_gb: 0.02}\n"});
  ExpectVerified(scenario, AllNames());
  const Ran ran = RunScenario(
      {.scenario = scenario, .policies = {"wait-awhile"}, .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  const auto& run = ran.json["runs"][0];
  EXPECT_GT(run["moved_gb"], 0);
  EXPECT_NEAR(run["moved_energy_kwh"].get<double>(),
              run["moved_gb"].get<double>() * 0.05, 1e-9);
  EXPECT_NEAR(run["moved_cost"]["amount"].get<double>(),
              run["moved_gb"].get<double>() * 0.02, 1e-9);
  EXPECT_EQ(run["moved_cost"]["currency"], "EUR");
}

TEST(SchedulesTest, OfElasticJobsAreVerified) {
  const TemporaryFolder folder;
  for (const char* speedup :
       {"elastic_exponent: 1", "elastic_exponent: 0.7",
        "elastic_speedup: [{width: 0.5, speed: 0.55}, {width: 1, speed: 1}, "
        "{width: 1.5, speed: 1.4}, {width: 2, speed: 1.6}]"}) {
    SCOPED_TRACE(speedup);
    ExpectVerified(
        WriteSmallScenario(
            folder, {.defaults = absl::StrCat("elastic: 0.5:2, ", speedup)}),
        AllNames());
  }
}

TEST(SchedulesTest, OfElasticJobsThatPauseAreVerified) {
  const TemporaryFolder folder;
  for (const char* defaults :
       {"elastic: 0.5:2", "elastic: 0.5:2, elastic_exponent: 0.7"}) {
    SCOPED_TRACE(defaults);
    ExpectVerified(WriteSmallScenario(folder, {.node_size = 8,
                                               .suspendable = true,
                                               .defaults = defaults}),
                   AllNames());
  }
}

TEST(SchedulesTest, OfTheRealMonthAreVerified) {
  const std::string path = ContractScenario("philly-4zones");
  if (path.empty()) GTEST_SKIP() << "the real traces are not here";
  ExpectVerified(
      path, {"fcfs", "easy-backfill", "lowest-carbon-now", "lowest-window"},
      /*bound=*/false);
}

TEST(SchedulesTest, OfTheRealForecastsAreVerified) {
  const std::string path = ContractScenario("philly-real");
  if (path.empty()) GTEST_SKIP() << "the real traces are not here";
  ExpectVerified(path,
                 {"fcfs", "easy-backfill", "lowest-carbon-now", "lowest-window",
                  "wait-awhile"},
                 /*bound=*/false);
}

// A verified schedule to be spoilt.
class SpoiltScheduleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Verify({.node_size = 8, .suspendable = true}, "wait-awhile");
  }
  void Verify(const SmallScenario& small, const std::string& policy) {
    scenario_ = WriteSmallScenario(folder_, small);
    const Ran ran = RunScenario({.scenario = scenario_,
                                 .policies = {policy},
                                 .schedule_dir = folder_.path(),
                                 .output = "json"});
    ASSERT_TRUE(ran.ok) << ran.error;
    run_ = ran.json["runs"][0];
    rows_ = ScheduleChecker::ReadSchedule(
        absl::StrCat(folder_.path(), "/", policy, ".csv"));
    ASSERT_THAT(ScheduleChecker(scenario_).Check(rows_, run_), IsEmpty());
  }
  void ExpectRefused(const std::string& kind) {
    EXPECT_THAT(ScheduleChecker(scenario_).Check(rows_, run_),
                Contains(StartsWith(kind)));
  }
  // A first stretch that began later than its job's submission.
  CheckedRow& Late() {
    for (CheckedRow& row : rows_) {
      if (row.segment == 0 && row.end - row.start > 3'600'000'000) return row;
    }
    return rows_.front();
  }

  const TemporaryFolder folder_;
  std::string scenario_;
  nlohmann::json run_;
  std::vector<CheckedRow> rows_;
};

TEST_F(SpoiltScheduleTest, WrongCarbonIsRefused) {
  Late().co2e_g *= 1 + 1e-6;
  ExpectRefused("carbon");
}

TEST_F(SpoiltScheduleTest, StretchThatBeganEarlierIsRefused) {
  Late().start -= 1'000'000;
  ExpectRefused("carbon");
}

TEST_F(SpoiltScheduleTest, OtherSiteIsRefused) {
  CheckedRow& row = Late();
  row.site = row.site == "at-gas" ? "at-wind" : "at-gas";
  ExpectRefused("carbon");
}

TEST_F(SpoiltScheduleTest, LostStretchIsRefused) {
  rows_.erase(std::find_if(rows_.begin(), rows_.end(),
                           [](const CheckedRow& r) { return r.segment > 0; }));
  ExpectRefused("work");
}

TEST_F(SpoiltScheduleTest, FewerAcceleratorsAreRefused) {
  const auto wide =
      std::find_if(rows_.begin(), rows_.end(),
                   [](const CheckedRow& r) { return r.count > 1; });
  ASSERT_NE(wide, rows_.end());
  wide->co2e_g /= static_cast<double>(wide->count);
  wide->count = 1;
  ExpectRefused("count");
}

TEST_F(SpoiltScheduleTest, OverheadThatIsNotReportedIsRefused) {
  const auto resumed =
      std::find_if(rows_.begin(), rows_.end(),
                   [](const CheckedRow& r) { return r.overhead > 0; });
  ASSERT_NE(resumed, rows_.end());
  resumed->overhead = 0;
  ExpectRefused("overhead");
}

class SpoiltElasticScheduleTest : public SpoiltScheduleTest {
 protected:
  void SetUp() override {
    Verify({.suspendable = true, .defaults = "elastic: 0.5:2"},
           "carbon-scaler");
    EXPECT_GT(run_["resizes"], 0);
    // The later of two stretches at different widths without a pause.
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (size_t j = 0; j < rows_.size(); ++j) {
        if (rows_[j].job != rows_[i].job || rows_[j].start != rows_[i].end ||
            rows_[j].count == rows_[i].count || rows_[j].segment == 0) {
          continue;
        }
        resized_ = &rows_[j];
      }
    }
    ASSERT_NE(resized_, nullptr);
  }
  CheckedRow* resized_ = nullptr;
};

TEST_F(SpoiltElasticScheduleTest, WidthThatChangesForNothingIsRefused) {
  EXPECT_GE(resized_->overhead, 180'000'000) << "a restart of 3 minutes";
  resized_->overhead -= 180'000'000;
  ExpectRefused("overhead");
}

TEST_F(SpoiltElasticScheduleTest, WidthOutsideOfTheRangeIsRefused) {
  resized_->count *= 16;
  resized_->co2e_g *= 16;
  ExpectRefused("count");
}

TEST_F(SpoiltScheduleTest, BrokenPromiseThatIsNotReportedIsRefused) {
  run_["promises_broken"] = run_["promises_broken"].get<int>() + 1;
  ExpectRefused("figure: promises_broken");
}

TEST_F(SpoiltScheduleTest, EveryFigureIsRecomputed) {
  for (const char* name :
       {"co2e_g", "idle_co2e_g", "energy_kwh", "bounded_slowdown_mean", "jobs",
        "suspensions", "moves", "unfinished"}) {
    const nlohmann::json kept = run_;
    run_[name] = run_[name].get<double>() * 1.001 + 0.01;
    ExpectRefused(std::string("figure: ") + name);
    run_ = kept;
  }
  for (const char* name : {"mean", "p50", "p95", "p99"}) {
    const nlohmann::json kept = run_;
    run_["wait_s"][name] = run_["wait_s"][name].get<double>() + 1;
    ExpectRefused(std::string("figure: wait_s/") + name);
    run_ = kept;
  }
  run_["peak_accelerators"]["at-gas"] = 1000;
  ExpectRefused("figure: peak_accelerators");
}

// Everything at the cleanest site at its submission: more than it holds.
TEST_F(SpoiltScheduleTest, OverfullSiteIsRefused) {
  const TemporaryFolder folder;
  // The same jobs with room for all of them at one site.
  const std::string roomy =
      WriteSmallScenario(folder, {.accelerators = 9600, .suspendable = true});
  const Ran ran = RunScenario({.scenario = roomy,
                               .policies = {"fcfs"},
                               .schedule_dir = folder.path(),
                               .output = "json"});
  ASSERT_TRUE(ran.ok) << ran.error;
  rows_ = ScheduleChecker::ReadSchedule(folder.path() + "/fcfs.csv");
  run_ = ran.json["runs"][0];
  ExpectRefused("capacity");
  ExpectRefused("nodes");
}

TEST(SimulationTest, GivesTheSameBytesOnAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const std::string scenario = WriteSmallScenario(
      folder, {.suspendable = true, .forecast = "{name: noisy, error: 0.2}"});
  std::vector<std::string> outputs, schedules;
  for (const int threads : {1, 4, 1}) {
    const TemporaryFolder out;
    const Ran ran = RunScenario({.scenario = scenario,
                                 .threads = threads,
                                 .schedule_dir = out.path(),
                                 .output = "json",
                                 .timing = false});
    ASSERT_TRUE(ran.ok) << ran.error;
    outputs.push_back(ran.out);
    schedules.push_back(ReadAll(out.path() + "/planner.csv") +
                        ReadAll(out.path() + "/wait-awhile.csv"));
  }
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_EQ(outputs[0], outputs[2]);
  EXPECT_EQ(schedules[0], schedules[1]);
  EXPECT_EQ(schedules[0], schedules[2]);
}

}  // namespace
}  // namespace ccsched::testing
