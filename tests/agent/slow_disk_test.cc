// What holds while an agent's disk is slow.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "scheduler/base/failpoint.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

// A heartbeat is due six times in the two seconds that something takes.
class SlowDiskTest : public AgentTest {
 protected:
  void SlowDown(const char* failpoint) {
    scheduler_->SetLease(absl::Milliseconds(2400));
    setenv(kFailpointsVariable, failpoint, 1);
    StartAgent();
    unsetenv(kFailpointsVariable);
  }
};

// Each write of the journal does.
class SlowJournalTest : public SlowDiskTest {
 protected:
  void SetUp() override { SlowDown("agent.journal=delay@2000"); }
};

TEST_F(SlowJournalTest, AStartWaitsForItAndHeartbeatsDoNot) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(4));
  EXPECT_EQ(Read(Path("starts")), "") << "it is not on record yet";
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
}

TEST_F(SlowJournalTest, AStartThatIsStoppedMeanwhileIsNone) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(
      scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration()));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(Read(Path("starts")), "");
}

// The newer one begins only when it is on record that the older did not.
TEST_F(SlowJournalTest, OfTwoAttemptsThatWaitTheNewerRuns) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 2})));
  const auto older = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->outcome(), v1::OUTCOME_STOPPED);
  ASSERT_TRUE(scheduler_->WaitRunning({1, 2}));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

TEST_F(SlowJournalTest, AKilledAgentHasStartedNothingThatIsNotOnRecord) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(2));  // it is read
  KillAgent();
  StartAgent();
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(Read(Path("starts")), "");
}

// What is made for a start and left by an end takes two seconds each.
class SlowFilesTest : public SlowDiskTest {
 protected:
  void SetUp() override { SlowDown("agent.files=delay@2000"); }
};

TEST_F(SlowFilesTest, AStartWaitsForThemAndHeartbeatsDoNot) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(4));
  EXPECT_EQ(Read(Path("starts")), "");
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
}

// The first is being started, and ends as what runs; the other is not looked at
// before that.
TEST_F(SlowFilesTest, AStartThatIsStoppedMeanwhileEndsSo) {
  ASSERT_TRUE(scheduler_->Start(Shell({1, 1}, "exec sleep 600")));
  ASSERT_TRUE(scheduler_->Start(Waiter({2, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(2));
  for (const uint64_t job : {1, 2}) {
    scheduler_->Stop({job, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  }
  for (const uint64_t job : {1, 2}) {
    const auto status = scheduler_->WaitEnded({job, 1});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  }
  EXPECT_EQ(Read(Path("starts")), "");
}

TEST_F(SlowFilesTest, AnEndIsForgottenWhenNothingIsLeftOfIt) {
  RunToEnd(Shell({1, 1}, "exit 0"));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(3));  // acknowledged meanwhile
  EXPECT_TRUE(std::filesystem::exists(StateFile("run/1-1")));
  KillAgent();
  StartAgent();
  const auto known = scheduler_->WaitRegistered(registrations_);
  ASSERT_EQ(known->attempts_size(), 1) << "its run file is still there";
  ASSERT_TRUE(scheduler_->WaitFor(
      [&] { return !std::filesystem::exists(StateFile("run/1-1")); }));
}

TEST_F(SlowFilesTest, AnAgentThatIsStoppedLeavesNoStartUndecided) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->Start(Waiter({2, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(3));  // in its midst
  EXPECT_EQ(StopAgent(), 0);
  StartAgent();
  const auto status = scheduler_->WaitEnded({2, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_REFUSED) << "it was not begun";
  EXPECT_TRUE(status->node_at_fault());
  LetGo();
  const auto begun = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->exit_code(), 7) << "it was: " << begun->message();
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

// To remove what a job left takes two seconds, as of a million files.
class SlowTrashTest : public SlowDiskTest {
 protected:
  void SetUp() override { SlowDown("agent.trash=delay@2000"); }
  // What is left of the first job's temporary files.
  size_t Left() const {
    size_t left = 0;
    std::error_code gone;  // under its hands
    for (std::filesystem::recursive_directory_iterator at(StateFile("tmp"),
                                                          gone);
         !gone && at != std::filesystem::end(at); at.increment(gone)) {
      left += at->path().filename() == "much";
    }
    if (gone) return 1;  // to be looked at again
    return left;
  }
};

TEST_F(SlowTrashTest, TheNextStartDoesNotWaitForIt) {
  RunToEnd(Shell({1, 1}, "touch $TMPDIR/much"));
  RunToEnd(Shell({2, 1}, "exit 0"));  // the first's was acknowledged before
  const auto status = RunToEnd(Shell({3, 1}, "ls -A $TMPDIR"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Left(), 1u) << "it is being removed still";
  EXPECT_EQ(Read(StateFile("logs/3-1.out")), "") << "and in nobody's way";
  ASSERT_TRUE(scheduler_->WaitFor([&] { return Left() == 0; }));
}

TEST_F(SlowTrashTest, WhatAKilledAgentDidNotRemoveTheNextOneDoes) {
  RunToEnd(Shell({1, 1}, "touch $TMPDIR/much"));
  RunToEnd(Shell({2, 1}, "exit 0"));
  KillAgent();
  EXPECT_EQ(Left(), 1u);
  StartAgent();
  ASSERT_TRUE(scheduler_->WaitFor([&] { return Left() == 0; }));
}

// Each look at the jobs' output takes two seconds.
class SlowLogsTest : public SlowDiskTest {
 protected:
  static constexpr size_t kLogs = 20'010;  // the ten oldest are too many
  void SetUp() override {
    std::filesystem::create_directories(StateFile("logs"));
    for (size_t job = 1; job <= kLogs; ++job) {
      std::ofstream(StateFile("logs/" + std::to_string(job) + "-1.out"));
    }
    SlowDown("agent.logs=delay@2000");
  }
  size_t Left() const {
    return std::distance(std::filesystem::directory_iterator(StateFile("logs")),
                         {});
  }
};

TEST_F(SlowLogsTest, OldOutputGoesWhileTheAgentIsHeard) {
  ASSERT_TRUE(scheduler_->WaitHeartbeats(3));
  EXPECT_EQ(Left(), kLogs);
  ASSERT_TRUE(scheduler_->WaitFor([&] { return Left() < kLogs; }));
}

// Each piece of output that is read takes two seconds.
class SlowLogReadsTest : public SlowDiskTest {
 protected:
  void SetUp() override { SlowDown("agent.log_reads=delay@2000"); }
  static bool Ended(const std::string&, bool end) { return end; }
};

TEST_F(SlowLogReadsTest, WhoReadsWaitsAndHeartbeatsDoNot) {
  RunToEnd(Shell({1, 1}, "echo all of it"));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, false));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(4));
  EXPECT_EQ(scheduler_->Log(9), "");
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "all of it\n");
}

// What is written, and the end, while the end of what there was is looked at.
TEST_F(SlowLogReadsTest, AFollowerMissesNothingMeanwhile) {
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo one; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done; echo two")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "one"));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(
      9, [](const std::string& s, bool) { return s == "one\n"; }));
  LetGo();
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "one\ntwo\n");
}

// The same request, asked for anew while it is read, is answered once.
TEST_F(SlowLogReadsTest, OneThatIsCancelledMeanwhileIsNotAnswered) {
  RunToEnd(Shell({1, 1}, "echo one"));
  RunToEnd(Shell({2, 1}, "echo two"));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(2));
  v1::SchedulerMessage leave;
  leave.mutable_read_log()->set_request_id(9);
  leave.mutable_read_log()->set_cancel(true);
  ASSERT_TRUE(scheduler_->Send(leave));
  ASSERT_TRUE(scheduler_->ReadLog(9, {2, 1}, false));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "two\n");
}

}  // namespace
}  // namespace ccsched
