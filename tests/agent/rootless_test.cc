// Containers of an ordinary user's, whose jobs root's agent runs. Where no such
// user has subordinate ids (/etc/subuid) all of it is skipped.
// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

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

TEST_F(RootlessTest, WithAgentAndSupervisorKilledTheNextAgentRemovesIt) {
  StartWaiter({1, 1}, "sleep 600");
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  KillAgent();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(WaitGone(supervisor));
  StartContainerAgent();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
  EXPECT_TRUE(NoneLeft());
}

// All containers of a user share what the first of them has made; it ends with
// that one's job, and harms none of the others.
TEST_F(RootlessTest, ManyAtOnceDoNotHarmEachOther) {
  Output("podman system migrate");
  for (uint64_t job = 1; job <= 16; ++job) {
    // As many as there are accelerators: some end while others begin.
    if (job > 8) {
      ASSERT_TRUE(scheduler_->WaitEnded({job - 8, 1}));
    }
    ASSERT_TRUE(scheduler_->Start(
        InImage({job, 1}, absl::StrCat("echo ", job, "; sleep 0.", job % 4))));
  }
  for (uint64_t job = 1; job <= 16; ++job) {
    const auto status = scheduler_->WaitEnded({job, 1});
    ASSERT_TRUE(status);
    const std::string log =
        Read(StateFile(absl::StrCat("logs/", job, "-1.out")));
    EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED) << log;
    // Podman may have something to say of the machine before it.
    EXPECT_THAT(log, testing::EndsWith(absl::StrCat(job, "\n")));
  }
  EXPECT_TRUE(NoneLeft());
}

}  // namespace
}  // namespace ccsched
