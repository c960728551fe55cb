// What a killed supervisor left: killed, or given up after its time.
// SPDX-License-Identifier: Apache-2.0
#include "agent/left_overs.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/pidfd.h"
#include "agent/process_tree.h"
#include "agent/spawn.h"

namespace ccsched {
namespace {

class LeftOversTest : public testing::Test {
 protected:
  LeftOversTest() : tag_(absl::StrCat("left-overs-test-", getpid())) {}
  ~LeftOversTest() override {
    for (const pid_t pid : started_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  // A process with this tag, which does nothing.
  pid_t StartOne(const std::string& tag) {
    std::string variable = "CCSCHED_ATTEMPT_TAG=" + tag;
    std::string words[] = {"sleep", "600"};
    char* argv[] = {words[0].data(), words[1].data(), nullptr};
    char* env[] = {variable.data(), nullptr};
    pid_t pid = 0;
    if (posix_spawn(&pid, "/bin/sleep", nullptr, nullptr, argv, env) != 0) {
      return 0;
    }
    started_.push_back(pid);
    return pid;
  }
  // Until its program is wholly there: what is about to be has no environment.
  static void WaitExecuted(pid_t pid, const std::string& tag) {
    while (!HasVariable(pid, "CCSCHED_ATTEMPT_TAG=" + tag)) sched_yield();
  }
  static bool IsGone(pid_t pid) {
    const Fd process(pidfd_open(pid, 0));
    pollfd gone{process.get(), POLLIN, 0};
    return !process.valid() || poll(&gone, 1, 0) == 1;
  }

  const std::string tag_;
  std::vector<pid_t> started_;
};

TEST_F(LeftOversTest, AllOfTheAttemptAreKilledAndNoOthers) {
  const pid_t first = StartOne(tag_);
  const pid_t second = StartOne(tag_);
  const pid_t other = StartOne(tag_ + "0");
  ASSERT_TRUE(first > 0 && second > 0 && other > 0);
  EXPECT_TRUE(KillLeftOvers(tag_));
  EXPECT_TRUE(IsGone(first));
  EXPECT_TRUE(IsGone(second));
  EXPECT_FALSE(IsGone(other));
}

TEST_F(LeftOversTest, OneThatIsJustBeingExecutedIsNotOverlooked) {
  for (int round = 0; round < 30; ++round) {
    const pid_t pid = StartOne(tag_);
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(KillLeftOvers(tag_));
    EXPECT_TRUE(IsGone(pid)) << "round " << round;
  }
}

// As processes that wait for a disk: each is told, again and again, but all
// together only for the time that the agent can spare.
TEST_F(LeftOversTest, WhatCantBeKilledIsGivenUpAfterFiveSecondsForAll) {
  for (int i = 0; i < 3; ++i) WaitExecuted(StartOne(tag_), tag_);
  int64_t now = 0;
  int kills = 0;
  EXPECT_FALSE(KillLeftOvers(
      tag_, [&] { return now; },
      [&](int) {
        ++kills;
        now += kNanosPerSecond / 2;
      }));
  EXPECT_GE(now, 5 * kNanosPerSecond);
  EXPECT_LT(now, 7 * kNanosPerSecond) << "one more look at each at most";
  EXPECT_EQ(kills, 12);
  for (const pid_t pid : started_) EXPECT_FALSE(IsGone(pid));
}

}  // namespace
}  // namespace ccsched
