// How jobs are run: their ends, limits, output and environment.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class JobsTest : public AgentTest {
 protected:
  void SetUp() override { StartAgent(); }
};

TEST_F(JobsTest, ReportsExitCodes) {
  const auto good = RunToEnd(Shell({1, 1}, "exit 0"));
  EXPECT_EQ(good.outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_GE(FromProto(good.ended()), FromProto(good.started()));
  const auto bad = RunToEnd(Shell({2, 1}, "exit 37"));
  EXPECT_EQ(bad.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(bad.exit_code(), 37);
}

TEST_F(JobsTest, ReportsTheSignalThatEndedAJob) {
  const auto status = RunToEnd(Shell({1, 1}, "kill -SEGV $$"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.signal(), SIGSEGV);
}

TEST_F(JobsTest, ACommandThatDoesNotExistFailsAsInAShell) {
  v1::StartAttempt start = Shell({1, 1}, "");
  start.mutable_spec()->clear_command();
  start.mutable_spec()->add_command("no-such-command-here");
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.exit_code(), 127);
  EXPECT_THAT(status.message(), HasSubstr("no-such-command-here"));
  start.mutable_key()->set_job_id(2);
  start.mutable_spec()->set_command(0, "/etc/passwd");
  EXPECT_EQ(RunToEnd(start).exit_code(), 126);
}

TEST_F(JobsTest, RefusesAStartThatCannotBeCarriedOut) {
  v1::StartAttempt start = Shell({1, 1}, "exit 0");
  start.mutable_spec()->set_workdir("/no/such/folder");
  auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("/no/such/folder"));

  start = Shell({2, 1}, "exit 0");
  start.mutable_spec()->set_output("/no/such/folder/%j.out");
  status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("/no/such/folder/2.out"));

  start = Shell({3, 1}, "exit 0");
  start.set_count(9);
  status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("8 of 8"));

  start = Shell({4, 1}, "exit 0");
  start.mutable_spec()->set_warn_signal("NOSUCH");
  status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("NOSUCH"));
}

TEST_F(JobsTest, RunsAScriptByItsFirstLineAndWithoutOneByTheShell) {
  v1::StartAttempt start = Shell({1, 1}, "");
  start.mutable_spec()->clear_command();
  start.mutable_spec()->set_script("#!/bin/cat\nit is the script itself\n");
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_THAT(Read(StateFile("logs/1-1.out")), HasSubstr("script itself"));
  start.mutable_key()->set_job_id(2);
  start.mutable_spec()->set_script("echo argument $1\n");
  start.mutable_spec()->add_command("one");
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read(StateFile("logs/2-1.out")), "argument one\n");
}

TEST_F(JobsTest, EachHasATemporaryFolderOfItsOwn) {
  const auto has_one = [&](AttemptId id) {
    EXPECT_EQ(RunToEnd(Shell(id,
                             "ls -A $TMPDIR && stat -c %a $TMPDIR && "
                             "echo $TMPDIR && mkdir $TMPDIR/sub && mktemp"))
                  .outcome(),
              v1::OUTCOME_SUCCEEDED);
    const std::string name = id.ToString();
    EXPECT_THAT(Read(StateFile("logs/" + name + ".out")),
                StartsWith("700\n" + StateFile("tmp/ccsched-" + name + "-")))
        << "empty and closed to others";
  };
  const auto left = [&] {
    return std::distance(std::filesystem::directory_iterator(StateFile("tmp")),
                         {});
  };
  has_one({1, 1});
  EXPECT_TRUE(scheduler_->WaitFor([&] { return left() == 0; }));
  // What nothing is left in is the next one's, if it is as it was made.
  RunToEnd(Shell({2, 1}, "exit 0"));
  has_one({3, 1});
  RunToEnd(Shell({4, 1}, "chmod 777 $TMPDIR"));
  has_one({5, 1});
  KillAgent();
  std::filesystem::create_directories(StateFile("tmp/ccsched-9-1-spare/sub"));
  StartAgent();
  EXPECT_FALSE(std::filesystem::exists(StateFile("tmp/ccsched-9-1-spare")));
  EXPECT_TRUE(scheduler_->WaitFor([&] { return left() == 0; }));
  has_one({7, 1});
}

// The folder may be one that somebody else uses, too.
TEST_F(JobsTest, WhatIsNotOfAnAttemptIsNoLeftOver) {
  KillAgent();
  for (const char* name : {"tmp/others", "tmp/ccsched-mine", "work/12-1-notes",
                           "tmp/ccsched-9-1-00", "work/9-1"}) {
    std::filesystem::create_directories(StateFile(name));
  }
  StartAgent();
  RunToEnd(Shell({1, 1}, "exit 0"));
  for (const char* gone : {"tmp/ccsched-9-1-00", "work/9-1"}) {
    EXPECT_FALSE(std::filesystem::exists(StateFile(gone))) << gone;
  }
  for (const char* there :
       {"tmp/others", "tmp/ccsched-mine", "work/12-1-notes"}) {
    EXPECT_TRUE(std::filesystem::exists(StateFile(there))) << there;
  }
}

TEST_F(JobsTest, AJobMayHaveAnotherTemporaryFolder) {
  v1::StartAttempt start = Shell({1, 1}, "echo $TMPDIR");
  (*start.mutable_spec()->mutable_env())["TMPDIR"] = "/own";
  RunToEnd(start);
  EXPECT_EQ(Read(StateFile("logs/1-1.out")), "/own\n");
}

TEST_F(JobsTest, AtItsTimeLimitAJobIsWarnedAndMayEndInOrder) {
  v1::StartAttempt start = Shell(
      {1, 1}, "trap 'echo saved; exit 0' TERM; while :; do sleep 0.02; done");
  *start.mutable_time_limit() = ToProto(absl::Milliseconds(300));
  *start.mutable_spec()->mutable_grace() = ToProto(absl::Seconds(8));
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_EQ(status.exit_code(), 0);
  EXPECT_THAT(Read(StateFile("logs/1-1.out")), EndsWith("saved\n"));
}

TEST_F(JobsTest, AJobThatIgnoresTheWarningIsKilledAfterItsGrace) {
  v1::StartAttempt start =
      Shell({1, 1}, "trap '' TERM; while :; do sleep 0.02; done");
  *start.mutable_time_limit() = ToProto(absl::Milliseconds(200));
  *start.mutable_spec()->mutable_grace() = ToProto(absl::Milliseconds(200));
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_EQ(status.signal(), SIGKILL);
  EXPECT_GE(FromProto(status.ended()) - FromProto(status.started()),
            absl::Milliseconds(400));
}

TEST_F(JobsTest, TheWarningIsTheSignalThatTheJobAskedFor) {
  v1::StartAttempt start = Shell(
      {1, 1}, "trap 'exit 9' USR1; echo up; while :; do sleep 0.02; done");
  start.mutable_spec()->set_warn_signal("SIGUSR1");
  ASSERT_TRUE(scheduler_->Start(start));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::Seconds(8));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(status->exit_code(), 9);
}

TEST_F(JobsTest, ACancelledJobWithoutGraceIsKilledAtOnce) {
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "trap '' TERM; echo up; while :; do sleep 0.02; done")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(status->signal(), SIGKILL);
}

TEST_F(JobsTest, WhatAJobForksEndsWithItEvenInAnotherSession) {
  const auto status = RunToEnd(Shell(
      {1, 1}, "setsid sh -c 'setsid sleep 600 & echo $! ; echo $$; touch " +
                  Path("forked") + "; exec sleep 601' & while ! [ -e " +
                  Path("forked") + " ]; do sleep 0.01; done; exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED);
  std::istringstream pids(Read(StateFile("logs/1-1.out")));
  int count = 0;
  for (pid_t pid; pids >> pid; ++count) {
    EXPECT_FALSE(Exists(pid)) << "process " << pid << " outlived its job";
  }
  EXPECT_EQ(count, 2);
}

TEST_F(JobsTest, ASuspendedJobThatEndsIsSuspended) {
  ASSERT_TRUE(scheduler_->Start(Shell({1, 1},
                                      "trap 'echo saved; exit 0' TERM; echo "
                                      "up; while :; do sleep 0.02; done")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::SUSPEND, absl::Seconds(8));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED);
}

TEST_F(JobsTest, AJobThatDoesNotAnswerASuspendGoesOn) {
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1},
            "trap '' TERM; echo up; while ! [ -e go ]; do sleep 0.02; done")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  scheduler_->Stop({1, 1}, v1::StopAttempt::SUSPEND, absl::Milliseconds(100));
  ASSERT_TRUE(scheduler_->WaitStatus({1, 1}, [](const auto& s) {
    return !s.has_ended() && s.message().find("goes on") != std::string::npos;
  }));
  EXPECT_TRUE(Exists(JobOf({1, 1}).pid));
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
}

TEST_F(JobsTest, AcceleratorsAreNeverGivenTwice) {
  v1::StartAttempt first = Shell({1, 1}, "echo $CUDA_VISIBLE_DEVICES; cat");
  first.mutable_spec()->set_command(2, "echo $CUDA_VISIBLE_DEVICES; sleep 600");
  first.set_count(3);
  v1::StartAttempt second = first;
  second.mutable_key()->set_job_id(2);
  ASSERT_TRUE(scheduler_->Start(first));
  ASSERT_TRUE(scheduler_->Start(second));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "0,1,2"));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/2-1.out"), "3,4,5"));
  v1::StartAttempt third = Shell({3, 1}, "exit 0");
  third.set_count(3);
  EXPECT_EQ(RunToEnd(third).outcome(), v1::OUTCOME_REFUSED);
  scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration());
  ASSERT_TRUE(scheduler_->WaitEnded({1, 1}));
  third.mutable_key()->set_epoch(2);
  third.mutable_spec()->set_command(2, "echo $CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(RunToEnd(third).outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read(StateFile("logs/3-2.out")), "0,1,2\n");
}

TEST_F(JobsTest, AGangKnowsItsRankAndPeers) {
  v1::StartAttempt start = Shell({70, 2}, "env");
  start.set_count(2);
  start.set_rank(1);
  for (const char* node : {"node-0", "node-1", "node-2"}) {
    v1::NodeShare& share = *start.add_gang();
    share.set_node(node);
    share.set_count(2);
  }
  start.set_array_index(7);
  start.set_array_id(63);
  (*start.mutable_spec()->mutable_env())["MINE"] = "a value";
  (*start.mutable_spec()->mutable_env())["CUDA_VISIBLE_DEVICES"] = "all";
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  const std::string env = "\n" + Read(StateFile("logs/70-2.out"));
  for (const char* line :
       {"CCSCHED_JOB_ID=70", "CCSCHED_RANK=1", "CCSCHED_NODES=3",
        "CCSCHED_PEERS=node-0,node-1,node-2", "CCSCHED_NODE=node-1",
        "CCSCHED_SITE=virginia", "CCSCHED_ARRAY_INDEX=7", "CCSCHED_ARRAY_ID=63",
        "CCSCHED_ACCELERATORS=0,1", "CUDA_VISIBLE_DEVICES=0,1",
        "ROCR_VISIBLE_DEVICES=0,1", "ZE_AFFINITY_MASK=0,1",
        "MASTER_ADDR=node-0", "WORLD_SIZE=3", "RANK=1", "MINE=a value",
        "SLURM_JOB_ID=70", "SLURM_ARRAY_TASK_ID=7"}) {
    EXPECT_THAT(env, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
  EXPECT_THAT(env, Not(HasSubstr("SLURM_NTASKS")));
}

TEST_F(JobsTest, OutputGoesWhereTheUserWantsIt) {
  v1::StartAttempt start = Shell({5, 1}, "echo out; echo err >&2");
  start.mutable_spec()->set_workdir(folder_);
  start.mutable_spec()->set_output("%x-%4j-%a.txt");
  start.set_array_index(3);
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read(Path("test-0005-3.txt")), "out\nerr\n");
  // And `ccsched logs` finds it there.
  ASSERT_TRUE(scheduler_->ReadLog(1, {5, 1}, false));
  ASSERT_TRUE(
      scheduler_->WaitLog(1, [](const auto&, bool end) { return end; }));
  EXPECT_EQ(scheduler_->Log(1), "out\nerr\n");
}

TEST_F(JobsTest, EnergyIsReportedUpToTheEndAndBeforeIt) {
  RunToEnd(Shell({1, 1},
                 "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; times"));
  const auto samples = scheduler_->Samples({1, 1});
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  ASSERT_FALSE(samples.empty());
  EXPECT_EQ(samples.front().start().SerializeAsString(),
            status->started().SerializeAsString());
  EXPECT_EQ(samples.back().end().SerializeAsString(),
            status->ended().SerializeAsString());
  EXPECT_EQ(samples.back().method(), "modelled");
  const double seconds = absl::ToDoubleSeconds(FromProto(status->ended()) -
                                               FromProto(status->started()));
  double joules = 0;
  double cpu_s = 0;
  for (const auto& sample : samples) {
    joules += sample.joules();
    cpu_s +=
        sample.utilisation() * absl::ToDoubleSeconds(FromProto(sample.end()) -
                                                     FromProto(sample.start()));
    EXPECT_LE(sample.utilisation(), 1);
  }
  // As the shell says of itself: "0m0.070000s 0m0.000000s" first.
  double said_s = 0;
  std::sscanf(Read(StateFile("logs/1-1.out")).c_str(), "%*dm%lfs", &said_s);
  EXPECT_GT(said_s, 0);
  EXPECT_GE(cpu_s, 0.9 * said_s);
  EXPECT_GE(joules, 100 * seconds);
  EXPECT_LE(joules, 300 * seconds * 1.0001);
  for (const auto& message : scheduler_->Messages()) {
    if (message.has_status() && message.status().has_ended()) break;
    if (message.has_telemetry()) return;  // before the end
  }
  FAIL() << "the end overtook its energy";
}

// Apart: its agent has a meter.
using MeteredJobsTest = AgentTest;

TEST_F(MeteredJobsTest, AnAcceleratorsCounterIsWhatAJobIsBilled) {
  const auto counter = [&](int joules) {
    std::ofstream(Path("nvml.new"))
        << joules << "000 9000 40 10 20 50 0\n7000 9000 0 10 20 50 0\n";
    std::filesystem::rename(Path("nvml.new"), Path("nvml"));
  };
  counter(1000);
  setenv("CCSCHED_FAKE_NVML", Path("nvml").c_str(), 1);
  StartAgent({"--count", "2", "--sample-interval", "0.2", "--meter",
              std::string("nvml:") + CCSCHED_FAKE_NVML_LIBRARY});
  EXPECT_EQ(scheduler_->WaitRegistered(1)->meter(), "nvml");
  ASSERT_TRUE(
      scheduler_->Start(Shell({1, 1}, "echo up; while ! [ -e " + Path("go") +
                                          " ]; do sleep 0.02; done")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "up"));
  counter(1040);
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 2));
  counter(1100);
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 4));
  std::filesystem::create_directory(Path("go"));
  ASSERT_TRUE(scheduler_->WaitEnded({1, 1}));
  double joules = 0;
  for (const auto& sample : scheduler_->Samples({1, 1})) {
    joules += sample.joules();
    EXPECT_EQ(sample.method(), "measured");
  }
  EXPECT_DOUBLE_EQ(joules, 100);
}

// What no counter bridges (here the driver is loaded anew while the agent is
// away) is no idler than it was: how busy processors are says little of
// accelerators.
TEST_F(MeteredJobsTest, TimeWithoutAnAgentIsEstimatedByTheAcceleratorsUse) {
  setenv("CCSCHED_FAKE_NVML", Path("nvml").c_str(), 1);
  std::ofstream(Path("nvml")) << "1000000 300000 100 0 0 60 0\n";
  const std::vector<std::string> flags{
      "--sample-interval", "0.1",
      "--count",           "1",
      "--meter",           std::string("nvml:") + CCSCHED_FAKE_NVML_LIBRARY};
  StartAgent(flags);
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, 2));
  KillAgent();
  const size_t before = scheduler_->Samples({1, 1}).size();
  std::ofstream(Path("nvml")) << "999999 300000 100 0 0 60 0\n";
  StartAgent(flags);
  // One may still have been under way from the agent before.
  ASSERT_TRUE(scheduler_->WaitSamples({1, 1}, before + 2));
  const auto samples = scheduler_->Samples({1, 1});
  const auto gap =
      std::find_if(samples.begin(), samples.end(),
                   [](const auto& s) { return s.method() == "estimated"; });
  ASSERT_NE(gap, samples.end());
  const double seconds =
      absl::ToDoubleSeconds(FromProto(gap->end()) - FromProto(gap->start()));
  EXPECT_NEAR(gap->joules(), scheduler_->registered.active_watts() * seconds,
              0.05 * gap->joules());
  LetGo();
}

using OpenFilesTest = AgentTest;

// Each job is some open files of the agent's; a thousand are soon too few.
TEST_F(OpenFilesTest, ASoftLimitOfOpenFilesBoundsJobsButNotHowManyThereAre) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  StartAgent({"--count", "40"});
  setrlimit(RLIMIT_NOFILE, &before);
  for (uint64_t job = 1; job <= 40; ++job) {
    v1::StartAttempt start = Waiter({job, 1});
    start.mutable_spec()->mutable_command()->rbegin()->insert(0,
                                                              "ulimit -Sn; ");
    ASSERT_TRUE(scheduler_->Start(start));
  }
  for (uint64_t job = 1; job <= 40; ++job) {
    ASSERT_TRUE(scheduler_->WaitRunning({job, 1})) << Read(Path("agent.log"));
  }
  LetGo();
  for (uint64_t job = 1; job <= 40; ++job) {
    const AttemptId id{job, 1};
    const auto status = scheduler_->WaitEnded(id);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->exit_code(), 7) << status->message();
    EXPECT_EQ(Read(StateFile("logs/" + id.ToString() + ".out")), "64\n");
  }
}

}  // namespace
}  // namespace ccsched
