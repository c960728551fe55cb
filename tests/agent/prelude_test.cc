// What is set up for all containers of a user, before each of them; a script
// stands for podman.
// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PreludeTest : public AgentTest {
 protected:
  ~PreludeTest() override {
    if (shared_ != 0) kill(shared_, SIGKILL);
  }
  // An agent whose podman does this if it is called as "podman unshare true",
  // and else runs "true" for any container.
  void StartAgentWithPrelude(const std::string& script) {
    chmod(folder_.c_str(), 0755);
    fs::create_directories(Path("bin"));
    fs::create_directories(Path("theirs"));
    if (geteuid() == 0) {
      const passwd* const nobody = getpwnam("nobody");
      if (nobody == nullptr) GTEST_SKIP() << "no user 'nobody'";
      ASSERT_EQ(chown(Path("theirs").c_str(), nobody->pw_uid, nobody->pw_gid),
                0);
    }
    std::ofstream(Path("bin/podman"))
        << "#!/bin/sh\ncd " << Path("theirs") << "\n[ \"$*\" = 'unshare true' "
        << "] || exit 0\n"
        << script << "\n";
    chmod(Path("bin/podman").c_str(), 0755);
    const std::string before = getenv("PATH");
    setenv("PATH", (Path("bin") + ":" + before).c_str(), 1);
    StartAgent();
    setenv("PATH", before.c_str(), 1);
  }
  v1::StartAttempt InImage(AttemptId id) {
    v1::StartAttempt start = Shell(id, "exit 0");
    if (geteuid() == 0) start.mutable_spec()->set_user("nobody");
    start.mutable_spec()->set_image("debian:12");
    return start;
  }
  pid_t shared_ = 0;
};

TEST_F(PreludeTest, WhatItLeavesIsNoJobs) {
  StartAgentWithPrelude(
      "echo \"tag $CCSCHED_ATTEMPT_TAG job $CCSCHED_JOB_ID\" > seen\n"
      "sleep 600 & echo $! > shared");
  EXPECT_EQ(RunToEnd(InImage({1, 1})).outcome(), v1::OUTCOME_SUCCEEDED);
  std::ifstream(Path("theirs/shared")) >> shared_;
  ASSERT_NE(shared_, 0);
  EXPECT_TRUE(Exists(shared_));
  // By the tag what belongs to the job is found, and killed.
  EXPECT_EQ(Read(Path("theirs/seen")), "tag  job 1\n");
}

TEST_F(PreludeTest, OneJobOfAUsersComesAfterTheOther) {
  StartAgentWithPrelude(
      "mkdir busy || exit 9\nsleep 0.05\nrmdir busy\necho done >> all");
  for (uint64_t job = 1; job <= 8; ++job) {
    ASSERT_TRUE(scheduler_->Start(InImage({job, 1})));
  }
  for (uint64_t job = 1; job <= 8; ++job) {
    const auto status = scheduler_->WaitEnded({job, 1});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED) << status->message();
  }
  EXPECT_EQ(Read(Path("theirs/all")).size(), 8 * 5u);
}

TEST_F(PreludeTest, OneThatFailsIsSaidToBeWhyTheJobDoesNotStartHere) {
  StartAgentWithPrelude("echo more; echo 'no ids for you' >&2; exit 125");
  const auto status = RunToEnd(InImage({1, 1}));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_FALSE(status.node_at_fault());
  EXPECT_EQ(status.message(),
            absl::StrCat(Path("bin/podman"),
                         " unshare true: exit status 125: no ids for you"));
}

TEST_F(PreludeTest, OneThatHangsHoldsUpNoCancellation) {
  StartAgentWithPrelude("echo up > up; exec sleep 600");
  ASSERT_TRUE(scheduler_->Start(InImage({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("theirs/up"), "up\n"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::Minutes(10));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
}

}  // namespace
}  // namespace ccsched
