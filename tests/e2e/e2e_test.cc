// The whole way through, with the real binaries: submit, place or defer, run,
// account, report.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/shell.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Json = nlohmann::json;

// One embedded cluster for all tests: three sites, an hour in two seconds.
class EndToEndTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string pattern = fs::temp_directory_path() / "ccsched-e2e-XXXXXX";
    dir_ = new std::string(mkdtemp(pattern.data()));
    const CommandResult up = Ccsched({"dev", "up", "--clock-rate", "1800",
                                      "--start", "2026-06-15T17:00:00Z"});
    ASSERT_EQ(up.status, 0) << up.err;
  }
  static void TearDownTestSuite() {
    Ccsched({"dev", "down"});
    std::error_code ignored;
    fs::remove_all(*dir_, ignored);
    delete dir_;
  }

  static CommandResult Ccsched(std::vector<std::string> args) {
    args.insert(args.begin(), CCSCHED);
    return RunCommand(args, *dir_,
                      {"CCSCHED_DEV_DIR=" + *dir_ + "/dev", "NO_COLOR=1"});
  }
  // Submits by the options given and returns the job's number.
  static std::string Submit(std::vector<std::string> args) {
    args.insert(args.begin(), {"submit", "--parsable"});
    const CommandResult result = Ccsched(args);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out.substr(0, result.out.find('\n'));
  }
  static Json Show(const std::string& job) {
    const CommandResult result = Ccsched({"show", job, "-o", "json"});
    EXPECT_EQ(result.status, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  // Asks again and again; false if it is not so within `patience`.
  template <typename Done>
  static bool Eventually(absl::Duration patience, Done done) {
    const absl::Time deadline = absl::Now() + patience;
    while (!done()) {
      if (absl::Now() > deadline) return false;
    }
    return true;
  }
  static std::string WriteFile(const std::string& name,
                               const std::string& text) {
    std::ofstream(*dir_ + "/" + name) << text;
    return *dir_ + "/" + name;
  }

  static std::string* dir_;
};

std::string* EndToEndTest::dir_ = nullptr;

TEST_F(EndToEndTest, RunsARealProcessAndKeepsItsOutput) {
  const std::string job = Submit(
      {"--max-delay", "0s", "--", "sh", "-c", "echo hello from $CCSCHED_SITE"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_THAT(Ccsched({"logs", job}).out, HasSubstr("hello from "));
  EXPECT_EQ(Show(job)["state"], "succeeded");
}

TEST_F(EndToEndTest, BringsBackTheExitCodeOfAJobThatFails) {
  const CommandResult result = Ccsched(
      {"submit", "--wait", "--max-delay", "0s", "--", "sh", "-c", "exit 7"});
  EXPECT_EQ(result.status, 7) << result.err;
}

TEST_F(EndToEndTest, DefersToACleanerHourAndSaysWhy) {
  const std::string job = Submit({"--site", "coalport", "--max-delay", "23h",
                                  "--runtime", "2h", "--", "true"});
  const Json shown = Show(job);
  EXPECT_EQ(shown["state"], "deferred") << shown;
  const CommandResult why = Ccsched({"why", job});
  EXPECT_EQ(why.status, 0);
  EXPECT_THAT(why.out, HasSubstr("cleaner hour"));
  EXPECT_EQ(Ccsched({"cancel", job}).status, 0);
  EXPECT_EQ(Show(job)["state"], "cancelled");
}

TEST_F(EndToEndTest, SendsAJobToACleanerSiteThanTheFirst) {
  const std::string job =
      Submit({"--max-delay", "0s", "--runtime", "1h", "--", "true"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  const Json shown = Show(job);
  EXPECT_NE(shown["site"], "coalport") << shown;
  EXPECT_EQ(shown["baseline_site"], "coalport") << shown;
}

TEST_F(EndToEndTest, GivesAGangDistinctAccelerators) {
  const std::string job =
      Submit({"--accelerators", "4", "--max-delay", "0s", "--", "sh", "-c",
              "echo $CUDA_VISIBLE_DEVICES"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Ccsched({"logs", job}).out.size(), std::string("0,1,2,3\n").size());
}

TEST_F(EndToEndTest, RunsEachIndexOfAnArrayOnce) {
  const std::string first = Submit({"--array", "0-3", "--max-delay", "0s", "--",
                                    "sh", "-c", "exit $CCSCHED_ARRAY_INDEX"});
  const uint64_t id = std::stoull(first);
  for (int i = 0; i < 4; ++i) {
    const std::string job = std::to_string(id + i);
    Ccsched({"wait", job});
    EXPECT_EQ(Show(job)["exit_code"], i) << job;
  }
}

TEST_F(EndToEndTest, StartsADependantAfterItsParentAndNotAfterAFailure) {
  const std::string parent =
      Submit({"--hold", "--max-delay", "0s", "--", "true"});
  const std::string child =
      Submit({"--after", parent, "--max-delay", "0s", "--", "true"});
  EXPECT_EQ(Show(child)["state"], "blocked");
  EXPECT_EQ(Ccsched({"release", parent}).status, 0);
  EXPECT_EQ(Ccsched({"wait", child}).status, 0);

  const std::string failing =
      Submit({"--hold", "--max-delay", "0s", "--", "false"});
  const std::string orphan =
      Submit({"--after", failing, "--max-delay", "0s", "--", "true"});
  Ccsched({"release", failing});
  EXPECT_NE(Ccsched({"wait", orphan}).status, 0);
  EXPECT_EQ(Show(orphan)["state"], "cancelled");
}

// The same training, once left alone and once started anew at other widths.
TEST_F(EndToEndTest, AnElasticJobIsResizedAndEndsWithTheSameWeights) {
  if (RunCommand({"/usr/bin/env", "python3", "--version"}, *dir_, {}).status !=
      0) {
    GTEST_SKIP() << "no python3 on this machine";
  }
  const std::string examples = CCSCHED_SOURCE_DIR "/deploy/examples";
  const auto train = [&](const std::string& state) {
    fs::create_directory(*dir_ + "/" + state);
    return Submit({"--max-delay", "0s", "--accelerators", "2", "--elastic",
                   "1:4", "--env", "PYTHONPATH=" + examples, "--env",
                   "PYTHONDONTWRITEBYTECODE=1", "--", "python3",
                   examples + "/train.py", "--steps", "4000", "--state",
                   *dir_ + "/" + state});
  };
  // Its first width is the planner's choice: of others' tests jobs may run yet.
  const auto width_of_log = [&](const std::string& job, int after) {
    int width = 0;
    Eventually(absl::Seconds(40), [&] {
      const std::string log = Ccsched({"logs", job}).out;
      for (const int w : {1, 2, 3, 4}) {
        const std::string text = " width " + std::to_string(w);
        if (w != after && absl::StrContains(log, text)) width = w;
      }
      return width != 0;
    });
    return width;
  };
  const std::string alone = train("alone");
  const std::string resized = train("resized");
  const int first = width_of_log(resized, 0);
  ASSERT_NE(first, 0) << Show(resized);
  const int second = first == 4 ? 2 : 4;
  const CommandResult result =
      Ccsched({"resize", resized, "--accelerators", std::to_string(second)});
  EXPECT_EQ(result.status, 0) << result.err;
  ASSERT_EQ(width_of_log(resized, first), second) << Show(resized);
  EXPECT_EQ(Ccsched({"wait", alone, resized}).status, 0);
  const std::string whole = Ccsched({"logs", alone}).out;
  const std::string parts = Ccsched({"logs", resized}).out;
  ASSERT_NE(whole.find("loss"), std::string::npos) << whole;
  EXPECT_THAT(parts, ::testing::EndsWith(whole.substr(whole.find("loss"))));
  const Json attempts = Show(resized)["attempts"];
  ASSERT_EQ(attempts.size(), 2u) << attempts;
  EXPECT_EQ(attempts[0]["count"], first);
  EXPECT_EQ(attempts[1]["count"], second);
  EXPECT_EQ(attempts[0]["outcome"], "suspended");
  EXPECT_EQ(Ccsched({"resize", resized, "--accelerators", "4"}).status, 1)
      << "it has ended";
}

TEST_F(EndToEndTest, SubmitsOnceUnderAKeyForGood) {
  const std::vector<std::string> args = {"--key", "nightly-7", "--max-delay",
                                         "0s",    "--",        "true"};
  const std::string first = Submit(args);
  EXPECT_EQ(Ccsched({"wait", first}).status, 0);
  EXPECT_EQ(Submit(args), first);
  const CommandResult other = Ccsched(
      {"submit", "--key", "nightly-7", "--max-delay", "1h", "--", "false"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("was given to job " + first));
  EXPECT_THAT(other.err, HasSubstr("command, max_delay"));
}

TEST_F(EndToEndTest, AJobThatNeverWasIsAWrongRequestToWhateverTakesAJob) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{
           {"show"},
           {"show", "--history"},
           {"why"},
           {"logs"},
           {"logs", "-f"},
           {"wait"},
           {"cancel"},
           {"hold"},
           {"release"},
           {"resize", "--accelerators", "2"},
           {"submit", "--after"},
           {"submit", "--dry-run", "--after"}}) {
    std::vector<std::string> args = command;
    args.emplace_back("987654");
    if (command[0] == "submit") args.insert(args.end(), {"--", "true"});
    const CommandResult result = Ccsched(args);
    EXPECT_EQ(result.status, 2) << command[0] << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr("there is no job 987654")) << command[0];
  }
}

TEST_F(EndToEndTest, TakesAnSbatchScriptUnchanged) {
  const std::string script = WriteFile("train.sh",
                                       "#!/bin/bash\n"
                                       "#SBATCH --job-name=train\n"
                                       "#SBATCH --gres=gpu:2\n"
                                       "#SBATCH --time=00:30:00\n"
                                       "#CCSCHED --max-delay 0s\n"
                                       "echo \"job $SLURM_JOB_ID\"\n");
  const std::string job = Submit({script});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Ccsched({"logs", job}).out, "job " + job + "\n");
  EXPECT_EQ(Show(job)["name"], "train");
}

TEST_F(EndToEndTest, AScriptGetsItsArguments) {
  const std::string script = WriteFile(
      "args.sh", "#!/bin/sh\n#CCSCHED --max-delay 0s\nprintf '<%s>' \"$@\"\n");
  const std::string job = Submit({script, "--", "--lr", "a b", ""});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Ccsched({"logs", job}).out, "<--lr><a b><>");
  EXPECT_EQ(Show(job)["script"], true);
  EXPECT_THAT(Ccsched({"show", job}).out,
              HasSubstr("command        script --lr 'a b' ''\n"));
}

// Who stops waiting has not stopped the job, and is told so.
TEST_F(EndToEndTest, AnInterruptedWaitSaysThatTheJobGoesOn) {
  const CommandResult result = RunCommand(
      {"sh", "-c",
       ": >waited\n"
       "\"$0\" submit --wait --max-delay 0s -- sleep 1000 >waited &\n"
       "until grep -q Submitted waited; do sleep 0.02; done\n"
       "kill -TERM $!; wait $!",
       CCSCHED},
      *dir_, {"CCSCHED_DEV_DIR=" + *dir_ + "/dev", "NO_COLOR=1"});
  EXPECT_EQ(result.status, 128 + 15);
  std::string job;
  std::ifstream(*dir_ + "/waited") >> job >> job >> job;
  EXPECT_EQ(result.err, "ccsched: interrupted: job " + job +
                            " goes on; 'ccsched cancel " + job + "' ends it\n");
  EXPECT_EQ(Ccsched({"cancel", job}).status, 0);
}

TEST_F(EndToEndTest, TakesAYamlJob) {
  const std::string yaml = WriteFile(
      "job.yaml", "name: from-yaml\ncommand: [echo, hi]\nmax_delay: 0s\n");
  const std::string job = Submit({yaml});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Show(job)["name"], "from-yaml");
}

TEST_F(EndToEndTest, ADryRunChangesNothing) {
  const CommandResult before = Ccsched({"queue", "--all", "-o", "json"});
  const CommandResult dry =
      Ccsched({"submit", "--dry-run", "--max-delay", "6h", "--", "true"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("solarville"));
  EXPECT_EQ(Ccsched({"queue", "--all", "-o", "json"}).out, before.out);
}

TEST_F(EndToEndTest, RefusesWhatIsWrongWithStatus2AndSaysWhat) {
  const auto refused = [](std::vector<std::string> args) {
    const CommandResult result = Ccsched(args);
    EXPECT_EQ(result.status, 2) << result.out << result.err;
    return result.err;
  };
  EXPECT_THAT(refused({"sumbit"}), HasSubstr("submit"));
  EXPECT_THAT(refused({"submit", "--acelerators", "2", "--", "true"}),
              HasSubstr("--acelerators"));
  EXPECT_THAT(refused({"submit", "--accelerators", "999", "--", "true"}),
              HasSubstr("999"));
  EXPECT_THAT(refused({"submit", "--site", "atlantis", "--", "true"}),
              HasSubstr("atlantis"));
  EXPECT_THAT(
      refused({"submit", "--finish-by", "2020-01-01T00:00:00Z", "--", "true"}),
      HasSubstr("finish"));
  EXPECT_THAT(refused({"drain", "coalport-1", "--reason", "\xff"}),
              HasSubstr("reason: '\\xff' is not UTF-8 text"));
  EXPECT_THAT(
      refused({"drain", "coalport-1", "--reason", std::string(2000, 'x')}),
      HasSubstr("at most 1000"));
  EXPECT_THAT(refused({"submit", WriteFile("bad.yaml", "name: x\nnames: y\n")}),
              HasSubstr("bad.yaml:2"));
}

// The planner plans up to the last promise: it must end, and within memory.
TEST_F(EndToEndTest, APromiseForTheYear9999IsTaken) {
  const std::string far = Submit(
      {"--finish-by", "9999-12-31T00:00:00Z", "--runtime", "1h", "--", "true"});
  const std::string job = Submit({"--max-delay", "0s", "--", "true"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Ccsched({"cancel", far}).status, 0);
}

TEST_F(EndToEndTest, ReachesNobodyWithStatus3) {
  EXPECT_EQ(Ccsched({"--address", "unix:/nowhere/s.sock", "queue"}).status, 3);
}

TEST_F(EndToEndTest, RefusesAForecastWithANegativeValueWhole) {
  const std::string bad = WriteFile("bad.csv",
                                    "utc,intensity\n"
                                    "2026-06-16T00:00:00Z,100\n"
                                    "2026-06-16T01:00:00Z,-5\n");
  const CommandResult result = Ccsched({"forecast", "push", "coalport", bad});
  EXPECT_EQ(result.status, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("bad.csv:3"));
}

TEST_F(EndToEndTest, ReportsEnergyAndCarbonAgainstTheBaseline) {
  const std::string job = Submit({"--project", "llm", "--max-delay", "0s",
                                  "--runtime", "1h", "--", "sleep", "0.2"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  const CommandResult result =
      Ccsched({"report", "--by", "project", "--format", "json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report["schema"], "ccsched.report/v1");
  bool found = false;
  for (const Json& row : report["rows"]) {
    if (row["project"] != "llm") continue;
    found = true;
    EXPECT_GT(row["energy_kwh"], 0);
    EXPECT_GT(row["co2e_g"], 0);
    EXPECT_GT(row["baseline_co2e_g"], 0);
  }
  EXPECT_TRUE(found) << result.out;
}

// The hours that the scheduler knows of a site are those of its file: half an
// hour, three whole ones and half an hour.
TEST_F(EndToEndTest, AFootprintTakesASitesHoursOrThoseOfAFile) {
  std::ifstream grid(*dir_ + "/dev/grid/coalport.csv");
  double hours_g = 0;
  for (std::string line; std::getline(grid, line);) {
    const double weight = line.starts_with("2026-06-15T03:")   ? 0.5
                          : line.starts_with("2026-06-15T04:") ? 1
                          : line.starts_with("2026-06-15T05:") ? 1
                          : line.starts_with("2026-06-15T06:") ? 1
                          : line.starts_with("2026-06-15T07:") ? 0.5
                                                               : 0;
    if (weight > 0) hours_g += weight * std::stod(line.substr(21));
  }
  const std::string runs = WriteFile(
      "runs.yaml",
      "version: 1\nruns:\n"
      "  - {name: a, chips: 30, days: 0.16666666666666666, watts: 100, site: "
      "coalport, start: 2026-06-15T03:30:00Z}\n"
      "  - {name: b, chips: 30, days: 0.16666666666666666, watts: 100, pue: "
      "1.3, grid: {intensity: dev/grid/coalport.csv, start: "
      "2026-06-15T03:30:00Z}}\n");
  const CommandResult result =
      Ccsched({"footprint", "--file", runs, "-o", "json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json found = Json::parse(result.out);
  for (const Json& run : found["runs"]) {
    // 3 kW for four hours, the site's overhead of 30 %.
    EXPECT_NEAR(run["energy_kwh"].get<double>(), 15.6, 1e-6) << run;
    EXPECT_NEAR(run["gross_co2e_kg"].get<double>(), 3 * 1.3 * hours_g / 1000,
                1e-6)
        << run;
  }
  EXPECT_GT(hours_g, 0);
  const auto wrong = [](const std::string& run) {
    return Ccsched({"footprint", "--file",
                    WriteFile("wrong.yaml",
                              "version: 1\nruns:\n  - {name: x, "
                              "chips: 1, watts: 1, pue: 1, " +
                                  run + "}\n")})
        .err;
  };
  EXPECT_THAT(wrong("days: 1, site: coalprot, start: 2026-06-15T00:00:00Z"),
              HasSubstr("wrong.yaml:3: site: there is no \"coalprot\""));
  EXPECT_THAT(wrong("days: 400, site: coalport, start: 2026-06-15T00:00:00Z"),
              HasSubstr("days: 400: the scheduler is asked for at most 366"));
  EXPECT_THAT(wrong("days: 1, grid: {intensity: dev/grid/coalport.csv}"),
              HasSubstr("grid.start is missing"));
}

TEST_F(EndToEndTest, DrainsANodeAndTakesItBack) {
  EXPECT_EQ(Ccsched({"drain", "coalport-1", "--reason", "new fans"}).status, 0);
  EXPECT_THAT(Ccsched({"nodes"}).out, HasSubstr("new fans"));
  EXPECT_EQ(Ccsched({"undrain", "coalport-1"}).status, 0);
  const std::string acts =
      Ccsched({"audit", "--since", "30d", "-o", "csv"}).out;
  EXPECT_THAT(acts, HasSubstr(",local,drain,node coalport-1,,new fans\n"));
  EXPECT_LT(acts.find(",drain,"), acts.find(",undrain,")) << acts;
  EXPECT_EQ(Ccsched({"drain", "nowhere", "--reason", "x"}).status, 2);
}

TEST_F(EndToEndTest, SwitchesThePolicyWithoutARestart) {
  EXPECT_EQ(Ccsched({"policy", "set", "fcfs"}).status, 0);
  const std::string job =
      Submit({"--max-delay", "20h", "--runtime", "1h", "--", "true"});
  EXPECT_EQ(Ccsched({"wait", job}).status, 0);
  EXPECT_EQ(Show(job)["site"], "coalport");
  EXPECT_EQ(Ccsched({"policy", "set", "lowest-window"}).status, 0);
  EXPECT_EQ(Ccsched({"policy", "set", "nonsense"}).status, 2);
}

TEST_F(EndToEndTest, ARestartOfTheClusterKeepsEverything) {
  const std::string job = Submit({"--hold", "--", "true"});
  EXPECT_EQ(Ccsched({"dev", "down"}).status, 0);
  EXPECT_EQ(Ccsched({"queue"}).status, 3);
  EXPECT_EQ(Ccsched({"dev", "up"}).status, 0);
  EXPECT_EQ(Show(job)["state"], "held");
  EXPECT_EQ(Ccsched({"cancel", job}).status, 0);
}

}  // namespace
}  // namespace ccsched::testing
