// Containers of an ordinary user's, whose jobs root's agent runs. Where no such
// user has subordinate ids (/etc/subuid) all of it is skipped.
// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/container_fixture.h"

namespace ccsched {
namespace {

class RootlessTest : public PodmanTest {
 protected:
  static void SetUpTestSuite() {
    uid_ = 0;
    std::ifstream ids("/etc/subuid");
    std::string user;
    for (std::string line; uid_ == 0 && std::getline(ids, line);) {
      user = line.substr(0, line.find(':'));
      const passwd* const entry = getpwnam(user.c_str());
      if (entry != nullptr) uid_ = entry->pw_uid;
    }
    if (uid_ != 0) Prepare(user);
  }
  static void TearDownTestSuite() {
    if (uid_ != 0) PodmanTest::TearDownTestSuite();
  }
  void SetUp() override {
    if (uid_ == 0) GTEST_SKIP() << "nobody here has subordinate ids";
    PodmanTest::SetUp();
  }

  static inline uid_t uid_ = 0;
};

TEST_F(RootlessTest, RootInsideIsTheUserOutside) {
  const auto status = RunToEnd(InImage({1, 1}, "id -u; touch made; exit 7"));
  EXPECT_EQ(status.exit_code(), 7);
  EXPECT_THAT(Read(StateFile("logs/1-1.out")), testing::EndsWith("0\n"));
  struct stat made {};
  ASSERT_EQ(stat(Workdir("made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, uid_);
  EXPECT_TRUE(NoneLeft());
}

TEST_F(RootlessTest, ItsCommandHearsThatItIsToEndAndSaysHowItDid) {
  StartWaiter({1, 1}, "sleep 600; echo over > over");
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::Minutes(10));
  auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(status->signal(), SIGTERM) << status->exit_code();
  EXPECT_EQ(Read(Workdir("over")), "");

  v1::StartAttempt saver =
      InImage({2, 1},
              "trap 'echo saved > saved; exit 85' TERM; echo ready > ready; "
              "sleep 600 & wait");
  saver.mutable_spec()->set_suspendable(true);
  ASSERT_TRUE(scheduler_->Start(saver));
  ASSERT_TRUE(WaitFileHolds(Workdir("ready"), "ready\n"));
  scheduler_->Stop({2, 1}, v1::StopAttempt::SUSPEND, absl::Seconds(30));
  status = scheduler_->WaitEnded({2, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
  EXPECT_EQ(status->exit_code(), 85);
  EXPECT_TRUE(NoneLeft());
}

// What the user's podmans share is set up by the first of them. Were that a
// job's it would end with the job, and another that starts then would fail.
TEST_F(RootlessTest, WhatTheirPodmansShareOutlivesTheJobs) {
  ForgetWhatIsShared();
  EXPECT_EQ(RunToEnd(InImage({1, 1}, "exit 0")).outcome(),
            v1::OUTCOME_SUCCEEDED);
  const pid_t shared = Shared();
  ASSERT_NE(shared, 0);
  EXPECT_TRUE(Exists(shared));
  EXPECT_EQ(RunToEnd(InImage({2, 1}, "exit 0")).outcome(),
            v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Shared(), shared);
}

// Some start while others end, eight at a time.
TEST_F(RootlessTest, OnesThatStartWhileOthersEndAllRun) {
  ForgetWhatIsShared();
  constexpr uint64_t kJobs = 40;
  constexpr uint64_t kAtOnce = 8;
  for (uint64_t job = 1; job <= kJobs + kAtOnce; ++job) {
    if (job > kAtOnce) {
      const AttemptId id{job - kAtOnce, 1};
      const auto status = scheduler_->WaitEnded(id);
      ASSERT_TRUE(status) << id.ToString();
      EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED)
          << status->message() << "\n"
          << Read(StateFile(absl::StrCat("logs/", id.ToString(), ".out")));
    }
    if (job > kJobs) continue;
    ASSERT_TRUE(scheduler_->Start(
        InImage({job, 1}, absl::StrCat("sleep 0.0", job % 7))));
  }
  EXPECT_TRUE(NoneLeft());
}

TEST_F(RootlessTest, WithAgentAndSupervisorKilledTheNextAgentRemovesIt) {
  LoseWaiterWithItsAgent();
}

}  // namespace
}  // namespace ccsched
