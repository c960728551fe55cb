// Commands against a scheduler that answers as the test says.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/commands_fixture.h"

namespace ccsched {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(CommandsTest, AFlagGoesOverTheEnvironmentAndThatOverTheFile) {
  const std::string file = testing::TempDir() + "/project.yaml";
  std::ofstream(file) << "command: ['true']\nproject: file\n";
  const auto project_of = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> args = {"submit", file};
    args.insert(args.end(), flags.begin(), flags.end());
    EXPECT_EQ(Run(args), 0) << err_.str();
    return scheduler_.submitted.back().project();
  };
  EXPECT_EQ(project_of({}), "file");
  project_ = "environment";
  EXPECT_EQ(project_of({}), "environment");
  EXPECT_EQ(project_of({"--project", "flag"}), "flag");
}

TEST_F(CommandsTest, SubmitPrintsTheJobsNumber) {
  scheduler_.submit_response.set_job_id(123);
  scheduler_.submit_response.set_jobs(1);
  EXPECT_EQ(Run({"submit", "--name", "t", "--", "echo", "--name", "x"}), 0);
  EXPECT_EQ(out_.str(), "Submitted job 123\n");
  ASSERT_EQ(scheduler_.submitted.size(), 1);
  EXPECT_THAT(scheduler_.submitted[0].command(),
              ElementsAre("echo", "--name", "x"));
  EXPECT_EQ(scheduler_.submitted[0].name(), "t");
  EXPECT_EQ(Run({"submit", "--parsable", "--", "true"}), 0);
  EXPECT_EQ(out_.str(), "123\n");
  EXPECT_EQ(Run({"submit", "-o", "json", "--", "true"}), 0);
  EXPECT_EQ(out_.str(),
            "{\"schema\":\"ccsched.submitted/v1\",\"job_id\":123,"
            "\"last_job_id\":123,\"jobs\":1,\"existed\":false,"
            "\"warning\":\"\"}\n");
  scheduler_.submit_response.set_warning("it is held by a budget");
  EXPECT_EQ(Run({"submit", "--", "true"}), 0);
  EXPECT_EQ(out_.str(), "Submitted job 123\n");
  EXPECT_EQ(err_.str(), "ccsched: it is held by a budget\n");
}

TEST_F(CommandsTest, EveryOptionOfSubmitReachesTheJob) {
  EXPECT_EQ(Run({"submit",
                 "--name=n",
                 "--accelerators=8",
                 "--accelerator=a,b",
                 "--nodes=2",
                 "--time-limit=2h",
                 "--runtime=1h",
                 "--finish-by=2026-01-09T00:00:00Z",
                 "--max-delay=12h",
                 "--site=s",
                 "--region=r,q",
                 "--suspendable",
                 "--grace=1m",
                 "--priority=-5",
                 "--project=p",
                 "--env=A=1,2",
                 "--workdir=/w",
                 "--output=o-%j",
                 "--array=0-3",
                 "--after=4,5",
                 "--key=k",
                 "--hold",
                 "--checkpoint=2m",
                 "--restart=3m",
                 "--signal=SIGUSR1",
                 "--",
                 "true"}),
            0)
      << err_.str();
  ASSERT_EQ(scheduler_.submitted.size(), 1);
  v1::JobSpec job = scheduler_.submitted[0];
  job.clear_user();
  EXPECT_EQ(job.DebugString(),
            Parsed<v1::JobSpec>(
                "{name: n, command: ['true'], accelerators: 8, accelerator: "
                "[a, b], nodes: 2, time_limit: 2h, runtime: 1h, finish_by: "
                "2026-01-09T00:00:00Z, max_delay: 12h, site: s, region: [r, "
                "q], suspendable: true, grace: 1m, priority: -5, project: p, "
                "env: {A: '1,2'}, workdir: /w, output: o-%j, array: 0-3, "
                "after: [4, 5], key: k, hold: true, checkpoint: 2m, restart: "
                "3m, warn_signal: USR1}")
                .DebugString());
  EXPECT_EQ(Run({"submit", "--elastic=2:8", "--", "true"}), 0);
  EXPECT_EQ(scheduler_.submitted[1].elastic(), "2:8");
  EXPECT_EQ(
      Run({"submit", "--elastic=2:8", "--speedup=0.5=0.6,1=1", "--", "true"}),
      0);
  ASSERT_EQ(scheduler_.submitted[2].speedup_size(), 2);
  EXPECT_EQ(scheduler_.submitted[2].speedup(0).width(), 0.5);
  EXPECT_EQ(scheduler_.submitted[2].speedup(0).speed(), 0.6);
}

TEST_F(CommandsTest, AScriptIsSentWholeAndFlagsGoOverItsHeader) {
  const std::string path = testing::TempDir() + "/commands_test_job.sh";
  const std::string script =
      "#!/bin/sh\n#SBATCH -J theirs --gres=gpu:v100:2 -N 2\n"
      "#CCSCHED --max-delay 3h\necho\n";
  std::ofstream(path) << script;
  EXPECT_EQ(Run({"submit", path, "--max-delay", "5h"}), 0) << err_.str();
  ASSERT_EQ(scheduler_.submitted.size(), 1);
  const v1::JobSpec& job = scheduler_.submitted[0];
  EXPECT_EQ(job.script(), script);
  EXPECT_EQ(job.name(), "theirs");
  EXPECT_EQ(job.accelerators(), 4);
  EXPECT_EQ(job.max_delay().seconds(), 5 * 3600);
  EXPECT_THAT(job.command(), IsEmpty());
}

TEST_F(CommandsTest, AScriptTakesArguments) {
  const std::string path = testing::TempDir() + "/commands_test_args.sh";
  std::ofstream(path) << "#!/bin/sh\necho \"$@\"\n";
  EXPECT_EQ(Run({"submit", path, "--", "--lr", "0.1", ""}), 0) << err_.str();
  ASSERT_EQ(scheduler_.submitted.size(), 1);
  const v1::JobSpec& job = scheduler_.submitted[0];
  EXPECT_THAT(job.script(), HasSubstr("echo"));
  EXPECT_EQ(job.name(), "commands_test_args.sh");
  EXPECT_THAT(job.command(), ElementsAre("--lr", "0.1", ""));
}

TEST_F(CommandsTest, AScriptThatNoKernelWouldRunIsRefused) {
  const std::string path = testing::TempDir() + "/commands_test_crlf.sh";
  std::ofstream(path) << "#!/bin/bash\r\necho\r\n";
  EXPECT_EQ(Run({"submit", path}), 2);
  EXPECT_THAT(err_.str(), HasSubstr(path + ":1: the line ends in a carriage"));
  std::ofstream(path) << "#!/bin/bash\necho\r\n";
  EXPECT_EQ(Run({"submit", path}), 0) << err_.str();
}

TEST_F(CommandsTest, AJobIsAnothersIfItIsSaidSo) {
  EXPECT_EQ(Run({"submit", "--user=ada", "--", "true"}), 0) << err_.str();
  ASSERT_EQ(scheduler_.submitted.size(), 1);
  EXPECT_EQ(scheduler_.submitted[0].user(), "ada");
}

TEST_F(CommandsTest, AYamlJobTakesTimesAsTheFlagDoes) {
  const std::string path = testing::TempDir() + "/commands_test_times.yaml";
  std::ofstream(path) << "command: 'true'\nkey: k\nfinish_by: +3h\n";
  scheduler_.status.mutable_now()->set_seconds(1000);
  EXPECT_EQ(Run({"submit", path}), 0) << err_.str();
  EXPECT_EQ(Run({"submit", path, "--finish-by=+4h"}), 0) << err_.str();
  EXPECT_EQ(Run({"submit", path, "--finish-by=2026-01-05T08:00:00Z"}), 0);
  ASSERT_EQ(scheduler_.submitted.size(), 3);
  EXPECT_EQ(scheduler_.submitted[0].finish_by().seconds(), 1000 + 3 * 3600);
  EXPECT_EQ(scheduler_.submitted[0].finish_by_text(), "+3h");
  EXPECT_EQ(scheduler_.submitted[1].finish_by_text(), "+4h");
  EXPECT_EQ(scheduler_.submitted[2].finish_by_text(), "");
  EXPECT_EQ(scheduler_.submitted[2].finish_by().seconds(), 1767600000);
  std::ofstream(path) << "command: 'true'\nenv_exported: true\n";
  EXPECT_EQ(Run({"submit", path}), 2);
  EXPECT_THAT(err_.str(), HasSubstr(path + ":2: env_exported is not for"));
}

TEST_F(CommandsTest, AWrongValueInAScriptIsToldWithItsLine) {
  const std::string path = testing::TempDir() + "/commands_test_wrong.sh";
  std::ofstream(path) << "#!/bin/sh\n\n#CCSCHED --max-delay soon\necho\n";
  EXPECT_EQ(Run({"submit", path}), 2);
  EXPECT_THAT(err_.str(), HasSubstr(path + ":3: --max-delay: 'soon'"));
  EXPECT_EQ(Run({"submit", path, "--grace", "soon"}), 2);
  EXPECT_EQ(Run({"submit", path, "--max-delay", "never", "--runtime", "1h"}),
            2);
  EXPECT_THAT(err_.str(), HasSubstr("ccsched: --max-delay: 'never'"));
  EXPECT_THAT(scheduler_.submitted, IsEmpty());
  EXPECT_EQ(Run({"submit", path, "--max-delay", "1h"}), 0) << "a flag counts";
}

// A key goes by what was given, not by which shell it was submitted from.
TEST_F(CommandsTest, AWholeEnvironmentIsToldFromWhatWasGiven) {
  const std::string path = testing::TempDir() + "/commands_test_export.sh";
  std::ofstream(path) << "#!/bin/sh\n#SBATCH --export=ALL,LR=0.1\necho\n";
  EXPECT_EQ(Run({"submit", path, "--env", "SEED=7"}), 0) << err_.str();
  const v1::JobSpec& job = scheduler_.submitted.back();
  EXPECT_TRUE(job.env_exported());
  EXPECT_THAT(job.env_given(), ElementsAre("LR", "SEED"));
  EXPECT_EQ(job.env().at("LR"), "0.1");
  EXPECT_GT(job.env_size(), 2) << "the tests' own environment";
}

TEST_F(CommandsTest, ADryRunSubmitsNothing) {
  scheduler_.preview_response = Parsed<v1::PreviewResponse>(
      "policy: lowest-window\n"
      "offers:\n"
      "- {site: oslo, accelerator: a100, count: 2, chosen: true, co2e_g: 47, "
      "energy_kwh: 0.88, price_g: 3.5, start: 2026-01-05T21:00:00Z, "
      "start_p50: 2026-01-05T21:00:00Z, start_p90: 2026-01-05T21:30:00Z, "
      "finish_p50: 2026-01-05T22:00:00Z, finish_p90: "
      "2026-01-05T23:30:00Z}\n"
      "- {site: rome, accelerator: v100, count: 2, co2e_g: 1500}\n"
      "reason: {code: cleaner-hour, text: waits}\n");
  EXPECT_EQ(Run({"submit", "--dry-run", "--", "true"}), 0);
  EXPECT_THAT(scheduler_.submitted, IsEmpty());
  EXPECT_EQ(
      out_.str(),
      "SITE  ACCELERATORS  START P50          START P90          "
      "FINISH P50         FINISH P90         ENERGY     CO2E  + PRICE  "
      "CHOSEN  NOTE\n"
      "oslo        2 a100  2026-01-05 21:00Z  2026-01-05 21:30Z  "
      "2026-01-05 22:00Z  2026-01-05 23:30Z  880 Wh   47.0 g   3.50 g  *\n"
      "rome        2 v100  -                  -                  "
      "-                  -                       -  1.50 kg      0 g\n"
      "\nlowest-window: waits\n");
  EXPECT_EQ(Run({"submit", "--dry-run", "-o", "csv", "--", "true"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("oslo,a100,2,2026-01-05T21:00:00Z,"));
  EXPECT_EQ(Run({"submit", "--dry-run", "-o", "json", "--", "true"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("{\"schema\":\"ccsched.offers/v1\","));
  EXPECT_THAT(err_.str(), IsEmpty());
  scheduler_.preview_response.add_notes("its key is job 7's");
  EXPECT_EQ(Run({"submit", "--dry-run", "--", "true"}), 0);
  EXPECT_EQ(err_.str(), "ccsched: its key is job 7's\n");
  EXPECT_EQ(Run({"submit", "--dry-run", "-o", "json", "--", "true"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"notes\":[\"its key is job 7's\"]"));
}

TEST_F(CommandsTest, WaitExitsAsTheJobDid) {
  scheduler_.submit_response.set_job_id(1);
  const auto end = [&](v1::Job job) {
    scheduler_.watches.push_back(
        {{JobIn(1, v1::JOB_RUNNING), job}, absl::OkStatus()});
    return Run({"submit", "--wait", "--", "true"});
  };
  EXPECT_EQ(end(JobIn(1, v1::JOB_SUCCEEDED)), 0);
  EXPECT_EQ(end(JobIn(1, v1::JOB_FAILED, 42)), 42);
  EXPECT_EQ(end(JobIn(1, v1::JOB_TIMED_OUT)), 124);
  EXPECT_EQ(end(JobIn(1, v1::JOB_CANCELLED)), 1);
  v1::Job killed = JobIn(1, v1::JOB_FAILED);
  killed.add_attempts()->set_signal(9);
  EXPECT_EQ(end(killed), 137);
}

TEST_F(CommandsTest, QueueTakesAllPages) {
  for (uint64_t id = 1; id <= 5; ++id) {
    scheduler_.jobs.push_back(JobIn(id, v1::JOB_DEFERRED));
  }
  scheduler_.jobs[0].mutable_spec()->set_name("näme");
  EXPECT_EQ(Run({"queue", "-o", "csv"}), 0);
  std::istringstream lines(out_.str());
  int count = 0;
  for (std::string line; std::getline(lines, line);) ++count;
  EXPECT_EQ(count, 6);
  EXPECT_EQ(Run({"queue", "-n", "3"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("  2 ")));
  EXPECT_THAT(out_.str(), ContainsRegex("  3 .*\n  4 .*\n  5 "));
  EXPECT_EQ(Run({"queue", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"co2e_g\":null"));
  EXPECT_THAT(out_.str(), HasSubstr("\"state\":\"deferred\""));
}

TEST_F(CommandsTest, AnElasticJobIsAsWideAsItRuns) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 1, state: JOB_QUEUED, spec: {name: e, elastic: '2:8'}}"));
  EXPECT_EQ(Run({"queue"}), 0);
  EXPECT_THAT(out_.str(), ContainsRegex("queued +8 "));
  EXPECT_EQ(Run({"show", "1"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("8 of any type, elastic 2:8"));
  EXPECT_EQ(Run({"show", "1", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"accelerators\":8"));
  scheduler_.jobs[0] = Parsed<v1::Job>(
      "{id: 1, state: JOB_RUNNING, spec: {name: e, elastic: '2:8'}, attempts: "
      "[{epoch: 1, site: oslo, accelerator: v100, count: 4}]}");
  EXPECT_EQ(Run({"queue"}), 0);
  EXPECT_THAT(out_.str(), ContainsRegex("running +4 v100"));
}

TEST_F(CommandsTest, UnknownEnergyIsNotZeroInAReport) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      "{rows: [{key: oslo, jobs: 2, unknown_energy_attempts: 1}, {key: rome, "
      "jobs: 1, energy_kwh: 2, co2e_g: 1200, baseline_co2e_g: 1000}], total: "
      "{jobs: 3}, baseline: in words}");
  EXPECT_EQ(Run({"report"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("energy unknown of 1 attempt"));
  EXPECT_THAT(out_.str(), HasSubstr("1.20 kg"));
  EXPECT_THAT(out_.str(), HasSubstr("-20.0 %"));
  EXPECT_THAT(err_.str(), HasSubstr("in words"));
  EXPECT_EQ(Run({"report", "-o", "csv", "--by", "project"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("project,jobs,"));
  EXPECT_THAT(out_.str(), HasSubstr("oslo,2,0,0,,,,,,false,1,0,,,0,,,,,0,,"));
  EXPECT_EQ(scheduler_.reports[1].by(), "project");
}

TEST_F(CommandsTest, AReportShowsGrossBesideNetAndWhatWasIdle) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      "{rows: [{key: oslo, jobs: 2, energy_kwh: 3, co2e_g: 1500, net_co2e_g: "
      "900, cfe_score: 0.4, cfe_known_share: 1, embodied_co2e_g: 20}], total: "
      "{jobs: 2, energy_kwh: 3, co2e_g: 1500, net_co2e_g: 900, cfe_score: 0.4, "
      "cfe_known_share: 1, embodied_co2e_g: 20, restated_slices: 3, "
      "restated_last: 2026-03-02T00:00:00Z}, unallocated: [{key: oslo, "
      "energy_kwh: 1, co2e_g: 500, net_co2e_g: 300}], unallocated_total: "
      "{energy_kwh: 1, co2e_g: 500, net_co2e_g: 300}, metered_kwh: 3.5, "
      "unmetered_kwh: 0.5}");
  EXPECT_EQ(Run({"report"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("GROSS"));
  EXPECT_THAT(out_.str(), HasSubstr("NET"));
  EXPECT_THAT(out_.str(), HasSubstr("EMBODIED"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("MARGINAL"))) << "nothing is known";
  EXPECT_THAT(out_.str(), HasSubstr("idle oslo"));
  EXPECT_THAT(out_.str(), HasSubstr("40.0 %"));
  EXPECT_THAT(err_.str(),
              HasSubstr("Meters: 3.5 kWh = jobs 3 kWh + idle 1 kWh - "
                        "500 Wh not metered (yet)"));
  EXPECT_THAT(err_.str(), HasSubstr("later: 3 stretches, last 2026-03-02"));
  EXPECT_EQ(Run({"report", "-o", "json", "--as-of", "2026-03-01T00:00:00Z"}),
            0);
  EXPECT_THAT(out_.str(), HasSubstr("\"net_co2e_g\":900"));
  EXPECT_THAT(out_.str(), HasSubstr("\"unallocated\":[{\"site\":\"oslo\""));
  EXPECT_EQ(scheduler_.reports[1].as_of().seconds(), 1'772'323'200);
  EXPECT_EQ(Run({"report", "-o", "ghg"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("idle oslo,"));
  EXPECT_EQ(Run({"report", "-o", "codecarbon", "--as-of", "2026-03-01"}), 2);
}

TEST_F(CommandsTest, AForecastIsDrawnWithItsBandAndAge) {
  scheduler_.forecast = Parsed<v1::GetForecastResponse>(
      "{regions: [{region: no, start: 2026-01-05T00:00:00Z, step: 1h, "
      "intensity: [100, 200], intensity_p10: [50, 150], intensity_p90: [150, "
      "400], state: stale, age: 30h, basis: average-lifecycle, source: "
      "push}]}");
  EXPECT_EQ(Run({"forecast", "no"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("50-150"));
  EXPECT_THAT(out_.str(), HasSubstr("▓"));
  EXPECT_THAT(out_.str(), HasSubstr("░"));
  EXPECT_THAT(err_.str(), HasSubstr("data stale, 1d6h old"));
  EXPECT_EQ(Run({"forecast"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("56 %")) << "the mean of 50 and 62.5";
  EXPECT_EQ(Run({"forecast", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"p10_g_per_kwh\":50,\"p50_g_per_kwh\":"
                                    "100,\"p90_g_per_kwh\":150"));
  EXPECT_THAT(out_.str(), HasSubstr("\"age_s\":108000"));
}

TEST_F(CommandsTest, AJobsHistoryHasWhatWasRestated) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_SUCCEEDED, emissions: [{epoch: 1, start: "
      "2026-01-05T00:00:00Z, end: 2026-01-05T01:00:00Z, energy_kwh: 1, "
      "intensity: 500, co2e_g: 500, data_version: forecast x, superseded_at: "
      "2026-01-07T00:00:00Z}, {epoch: 1, start: 2026-01-05T00:00:00Z, end: "
      "2026-01-05T01:00:00Z, energy_kwh: 1, intensity: 300, co2e_g: 300, "
      "data_version: actual x, revision: 1}]}"));
  EXPECT_EQ(Run({"show", "4"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("forecast x")));
  EXPECT_EQ(Run({"show", "4", "--history"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("forecast x"));
  EXPECT_THAT(out_.str(), HasSubstr("actual x"));
  EXPECT_EQ(Run({"show", "4", "--history", "-o", "csv"}), 0);
  const std::string csv = out_.str();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

TEST_F(CommandsTest, PolicySetSendsItsParameters) {
  EXPECT_EQ(Run({"policy", "set", "planner", "step_h=2", "rounds=5"}), 0);
  ASSERT_EQ(scheduler_.set_policies.size(), 1);
  EXPECT_EQ(scheduler_.set_policies[0].name(), "planner");
  EXPECT_EQ(scheduler_.set_policies[0].parameters().at("step_h"), "2");
  EXPECT_EQ(Run({"policy", "set", "planner", "step_h"}), 2);
}

TEST_F(CommandsTest, AParameterIsGivenOnce) {
  EXPECT_EQ(Run({"policy", "set", "planner", "haste=1", "haste=2"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("'haste=2': haste is given twice\n"));
  EXPECT_THAT(scheduler_.set_policies, IsEmpty());
  EXPECT_EQ(
      Run({"policy", "shadow", "planner", "--set", "a=1", "--set", "a=1"}), 2);
  EXPECT_THAT(scheduler_.set_shadows, IsEmpty());
}

TEST_F(CommandsTest, MoneyStandsBesideCarbonEachCurrencyByItself) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      "{rows: [{key: oslo, co2e_g: 5, cost: [{currency: EUR, electricity: 1.5, "
      "accelerators: 2}, {currency: USD, electricity: -0.5}], unpriced_kwh: "
      "3}], total: {cost: [{currency: EUR, electricity: 1.5}]}}");
  EXPECT_EQ(Run({"report"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("3.50 EUR + -0.5000 USD"));
  EXPECT_THAT(out_.str(), HasSubstr("no price of 3 kWh"));
  scheduler_.preview_response = Parsed<v1::PreviewResponse>(
      "{policy: p, offers: [{site: oslo, co2e_g: 47, cost: 12.5, currency: "
      "USD}, {site: rome, co2e_g: 50}]}");
  EXPECT_EQ(Run({"submit", "--dry-run", "--", "true"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("12.50 USD"));
}

TEST_F(CommandsTest, SavedIsOfEndedJobsAlone) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      "{rows: [{key: oslo, co2e_g: 895, baseline_co2e_g: 10, compared_co2e_g: "
      "9}], total: {co2e_g: 9, baseline_co2e_g: 10, compared_co2e_g: 9}}");
  EXPECT_EQ(Run({"report"}), 0);
  EXPECT_THAT(out_.str(),
              ContainsRegex("oslo .* 10.0 %.*saved: of the 9.00 g"));
  EXPECT_THAT(out_.str(), ContainsRegex("total .* 10.0 % +- *\n"));
  EXPECT_EQ(Run({"report", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"compared_co2e_g\":9"));
}

TEST_F(CommandsTest, ProjectsShowWhatIsLeftOfTheirBudgets) {
  scheduler_.projects = Parsed<v1::ProjectsResponse>(
      "{projects: [{name: vision, share: 3, charged_accelerator_hours: 12.25, "
      "accelerators: 8, budget: {limit_g: 1000, period: month, action: hold, "
      "used_g: 700, expected_g: 400, jobs_held: 2}}, {name: speech, share: 1}"
      "]}");
  EXPECT_EQ(Run({"projects"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("1.00 kg/month"));
  EXPECT_THAT(out_.str(), HasSubstr("-100 g"));
  EXPECT_THAT(out_.str(), HasSubstr("12.2 acc-h"));
  EXPECT_EQ(Run({"projects", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"left_co2e_g\":-100"));
  EXPECT_THAT(out_.str(), HasSubstr("\"budget_co2e_g\":null"));
  scheduler_.report =
      Parsed<v1::ReportResponse>("{rows: [{key: vision, co2e_g: 700}]}");
  EXPECT_EQ(Run({"report", "--by", "project"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("1.00 kg/month"));
  EXPECT_EQ(Run({"report"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("BUDGET")));
}

TEST_F(CommandsTest, AShadowIsSetShownAndEnded) {
  EXPECT_EQ(Run({"policy", "shadow", "planner", "--set", "wait_g_per_h=2"}), 0);
  ASSERT_EQ(scheduler_.set_shadows.size(), 1);
  EXPECT_EQ(scheduler_.set_shadows[0].name(), "planner");
  EXPECT_EQ(scheduler_.set_shadows[0].parameters().at("wait_g_per_h"), "2");
  EXPECT_EQ(Run({"policy", "shadow", "off"}), 0);
  EXPECT_EQ(scheduler_.set_shadows[1].name(), "");
  EXPECT_EQ(Run({"policy", "shadow", "planner", "--set", "x"}), 2);
  scheduler_.policies = Parsed<v1::PoliciesResponse>(
      "{policies: [{name: fcfs, summary: s, current: true}]}");
  scheduler_.shadow = Parsed<v1::ShadowResponse>(
      "{policy: planner, live_policy: fcfs, compared: 8, agreed: 6, live: "
      "{co2e_g: 500, wait_mean_s: 0}, shadow: {co2e_g: 400, wait_mean_s: 3600}"
      ", latest: [{job_id: 7, shadow_site: oslo}]}");
  EXPECT_EQ(Run({"policy", "show"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("6 (75.0 %)"));
  EXPECT_THAT(out_.str(), HasSubstr("400 g"));
  EXPECT_THAT(out_.str(), HasSubstr("not started"));
  EXPECT_EQ(Run({"policy", "show", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"agreement\":0.75"));
}

TEST_F(CommandsTest, ColourIsForTerminalsOrWhenAskedFor) {
  scheduler_.jobs.push_back(JobIn(1, v1::JOB_RUNNING));
  Run({"queue"});
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b[")));
  Run({"queue", "--color", "always"});
  EXPECT_THAT(out_.str(), HasSubstr("\x1b[32mrunning"));
  Run({"--color=never", "queue"});
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b[")));
}

TEST_F(CommandsTest, TheManualHasEachCommandsOwnHelp) {
  ASSERT_EQ(Run({"manual"}), 0);
  const std::string manual = out_.str();
  for (const char* command : {"submit", "queue", "why", "drain", "report",
                              "sim run", "dev up", "forecast push"}) {
    EXPECT_THAT(manual, HasSubstr(std::string(".SS ccsched ") + command));
  }
  EXPECT_THAT(manual, HasSubstr("\\-\\-finish\\-by TIME"));
  EXPECT_THAT(manual, HasSubstr("\\-\\-address ADDRESS"));
  // No line of it may be taken for a request of roff's.
  std::istringstream lines(manual);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_NE(line.substr(0, 1), "'") << line;
  }
}

TEST_F(CommandsTest, CompletesInFishWhatBelongsToACommand) {
  ASSERT_EQ(Run({"completion", "fish"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("'__fish_use_subcommand' -a 'submit' -d"));
  EXPECT_THAT(out_.str(),
              HasSubstr("'__fish_seen_subcommand_from submit' -l finish-by\n"));
  EXPECT_THAT(out_.str(), HasSubstr("-a 'push' -d 'hand the scheduler"));
}

}  // namespace
}  // namespace ccsched
