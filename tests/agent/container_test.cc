// Jobs in containers that podman really runs, where it can: as root, with a
// static busybox for an image. Elsewhere all of it is skipped.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/container_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ContainerTest : public PodmanTest {
 protected:
  static void SetUpTestSuite() { Prepare(""); }
};

TEST_F(ContainerTest, ItsOutputExitCodeFolderAndEnvironmentAreTheJobs) {
  v1::StartAttempt start = InImage(
      {1, 1},
      "echo $CCSCHED_JOB_ID $MINE; pwd; touch made; echo err >&2; exit 7");
  (*start.mutable_spec()->mutable_env())["MINE"] = "a b";
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.exit_code(), 7);
  EXPECT_EQ(Read(StateFile("logs/1-1.out")),
            absl::StrCat("1 a b\n", folder_.string(), "\nerr\n"));
  EXPECT_TRUE(fs::exists(Path("made")));
  EXPECT_TRUE(NoneLeft());
}

// Whatever user the image has: nobody else sees it.
TEST_F(ContainerTest, ItHasATemporaryFolderOfItsOwn) {
  RunToEnd(InImage({1, 1},
                   "echo $TMPDIR; echo x > $TMPDIR/made && "
                   "cat $TMPDIR/made"));
  const std::string log = Read(StateFile("logs/1-1.out"));
  EXPECT_THAT(log, testing::StartsWith(StateFile("tmp/ccsched-1-1-")));
  EXPECT_THAT(log, testing::EndsWith("/tmp\nx\n"));
  EXPECT_TRUE(scheduler_->WaitFor([&] {
    return fs::is_empty(StateFile("tmp"));
  })) << "it is removed";
  v1::StartAttempt start = InImage({2, 1}, "echo $TMPDIR");
  (*start.mutable_spec()->mutable_env())["TMPDIR"] = "/own";
  RunToEnd(start);
  EXPECT_EQ(Read(StateFile("logs/2-1.out")), "/own\n");
}

TEST_F(ContainerTest, AScriptAndItsLastWordsArriveWhole) {
  v1::StartAttempt start = InImage({1, 1}, "");
  start.mutable_spec()->set_script(
      "#!/bin/sh\ni=0\nwhile [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done\n"
      "echo the end\n");
  start.mutable_spec()->clear_command();
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  const std::string log = Read(StateFile("logs/1-1.out"));
  EXPECT_EQ(log.size(), 10 * 2 + 90 * 3 + 900 * 4 + 1000 * 5 + 8u);
  EXPECT_THAT(log, testing::EndsWith("1999\nthe end\n"));
}

// The first process of a container gets no signal that it does not handle:
// without an init of ours it would be killed after its grace only.
TEST_F(ContainerTest, ACommandWithoutHandlersEndsWhenItIsCancelled) {
  StartWaiter({1, 1}, "sleep 600; echo over > over");
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::Minutes(10));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(status->signal(), SIGTERM) << status->exit_code();
  EXPECT_FALSE(fs::exists(Path("over")));
  EXPECT_TRUE(NoneLeft());
}

// Podman ends by itself then, and says nothing of signals.
TEST_F(ContainerTest, OneThatIsCancelledBeforeItRunsIsEndedByTheWarning) {
  for (uint64_t job = 1; job <= 5; ++job) {
    ASSERT_TRUE(scheduler_->Start(InImage({job, 1}, "sleep 600")));
    ASSERT_TRUE(scheduler_->WaitRunning({job, 1}));
    scheduler_->Stop({job, 1}, v1::StopAttempt::CANCEL, absl::Minutes(10));
    const auto status = scheduler_->WaitEnded({job, 1});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
    EXPECT_EQ(status->signal(), SIGTERM) << status->exit_code();
  }
  EXPECT_TRUE(NoneLeft());
}

TEST_F(ContainerTest, TheSignalThatEndedItsCommandIsReported) {
  const auto status = RunToEnd(InImage({1, 1}, "kill -SEGV $$"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.signal(), SIGSEGV);
  EXPECT_TRUE(NoneLeft());
}

// What podman exits with if it can't run a container may be a command's, too.
TEST_F(ContainerTest, AnExitCodeOfPodmansIsItsCommandsIfThatRan) {
  const auto status = RunToEnd(InImage({1, 1}, "exit 125"));
  EXPECT_EQ(status.exit_code(), 125);
  EXPECT_EQ(status.message(), "");
}

TEST_F(ContainerTest, OneThatHearsNothingIsKilledAfterItsTimeAndRemoved) {
  v1::StartAttempt start =
      InImage({1, 1}, "trap '' TERM; sleep 600 & sleep 600");
  *start.mutable_time_limit() = ToProto(absl::Milliseconds(500));
  *start.mutable_spec()->mutable_grace() = ToProto(absl::Milliseconds(500));
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_TRUE(NoneLeft());
}

TEST_F(ContainerTest, OneThatSavesItsStateIsSuspended) {
  v1::StartAttempt start =
      InImage({1, 1},
              "trap 'echo saved > saved; exit 85' TERM; echo up > up; sleep "
              "600 & wait");
  start.mutable_spec()->set_suspendable(true);
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(WaitFileHolds(Path("up"), "up\n"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::SUSPEND, absl::Seconds(30));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
  EXPECT_EQ(status->exit_code(), 85);
  EXPECT_EQ(Read(Path("saved")), "saved\n");
}

TEST_F(ContainerTest, ItGoesOnWhileItsAgentIsKilledAndRestarted) {
  StartWaiter({1, 1}, "until [ -e go ]; do sleep 0.1; done; exit 7");
  KillAgent();
  StartContainerAgent();
  std::ofstream(Path("go")) << "\n";
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_TRUE(NoneLeft());
}

TEST_F(ContainerTest, WithAgentAndSupervisorKilledTheNextAgentRemovesIt) {
  LoseWaiterWithItsAgent();
}

TEST_F(ContainerTest, ACommandThatIsNotInTheImageIsNotFound) {
  v1::StartAttempt start = InImage({1, 1}, "");
  start.mutable_spec()->clear_command();
  start.mutable_spec()->add_command("no-such-command");
  EXPECT_EQ(RunToEnd(start).exit_code(), 127);
  EXPECT_THAT(Read(StateFile("logs/1-1.out")),
              HasSubstr("no-such-command: command not found"));
}

TEST_F(ContainerTest, AnImageThatCantBeRunIsSaidToBeTheCause) {
  v1::StartAttempt start = InImage({1, 1}, "exit 0");
  start.mutable_spec()->set_image("Not/An/Image");
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.exit_code(), 125);
  EXPECT_THAT(status.message(), HasSubstr("could not be run"));
}

}  // namespace
}  // namespace ccsched
