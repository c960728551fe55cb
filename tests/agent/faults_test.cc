// What holds when the agent, a supervisor, the connection or the lease fails.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/launch.h"
#include "agent/run_file.h"
#include "agent/spawn.h"
#include "gmock/gmock.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class FaultsTest : public AgentTest {
 protected:
  // What a scheduler that answers again is told of job 1.
  void ExpectLeaseLost() {
    scheduler_->set_answer(true);
    scheduler_->Disconnect();
    const auto status = scheduler_->WaitEnded({1, 1});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->outcome(), v1::OUTCOME_LOST);
    EXPECT_THAT(status->message(), HasSubstr("lease"));
  }
};

TEST_F(FaultsTest, TheSameStartTwiceStartsOnce) {
  StartAgent();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started\n"));
  LetGo();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->exit_code(), 7);
  // After it was acknowledged too; the later job shows that it was read.
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

TEST_F(FaultsTest, AnOlderEpochIsRefused) {
  StartAgent();
  EXPECT_EQ(RunToEnd(Shell({1, 3}, "exit 0")).outcome(), v1::OUTCOME_SUCCEEDED);
  const auto status = RunToEnd(Waiter({1, 2}));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("stale"));
  EXPECT_EQ(Read(Path("starts")), "");
}

TEST_F(FaultsTest, ANewerEpochStartsOnlyWhenTheOlderIsGone) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Shell(
      {1, 1}, "trap '' TERM; echo $$ > " + Path("old") + "; exec sleep 600")));
  ASSERT_TRUE(WaitFileHolds(Path("old"), "\n"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const auto status = RunToEnd(
      Shell({1, 2}, "kill -0 $(cat " + Path("old") + ") && exit 1; exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_STOPPED);
}

TEST_F(FaultsTest, AStopThatComesFirstKeepsTheStartFromHappening) {
  StartAgent();
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_STOPPED);
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(Read(Path("starts")), "");
}

TEST_F(FaultsTest, AJobGoesOnWhileItsAgentIsKilledAndRestarted) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const pid_t job = JobOf({1, 1}).pid;
  KillAgent();
  StartAgent();
  const auto again = scheduler_->WaitRegistered(2);
  ASSERT_EQ(again->attempts_size(), 1);
  EXPECT_EQ(again->attempts(0).key().job_id(), 1);
  EXPECT_FALSE(again->attempts(0).has_ended());
  EXPECT_EQ(scheduler_->WaitRegistered(1)->state_id(), again->state_id());
  EXPECT_NE(scheduler_->WaitRegistered(1)->incarnation(), again->incarnation());
  EXPECT_EQ(JobOf({1, 1}).pid, job);
  EXPECT_TRUE(Exists(job));
  // It still holds its accelerator.
  v1::StartAttempt all = Shell({2, 1}, "exit 0");
  all.set_count(8);
  EXPECT_EQ(RunToEnd(all).outcome(), v1::OUTCOME_REFUSED);
  LetGo();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

TEST_F(FaultsTest, AnEndWhileTheAgentIsDeadIsReportedByTheNext) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  KillAgent();
  LetGo();
  ASSERT_TRUE(WaitGone(supervisor));
  StartAgent();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_EQ(scheduler_->Samples({1, 1}).back().end().SerializeAsString(),
            status->ended().SerializeAsString());
}

TEST_F(FaultsTest, AnEndIsReportedUntilItIsAcknowledged) {
  scheduler_->acknowledge = false;
  StartAgent();
  RunToEnd(Shell({1, 1}, "exit 5"));
  scheduler_->Disconnect();
  ASSERT_TRUE(scheduler_->WaitRegistered(++registrations_));
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(scheduler_->EndedCount({1, 1}), 2u);
  KillAgent();
  StartAgent();
  RunToEnd(Shell({3, 1}, "exit 0"));
  EXPECT_EQ(scheduler_->EndedCount({1, 1}), 3u);
  for (uint64_t job : {1, 2, 3}) scheduler_->Acknowledge({job, 1});
  RunToEnd(Shell({4, 1}, "exit 0"));
  KillAgent();
  StartAgent();
  const auto again = scheduler_->WaitRegistered(3 + 1);
  ASSERT_EQ(again->attempts_size(), 1);
  EXPECT_EQ(again->attempts(0).key().job_id(), 4);
}

TEST_F(FaultsTest, AKilledSupervisorTakesAllOfItsJobWithIt) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Shell(
      {1, 1}, "echo $$ >> " + Path("pids") + "; setsid sh -c 'echo $$ up >> " +
                  Path("pids") + "; exec sleep 600' & wait")));
  ASSERT_TRUE(WaitFileHolds(Path("pids"), "up"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  std::istringstream text(Read(Path("pids")));
  std::vector<pid_t> pids;
  for (pid_t pid; text >> pid;) pids.push_back(pid);  // up to "up"
  ASSERT_EQ(pids.size(), 2u);
  kill(SupervisorOf({1, 1}).pid, SIGKILL);
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_LOST);
  for (const pid_t pid : pids) EXPECT_TRUE(WaitGone(pid));
  EXPECT_EQ(scheduler_->Samples({1, 1}).back().method(), "estimated");
}

TEST_F(FaultsTest, WithAgentAndSupervisorKilledTheNextAgentCleansUp) {
  StartAgent();
  ASSERT_TRUE(
      scheduler_->Start(Shell({1, 1}, "setsid sh -c 'echo $$ > " + Path("pid") +
                                          "; exec sleep 600' & wait")));
  ASSERT_TRUE(WaitFileHolds(Path("pid"), "\n"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const pid_t escaped = std::stoi(Read(Path("pid")));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  KillAgent();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(WaitGone(supervisor));
  StartAgent();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
  EXPECT_TRUE(WaitGone(escaped));
}

// That a job goes on is said once. It is lost where nobody listens, as when an
// agent that gets little time misses its heartbeats; then it is asked again.
TEST_F(FaultsTest, ThatAJobGoesOnIsSaidAgainToWhoDidNotHearIt) {
  StartAgent();
  v1::StartAttempt start =
      Shell({1, 1}, "trap '' TERM; echo up; while :; do sleep 0.02; done");
  start.mutable_spec()->set_suspendable(true);
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::SUSPEND, absl::Seconds(1));
  ASSERT_TRUE(WaitFileHolds(StateFile("work/1-1/suspend"), "suspend"));
  scheduler_->set_answer(false);
  scheduler_->Disconnect();
  const Fd fd(open(PathsOf(Path("state"), {1, 1}).run.c_str(), O_RDONLY));
  ASSERT_TRUE(WaitFolder(StateFile("run"), [&] {
    return RunFile(fd.get()).declined() > 0;
  })) << "it is not let go on";
  scheduler_->set_answer(true);
  scheduler_->Disconnect();
  EXPECT_TRUE(scheduler_->WaitStatus(
      {1, 1}, [](const auto& s) { return s.goes_on() && !s.has_ended(); }));
}

// A supervisor that gets little time may see both at once: what has done its
// work is not to run again.
TEST_F(FaultsTest, AnEndThatCameBeforeASignalToEndIsTheJobsOwn) {
  StartAgent();
  const auto end_unseen = [&](AttemptId id, int exit_code) {
    const std::string go = absl::StrCat(Path("go"), id.job);
    ASSERT_TRUE(scheduler_->Start(
        Shell(id, absl::StrCat("while ! [ -e ", go, " ]; do sleep 0.02; done; ",
                               "exit ", exit_code))));
    ASSERT_TRUE(scheduler_->WaitRunning(id));
    const pid_t job = JobOf(id).pid;
    kill(SupervisorOf(id).pid, SIGSTOP);
    std::filesystem::create_directory(go);
    ASSERT_TRUE(WaitGone(job));
  };
  end_unseen({1, 1}, 7);
  kill(SupervisorOf({1, 1}).pid, SIGTERM);
  kill(SupervisorOf({1, 1}).pid, SIGCONT);
  auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_FAILED) << status->message();
  EXPECT_EQ(status->exit_code(), 7);

  end_unseen({2, 1}, 0);
  scheduler_->Stop({2, 1}, v1::StopAttempt::SUSPEND, absl::Seconds(8));
  // Behind the stop: once this one is refused, the agent has passed that on.
  v1::StartAttempt all = Shell({3, 1}, "exit 0");
  all.set_count(8);
  EXPECT_EQ(RunToEnd(all).outcome(), v1::OUTCOME_REFUSED);
  kill(SupervisorOf({2, 1}).pid, SIGCONT);
  status = scheduler_->WaitEnded({2, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED) << status->message();
}

TEST_F(FaultsTest, WhenTheLeaseIsNotRenewedTheJobsEnd) {
  scheduler_->SetLease(absl::Milliseconds(800));
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  scheduler_->set_answer(false);
  EXPECT_TRUE(WaitGone(JobOf({1, 1}).pid));
  ExpectLeaseLost();
}

// As in a folder of another machine that does not answer: by the time that it
// does, the job may run elsewhere.
TEST_F(FaultsTest, AStartThatTakesLongerThanTheLeaseIsNone) {
  scheduler_->SetLease(absl::Milliseconds(800));
  setenv(kFailpointsVariable, "supervisor.starting=delay@2500", 1);
  StartAgent();
  unsetenv(kFailpointsVariable);
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  scheduler_->set_answer(false);
  EXPECT_TRUE(WaitGone(supervisor));
  EXPECT_EQ(Read(Path("starts")), "");
  ExpectLeaseLost();
}

TEST_F(FaultsTest, WithBothKilledItRanForAsLongAsTheSupervisorHadSaid) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  const Fd fd(open(PathsOf(Path("state"), {1, 1}).run.c_str(), O_RDONLY));
  ASSERT_TRUE(WaitFolder(StateFile("run"),
                         [&] { return RunFile(fd.get()).alive_ns() > 0; }));
  KillAgent();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(WaitGone(supervisor));
  const auto alive = absl::Nanoseconds(RunFile(fd.get()).alive_ns());
  StartAgent();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_LOST);
  EXPECT_GE(FromProto(status->ended()) - FromProto(status->started()), alive);
}

TEST_F(FaultsTest, TheLeaseEndsJobsWithoutAnAgentToo) {
  scheduler_->SetLease(absl::Milliseconds(800));
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const pid_t job = JobOf({1, 1}).pid;
  KillAgent();
  EXPECT_TRUE(WaitGone(job));
}

TEST_F(FaultsTest, AStoppedAgentDoesNotKeepTheLeaseFromEnding) {
  scheduler_->SetLease(absl::Milliseconds(800));
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  kill(agent_, SIGSTOP);
  EXPECT_TRUE(WaitGone(JobOf({1, 1}).pid));
  kill(agent_, SIGCONT);
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
}

TEST_F(FaultsTest, ARenewedLeaseLetsJobsOutliveItsFirstTerm) {
  scheduler_->SetLease(absl::Seconds(2));
  StartAgent();
  const auto status = RunToEnd(Shell({1, 1}, "sleep 3; exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(FaultsTest, AnAgentConnectsAgainAfterTheStreamBreaks) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  for (size_t n = 2; n < 5; ++n) {
    scheduler_->Disconnect();
    ASSERT_TRUE(scheduler_->WaitRegistered(n));
  }
  LetGo();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->exit_code(), 7);
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

TEST_F(FaultsTest, ASecondAgentOnTheSameFolderIsRefused) {
  StartAgent();
  const std::string command =
      std::string(CCSCHED_AGENT_BINARY) +
      " --scheduler unix:" + Path("socket") +
      " --node x --site s --accelerator a --count 1 --state " + Path("state") +
      " 2> " + Path("second");
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_THAT(Read(Path("second")), HasSubstr("another agent"));
}

TEST_F(FaultsTest, OnSigtermTheAgentEndsAndItsJobsGoOn) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  EXPECT_EQ(StopAgent(), 0);
  EXPECT_TRUE(Exists(JobOf({1, 1}).pid));
}

TEST_F(FaultsTest, AskedToAnAgentEndsItsJobsWithItself) {
  StartAgent({"--end-jobs"});
  v1::StartAttempt start = Waiter({1, 1});
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  const pid_t job = JobOf({1, 1}).pid;
  EXPECT_EQ(StopAgent(), 0);
  EXPECT_FALSE(Exists(job));
  StartAgent();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
}

// It would outlive the agent: nobody has told its supervisor to end.
TEST_F(FaultsTest, AStartThatComesWhileItEndsItsJobsIsRefused) {
  StartAgent({"--end-jobs"});
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "trap 'echo told >> " + Path("told") +
                        "' TERM; echo up; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  kill(agent_, SIGTERM);
  ASSERT_TRUE(WaitFileHolds(Path("told"), "told"));
  ASSERT_TRUE(scheduler_->Start(Waiter({2, 1})));
  const auto status = scheduler_->WaitEnded({2, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(status->node_at_fault()) << "it is none of the job's";
  // Told before the refusal: else the job would come here again.
  ASSERT_FALSE(scheduler_->Health().empty());
  EXPECT_THAT(scheduler_->Health().front(), HasSubstr("ends its jobs"));
  LetGo();
  EXPECT_EQ(StopAgent(), 0) << "asked twice";
  EXPECT_EQ(Read(Path("starts")), "");
  StartAgent();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
  EXPECT_EQ(scheduler_->WaitRegistered(2)->unfit(), "");
}

TEST_F(FaultsTest, EnergyIsCountedOnceOverARestart) {
  scheduler_->registered.set_clock_rate(100);
  StartAgent({"--sample-interval", "0.1"});
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 3));
  KillAgent();
  StartAgent({"--sample-interval", "0.1"});
  LetGo();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  // By start, the last to arrive wins: together they cover the whole run.
  std::map<absl::Time, absl::Time> stretches;
  for (const auto& sample : scheduler_->Samples({1, 1})) {
    stretches[FromProto(sample.start())] = FromProto(sample.end());
  }
  absl::Time until = FromProto(status->started());
  for (const auto& [start, end] : stretches) {
    EXPECT_LE(start, until) << "a gap";
    until = std::max(until, end);
  }
  EXPECT_EQ(until, FromProto(status->ended()));
}

// Neither of them had put on record what the meter said of the job: the next
// agent says it again, and by the counter what it used while nobody watched.
TEST_F(FaultsTest, WhatWasMeasuredOutlivesTheAgent) {
  const auto counter = [&](int joules) {
    std::ofstream(Path("nvml.new")) << joules << "000 9000 40 10 20 50 0\n";
    std::filesystem::rename(Path("nvml.new"), Path("nvml"));
  };
  counter(1000);
  setenv("CCSCHED_FAKE_NVML", Path("nvml").c_str(), 1);
  const std::vector<std::string> flags = {
      "--count", "1",       "--sample-interval",
      "0.1",     "--meter", std::string("nvml:") + CCSCHED_FAKE_NVML_LIBRARY};
  scheduler_->acknowledge = false;
  scheduler_->registered.set_clock_rate(1000);  // a sample is a minute
  StartAgent(flags);
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  counter(1040);
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 6));
  KillAgent();
  counter(1100);
  StartAgent(flags);
  std::vector<v1::EnergySample> before, after;
  const auto read = [&] {
    before.clear();
    after.clear();
    size_t agents = 0;
    for (const v1::AgentMessage& message : scheduler_->Messages()) {
      agents += message.has_register_();
      for (const auto& sample : message.telemetry().samples()) {
        (agents == 1 ? before : after).push_back(sample);
      }
    }
  };
  read();
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 2 * before.size()));
  read();
  // The last was in memory alone, and the one before it maybe not yet on disk.
  size_t kept = 0;
  double joules = 0;
  for (; kept < std::min(before.size(), after.size()) &&
         after[kept].SerializeAsString() == before[kept].SerializeAsString();
       ++kept) {
    joules += after[kept].joules();
  }
  EXPECT_GE(kept, before.size() - 2);
  ASSERT_LT(kept, std::min(before.size(), after.size()));
  EXPECT_EQ(after[kept].method(), "measured");
  EXPECT_EQ(FromProto(after[kept].start()), FromProto(before[kept].start()));
  EXPECT_FALSE(after[kept].has_accelerator_utilisation()) << "unknown, then";
  EXPECT_DOUBLE_EQ(joules + after[kept].joules(), 100 * 1000);
  LetGo();
  EXPECT_TRUE(scheduler_->WaitEnded({1, 1}));
}

}  // namespace
}  // namespace ccsched
