// `ccsched audit` against a scheduler that has acts on record.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cli/commands_fixture.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AuditCommandTest : public CommandsTest {
 protected:
  AuditCommandTest() {
    scheduler_.status = Parsed<v1::StatusResponse>("now: 2026-01-05T12:00:00Z");
    scheduler_.acts = {
        Parsed<v1::Act>("{at: 2026-01-05T11:00:00Z, by: olga, what: cancel, "
                        "target: job 7, job_id: 7, detail: 'wrong, data'}"),
        Parsed<v1::Act>("{at: 2026-01-05T10:00:00Z, by: local, what: drain, "
                        "target: node n1, detail: fan}"),
        Parsed<v1::Act>("{at: 2026-01-05T09:00:00Z, by: olga, what: "
                        "set-policy, target: policy planner}")};
  }
};

TEST_F(AuditCommandTest, ListsAllPagesTheOldestFirst) {
  EXPECT_EQ(Run({"audit"}), 0) << err_.str();
  EXPECT_EQ(scheduler_.act_requests.size(), 2u);
  const std::string text = out_.str();
  EXPECT_LT(text.find("set-policy"), text.find("node n1"));
  EXPECT_LT(text.find("node n1"), text.find("job 7"));
  EXPECT_EQ(Run({"audit", "-o", "csv"}), 0);
  EXPECT_EQ(out_.str(),
            "at,by,act,target,job_id,detail\n"
            "2026-01-05T09:00:00Z,olga,set-policy,policy planner,,\n"
            "2026-01-05T10:00:00Z,local,drain,node n1,,fan\n"
            "2026-01-05T11:00:00Z,olga,cancel,job 7,7,\"wrong, data\"\n");
  EXPECT_EQ(Run({"audit", "-n", "1", "-o", "json"}), 0);
  EXPECT_EQ(out_.str(),
            "{\"schema\":\"ccsched.acts/v1\",\"from\":"
            "\"2026-01-04T12:00:00Z\",\"to\":null,\"acts\":[{\"at\":"
            "\"2026-01-05T11:00:00Z\",\"by\":\"olga\",\"act\":\"cancel\","
            "\"target\":\"job 7\",\"job_id\":7,\"detail\":"
            "\"wrong, data\"}]}\n");
}

TEST_F(AuditCommandTest, AnActThatThereIsNotIsWrong) {
  EXPECT_EQ(Run({"audit", "--act", "drian"}), 2);
  EXPECT_THAT(err_.str(),
              HasSubstr("--act: there is no act 'drian'; did you mean 'drain'? "
                        "(known: cancel, "));
  EXPECT_TRUE(scheduler_.act_requests.empty());
}

TEST_F(AuditCommandTest, APeriodIsByTheSchedulersClock) {
  EXPECT_EQ(
      Run({"audit", "--since", "7d", "--by", "olga", "--act", "drain,undrain"}),
      0)
      << err_.str();
  const v1::ActsRequest& since = scheduler_.act_requests.back();
  EXPECT_EQ(since.from().seconds(), 1767009600);  // 2025-12-29T12:00:00Z
  EXPECT_EQ(since.by(), "olga");
  EXPECT_THAT(since.what(), ElementsAre("drain", "undrain"));
  EXPECT_EQ(Run({"audit", "--to", "2026-01-05T00:00:00Z"}), 0);
  EXPECT_FALSE(scheduler_.act_requests.back().has_from());
  EXPECT_EQ(Run({"audit", "--from", "2026-01-04T00:00:00Z", "--to", "now"}), 0);
  EXPECT_EQ(scheduler_.act_requests.back().to().seconds(), 1767614400);
}

TEST_F(AuditCommandTest, NamesWhatIsWrongOfAPeriod) {
  const auto wrong = [&](std::vector<std::string> args) {
    args.insert(args.begin(), "audit");
    EXPECT_EQ(Run(args), 2);
    EXPECT_EQ(out_.str(), "");
    return err_.str();
  };
  EXPECT_THAT(wrong({"--since", "1h", "--from", "now"}),
              HasSubstr("--since and --from"));
  EXPECT_THAT(wrong({"--since", "yesterday"}), HasSubstr("--since: "));
  EXPECT_THAT(wrong({"--since", "-1h"}), HasSubstr("--since: '-1h'"));
  EXPECT_THAT(wrong({"--since", ""}), HasSubstr("--since: "));
  EXPECT_THAT(
      wrong({"--from", "2026-01-05T12:00:00Z", "--to", "2026-01-05T12:00:00Z"}),
      HasSubstr("--from: must be before --to"));
  EXPECT_THAT(wrong({"--limit", "0"}), HasSubstr("--limit"));
}

TEST_F(AuditCommandTest, SaysThatNobodyDidAnything) {
  scheduler_.acts.clear();
  EXPECT_EQ(Run({"audit"}), 0);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "Nobody did anything in that time.\n");
  EXPECT_EQ(Run({"audit", "-o", "csv"}), 0);
  EXPECT_EQ(out_.str(), "at,by,act,target,job_id,detail\n");
}

TEST_F(AuditCommandTest, WhatWasSaidCanSteerNoTerminal) {
  scheduler_.acts[0].set_detail("\x1b]0;owned\x07");
  scheduler_.acts[0].set_by(
      "\xc2\x9b"
      "2J");
  EXPECT_EQ(Run({"audit"}), 0);
  EXPECT_EQ(out_.str().find('\x1b'), std::string::npos);
  EXPECT_EQ(out_.str().find("\xc2\x9b"), std::string::npos);
}

}  // namespace
}  // namespace ccsched
