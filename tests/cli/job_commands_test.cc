// Commands that steer, show and follow jobs that are there already.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/cli/commands_fixture.h"

namespace ccsched {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(CommandsTest, NumbersEndWhereTheyEnd) {
  const std::string most = "18446744073709551615";
  EXPECT_EQ(Run({"cancel", most}), 0);
  EXPECT_THAT(scheduler_.actions.back().job_ids(),
              ElementsAre(std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(Run({"cancel", "18446744073709551614-" + most}), 0);
  EXPECT_EQ(scheduler_.actions.back().job_ids_size(), 2);
  EXPECT_EQ(Run({"cancel", "1-" + most}), 2);
  EXPECT_EQ(Run({"cancel", "1-100001"}), 2);
}

TEST_F(CommandsTest, AFileWithoutAnEndIsNoScript) {
  EXPECT_EQ(Run({"submit", "/dev/zero"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("at most"));
}

TEST_F(CommandsTest, ShowSaysWhoDidWhatWithAJob) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_CANCELLED, acts: [{at: 2026-01-05T00:00:00Z, by: "
      "alice, what: hold}, {at: 2026-01-05T01:00:00Z, by: olga, what: cancel, "
      "detail: wrong data}]}"));
  EXPECT_EQ(Run({"show", "4"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("hold by alice\n"));
  EXPECT_THAT(out_.str(), HasSubstr("cancel by olga: wrong data\n"));
  EXPECT_EQ(Run({"show", "4", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(),
              HasSubstr("\"acts\":[{\"at\":\"2026-01-05T00:00:00Z\",\"by\":"
                        "\"alice\",\"act\":\"hold\""));
}

TEST_F(CommandsTest, WhySaysNothingOfCarbonThatIsUnknown) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_RUNNING, reason: {code: no-data, text: runs, policy: "
      "p, chosen: {site: oslo, accelerator: a, count: 1, price_g: 3}}}"));
  EXPECT_EQ(Run({"why", "4"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("Its cost")));
  EXPECT_THAT(out_.str(), ContainsRegex("chosen +oslo .* - +3.00 g +-\n"));
  EXPECT_EQ(Run({"why", "4", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"co2e_g\":null"));
}

TEST_F(CommandsTest, WhySaysWhatRoomThereIsWhereNothingWasDecided) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_QUEUED, spec: {site: [oslo], accelerators: 2}}"));
  scheduler_.sites = Parsed<v1::SitesResponse>(
      "sites:\n"
      "- {name: oslo, region: NO, pools: [{accelerator: v100, total: 8, busy: "
      "7, drained: 8}]}\n"
      "- {name: rome, region: IT, pools: [{accelerator: v100, total: 8}]}\n");
  EXPECT_EQ(Run({"why", "4"}), 0);
  EXPECT_EQ(out_.str(),
            "Job 4 is queued\nNothing was decided about it yet.\n"
            "It needs 2; where it may run there are now:\n\n"
            "SITE  ACCELERATOR  FREE  TOTAL  DRAINED\n"
            "oslo  v100            1      8        8\n");
  scheduler_.jobs[0] = JobIn(4, v1::JOB_FAILED);
  EXPECT_EQ(Run({"why", "4"}), 0);
  EXPECT_EQ(out_.str(), "Job 4 has failed\nNothing was decided about it.\n");
}

TEST_F(CommandsTest, WhySaysWhichChoiceIsLate) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_DEFERRED, reason: {code: capacity, text: waits, "
      "policy: p, chosen: {site: oslo, accelerator: a, count: 1, co2e_g: 5, "
      "note: later than promised}, now: {site: rome, accelerator: a, count: "
      "1, co2e_g: 50}}}"));
  EXPECT_EQ(Run({"why", "4"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("NOTE"));
  EXPECT_THAT(out_.str(), ContainsRegex("chosen +oslo .*later than promised"));
}

TEST_F(CommandsTest, ACsvReportHasMoneyAsNumbers) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      "{rows: [{key: oslo, cost: [{currency: EUR, electricity: 1.5, "
      "accelerators: 2}]}, {key: rome, cost: [{currency: EUR, electricity: 1},"
      " {currency: USD, electricity: 2}]}, {key: york}]}");
  EXPECT_EQ(Run({"report", "-o", "csv"}), 0);
  EXPECT_THAT(out_.str(),
              ContainsRegex(",electricity_cost,accelerator_cost,currency\n"
                            "oslo,.*,1.5,2,EUR\nrome,.*,,,EUR USD\n"
                            "york,.*,,,\n$"));
}

TEST_F(CommandsTest, WhatAChoiceEmitsIsUnknownWhereItIsNotForeseen) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_DEFERRED, reason: {code: c, text: t, policy: p, "
      "chosen: {site: oslo, accelerator: a, count: 1, price_g: 3}}}"));
  EXPECT_EQ(Run({"why", "4", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"cost_g\":null"));
  EXPECT_THAT(out_.str(), HasSubstr("\"energy_kwh\":null"));
}

TEST_F(CommandsTest, LogsSayWhyThereAreNone) {
  scheduler_.log = "";
  scheduler_.jobs.push_back(JobIn(4, v1::JOB_DEFERRED));
  EXPECT_EQ(Run({"logs", "4"}), 0);
  EXPECT_EQ(err_.str(), "ccsched: job 4 has no output; it is deferred\n");
  scheduler_.jobs[0] = Parsed<v1::Job>(
      "{id: 4, state: JOB_FAILED, state_note: no such folder, attempts: "
      "[{epoch: 1}]}");
  EXPECT_EQ(Run({"logs", "4"}), 0);
  EXPECT_EQ(err_.str(),
            "ccsched: job 4 has no output; it has ended: failed: no such "
            "folder\n");
  // It ran, and had nothing to say.
  scheduler_.jobs[0] =
      Parsed<v1::Job>("{id: 4, state: JOB_SUCCEEDED, attempts: [{epoch: 1}]}");
  EXPECT_EQ(Run({"logs", "4"}), 0);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CommandsTest, WhySaysWhatElseThereWas) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 4, state: JOB_DEFERRED, reason: {code: cleaner-hour, text: waits "
      "until later, policy: p, decided: 2026-01-05T12:00:00Z, chosen: {site: "
      "oslo, accelerator: a, count: 1, co2e_g: 5}, now: {site: rome, "
      "accelerator: a, count: 1, co2e_g: 50}, capacity_price_g: 2}}"));
  EXPECT_EQ(Run({"why", "4"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("Job 4 is deferred\nwaits until later\n"));
  EXPECT_THAT(out_.str(), HasSubstr("at once, first site  rome"));
  EXPECT_THAT(out_.str(), HasSubstr("2.00 g for the price of capacity"));
  EXPECT_EQ(Run({"why", "4", "-o", "csv"}), 0);
  EXPECT_THAT(out_.str(), ContainsRegex("^job_id,.*,choice,site,.*\n"
                                        "4,deferred,,waits until later,.*,"
                                        "chosen,oslo,a,1,.*\n"
                                        "4,deferred,,waits until later,.*,"
                                        "now,rome,a,1,.*\n$"));
  EXPECT_EQ(Run({"why", "4", "-o", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"schema\":\"ccsched.why/v1\""));
  EXPECT_THAT(out_.str(), HasSubstr("\"next\":null"));
}

TEST_F(CommandsTest, ARefusedActionIsAFailure) {
  scheduler_.action_response = Parsed<v1::JobActionResponse>(
      "results: [{job_id: 1, done: true}, {job_id: 2, message: job 2 has "
      "ended}]");
  EXPECT_EQ(Run({"cancel", "1-2"}), 1);
  EXPECT_EQ(out_.str(), "Job 1 is cancelled\n");
  EXPECT_EQ(err_.str(), "ccsched: job 2 has ended\n");
  EXPECT_THAT(scheduler_.actions[0].job_ids(), ElementsAre(1, 2));
}

TEST_F(CommandsTest, AJobThatIsNotThereIsAWrongRequest) {
  EXPECT_EQ(Run({"show", "9"}), 2);
  EXPECT_EQ(err_.str(), "ccsched: no such job\n");
  EXPECT_THAT(out_.str(), IsEmpty());
  scheduler_.action_response = Parsed<v1::JobActionResponse>(
      "results: [{job_id: 9, unknown: true, message: there is no job 9}, "
      "{job_id: 10, message: job 10 has ended}]");
  for (const char* verb : {"cancel", "hold", "release"}) {
    EXPECT_EQ(Run({verb, "9-10"}), 2) << verb;
    EXPECT_EQ(err_.str(),
              "ccsched: there is no job 9\nccsched: job 10 has ended\n");
  }
}

TEST_F(CommandsTest, WaitOutlivesARestartOfTheScheduler) {
  scheduler_.watches.push_back(
      {{JobIn(1, v1::JOB_RUNNING)}, absl::UnavailableError("cut")});
  scheduler_.watches.push_back({{}, absl::UnavailableError("still down")});
  scheduler_.watches.push_back({{JobIn(1, v1::JOB_RUNNING)}, absl::OkStatus()});
  scheduler_.watches.push_back(
      {{JobIn(1, v1::JOB_FAILED, 7)}, absl::OkStatus()});
  EXPECT_EQ(Run({"wait", "1", "1"}), 7);
  EXPECT_EQ(out_.str(), "Job 1 failed\n");
  EXPECT_THAT(err_.str(), HasSubstr("trying again"));
  // One that never was there is not waited for.
  EXPECT_EQ(Run({"wait", "1"}), 3);
}

TEST_F(CommandsTest, AWatchedQueueOutlivesARestartOfTheScheduler) {
  scheduler_.jobs = {JobIn(1, v1::JOB_RUNNING)};
  const absl::Status down = absl::UnavailableError("down");
  scheduler_.lists = {absl::OkStatus(), down, down, absl::OkStatus()};
  int slept = 0;
  sleep_ = [&](absl::Duration) {
    // After three lists nobody reads on, which ends it.
    if (++slept == 3) out_.setstate(std::ios::badbit);
  };
  EXPECT_EQ(Run({"queue", "--watch"}), kExitFailed);
  EXPECT_EQ(slept, 3);
  EXPECT_EQ(err_.str(),
            "ccsched: lost the scheduler; trying again for 1m\n"
            "ccsched: the output could not be written\n");
  out_.clear();
  slept = 10;
  scheduler_.lists = {absl::OkStatus()};
  scheduler_.lists.resize(40, down);
  EXPECT_EQ(Run({"queue", "--watch"}), 3);
  EXPECT_EQ(slept, 10 + 31) << "tried for a minute";
  scheduler_.lists = {down};
  EXPECT_EQ(Run({"queue", "--watch"}), 3) << "it never was there";
}

TEST_F(CommandsTest, LogsAreCopiedByteForByte) {
  scheduler_.log = std::string("a\0\xff\n", 4);
  EXPECT_EQ(Run({"logs", "1"}), 0);
  EXPECT_EQ(out_.str(), scheduler_.log);
}

TEST_F(CommandsTest, FollowedLogsGoOnAfterARestartOfSchedulerOrAgent) {
  scheduler_.jobs.push_back(Parsed<v1::Job>(
      "{id: 1, state: JOB_RUNNING, attempts: [{epoch: 1}, {epoch: 4}]}"));
  scheduler_.log = "one\ntwo\nthree\n";
  scheduler_.cut_logs = {{5, absl::UnavailableError("cut")},
                         {0, absl::UnavailableError("still down")},
                         {0, absl::AbortedError("its node is not there")},
                         {3, absl::UnavailableError("cut again")},
                         {9, absl::AbortedError("cut")}};
  EXPECT_EQ(Run({"logs", "-f", "1"}), 0);
  EXPECT_EQ(out_.str(), scheduler_.log);
  EXPECT_THAT(err_.str(), HasSubstr("trying again"));
  ASSERT_EQ(scheduler_.log_requests.size(), 6u);
  EXPECT_EQ(scheduler_.log_requests.back().epoch(), 4u)
      << "though another start may have come";
  EXPECT_THAT(err_.str(), Not(HasSubstr("missing")));
  // What is not followed is told at once.
  scheduler_.cut_logs = {{5, absl::AbortedError("node n is not connected")}};
  EXPECT_EQ(Run({"logs", "1"}), 1);
}

TEST_F(CommandsTest, FollowedLogsSayHowMuchWasRotatedAwayMeanwhile) {
  scheduler_.jobs.push_back(
      Parsed<v1::Job>("{id: 1, state: JOB_RUNNING, attempts: [{epoch: 1}]}"));
  scheduler_.log = "one\ntwo\nthree\nfour\n";
  scheduler_.cut_logs = {{4, absl::UnavailableError("cut")},
                         {6, absl::UnavailableError("cut again")}};
  scheduler_.log_starts = {0, 8, 2};
  EXPECT_EQ(Run({"logs", "-f", "1"}), 0);
  EXPECT_EQ(out_.str(), "one\nthree\nfour\n");
  EXPECT_THAT(err_.str(), HasSubstr("4 bytes of the output are missing here"));
}

TEST_F(CommandsTest, LogsTellWhatHadNoRoomFromWhatWasRotatedAway) {
  scheduler_.log = "one\ntwo\nthree\n";
  scheduler_.log_starts = {8};
  scheduler_.log_unwritten = 3;
  EXPECT_EQ(Run({"logs", "1"}), 0);
  EXPECT_EQ(out_.str(), "three\n");
  EXPECT_THAT(err_.str(), HasSubstr("5 bytes of the output are missing here: "
                                    "they were rotated away"));
  EXPECT_THAT(err_.str(), HasSubstr("3 bytes of the output are missing here: "
                                    "they could not be written"));
}

}  // namespace
}  // namespace ccsched
