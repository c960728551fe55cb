// The handshake by which a job saves its state, by socket, file and signal.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CheckpointTest : public AgentTest {
 protected:
  void SetUp() override {
    if (std::system("python3 -c 'import socket' 2> /dev/null") != 0) {
      GTEST_SKIP() << "no python3 on this machine";
    }
    StartAgent();
  }
  // Runs `program` with the example's module at hand.
  v1::StartAttempt Python(AttemptId id, const std::string& program) {
    v1::StartAttempt start = Shell(id, "");
    v1::JobSpec& spec = *start.mutable_spec();
    spec.set_suspendable(true);
    spec.clear_command();
    for (const std::string& word : {std::string("python3"), std::string("-u"),
                                    std::string("-c"), program}) {
      spec.add_command(word);
    }
    (*spec.mutable_env())["PYTHONPATH"] =
        absl::StrCat(CCSCHED_SOURCE_DIR, "/deploy/examples");
    (*spec.mutable_env())["PYTHONDONTWRITEBYTECODE"] = "1";
    return start;
  }
  void Suspend(AttemptId id, absl::Duration grace) {
    scheduler_->Stop(id, v1::StopAttempt::SUSPEND, grace);
  }
  std::string LogOf(AttemptId id) {
    return StateFile("logs/" + id.ToString() + ".out");
  }
};

TEST_F(CheckpointTest, AWatchingJobIsAskedAndNamesItsCheckpoint) {
  ASSERT_TRUE(scheduler_->Start(Python({1, 1}, R"(
import ccsched_checkpoint, time
guard = ccsched_checkpoint.Guard()
print("up")
while not guard.asked():
    time.sleep(0.01)
guard.saved("epoch 7 of run a")
)")));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Seconds(9));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
  EXPECT_EQ(status->exit_code(), 85);
  EXPECT_EQ(status->checkpoint(), "epoch 7 of run a");
  EXPECT_GT(FromProto(status->checkpoint_cost()), absl::ZeroDuration());
}

TEST_F(CheckpointTest, AJobThatSavedButStaysIsEndedAtTheDeadline) {
  ASSERT_TRUE(scheduler_->Start(Python({1, 1}, R"(
import ccsched_checkpoint, time
guard = ccsched_checkpoint.Guard()
print("up")
while not guard.asked():
    time.sleep(0.01)
guard.saved("safe", exit=False)
time.sleep(600)
)")));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Milliseconds(700));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
  EXPECT_EQ(status->checkpoint(), "safe");
}

TEST_F(CheckpointTest, WithoutAnAcknowledgementTheJobGoesOn) {
  ASSERT_TRUE(scheduler_->Start(Python({1, 1}, R"(
import ccsched_checkpoint, os, time
guard = ccsched_checkpoint.Guard()
print("up")
while not os.path.exists("go"):
    time.sleep(0.01)
print("asked", guard.asked())
)")));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Milliseconds(100));
  ASSERT_TRUE(scheduler_->WaitStatus({1, 1}, [](const auto& s) {
    return s.message().find("goes on") != std::string::npos;
  }));
  EXPECT_TRUE(Exists(JobOf({1, 1}).pid));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_STOPPED);
}

TEST_F(CheckpointTest, AJobMayRefuse) {
  ASSERT_TRUE(scheduler_->Start(Python({1, 1}, R"(
import ccsched_checkpoint, time
guard = ccsched_checkpoint.Guard()
print("up")
while not guard.asked():
    time.sleep(0.01)
guard.refuse()
print("refused")
raise SystemExit(3)
)")));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Seconds(9));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status->exit_code(), 3);
}

TEST_F(CheckpointTest, AShellScriptAnswersByAFile) {
  v1::StartAttempt start =
      Shell({1, 1},
            "trap : TERM; echo up; while ! [ -e $CCSCHED_CONTROL/suspend ]; do "
            "sleep 0.02; done; cat $CCSCHED_CONTROL/suspend; "
            "echo 0.25 /data/run-3 > $CCSCHED_CONTROL/saved; exit 1");
  start.mutable_spec()->set_suspendable(true);
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Seconds(9));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
  EXPECT_EQ(status->checkpoint(), "/data/run-3");
  EXPECT_EQ(FromProto(status->checkpoint_cost()), absl::Milliseconds(250));
  EXPECT_THAT(Read(LogOf({1, 1})), HasSubstr("suspend "));
}

// What it puts in the way of being asked harms itself alone: no pipe that
// nobody reads may hold up its supervisor, which has to end it with the lease.
TEST_F(CheckpointTest, NothingThatAJobPutsInItsFolderHoldsItsSupervisorUp) {
  v1::StartAttempt start =
      Shell({1, 1},
            "trap '' TERM; cd $CCSCHED_CONTROL; mkfifo suspend saved; "
            "echo up; while :; do sleep 0.02; done");
  start.mutable_spec()->set_suspendable(true);
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(WaitFileHolds(LogOf({1, 1}), "up"));
  Suspend({1, 1}, absl::Milliseconds(100));
  EXPECT_TRUE(scheduler_->WaitStatus({1, 1}, [](const auto& s) {
    return s.message().find("goes on") != std::string::npos;
  }));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
}

TEST_F(CheckpointTest, NonsenseOnTheSocketIsAnsweredAndHarmsNobody) {
  const auto status = RunToEnd(Python({1, 1}, R"(
import os, socket
def say(data):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["CCSCHED_CONTROL"] + "/control")
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        return s.makefile("rb").readline()
    except OSError:
        return b"closed"
assert say(b"status\n") == b"none\n"
for bad in (b"\n", b"saved\n", b"saved x y\n", b"saved -1 y\n",
            b"saved nan y\n", b"saved 1 " + b"i" * 500 + b"\n", b"\xff\x00\n"):
    assert say(bad).startswith(b"error"), bad
say(b"x" * 1000000)
assert say(b"status\n") == b"none\n"
)"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED) << Read(LogOf({1, 1}));
}

TEST_F(CheckpointTest, TheExampleGoesOnToTheSameWeightsToTheLastBit) {
  const auto train = [&](AttemptId id, const std::string& folder) {
    v1::StartAttempt start = Python(id, "");
    start.mutable_spec()->mutable_command()->DeleteSubrange(2, 2);
    for (const std::string& word :
         {absl::StrCat(CCSCHED_SOURCE_DIR, "/deploy/examples/train.py"),
          std::string("--steps"), std::string("2000"), std::string("--state"),
          Path(folder)}) {
      start.mutable_spec()->add_command(word);
    }
    return start;
  };
  EXPECT_EQ(RunToEnd(train({1, 1}, "whole")).outcome(), v1::OUTCOME_SUCCEEDED);
  ASSERT_TRUE(scheduler_->Start(train({2, 1}, "cut")));
  ASSERT_TRUE(WaitFileHolds(LogOf({2, 1}), "started"));
  Suspend({2, 1}, absl::Seconds(9));
  const auto suspended = scheduler_->WaitEnded({2, 1});
  ASSERT_TRUE(suspended);
  ASSERT_EQ(suspended->outcome(), v1::OUTCOME_SUSPENDED) << Read(LogOf({2, 1}));
  v1::StartAttempt again = train({2, 2}, "elsewhere");
  again.set_resume(true);
  again.set_checkpoint(suspended->checkpoint());
  EXPECT_EQ(RunToEnd(again).outcome(), v1::OUTCOME_SUCCEEDED);
  const std::string whole = Read(LogOf({1, 1}));
  const std::string resumed = Read(LogOf({2, 2}));
  EXPECT_THAT(resumed, StartsWith("resumed at step "));
  EXPECT_THAT(resumed, EndsWith(whole.substr(whole.find("loss"))));
}

}  // namespace
}  // namespace ccsched
