// An agent whose supervisor is of another build, or was replaced under it.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/spawn.h"
#include "gmock/gmock.h"
#include "scheduler/base/failpoint.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class SupervisorTest : public AgentTest {
 protected:
  // A program that is no supervisor of this build.
  std::string OtherProgram(const std::string& script) {
    const std::string path = Path("other");
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  ~SupervisorTest() override { Arm(""); }
  // Failpoints of agents and supervisors started from now on.
  static void Arm(const std::string& failpoints) {
    if (failpoints.empty()) {
      unsetenv(kFailpointsVariable);
    } else {
      setenv(kFailpointsVariable, failpoints.c_str(), 1);
    }
  }
  v1::StartAttempt Writer(AttemptId id) {
    return Shell(id, "echo 1 >> " + Path("ran"));
  }
  // What an operator's `undrain` sends.
  void Resume() {
    v1::SchedulerMessage message;
    message.mutable_resume();
    ASSERT_TRUE(scheduler_->Send(message));
  }
  // A copy of the real one, to be replaced.
  std::string CopyOfOurs() {
    const std::string path = Path("supervise");
    fs::copy_file(
        fs::path(CCSCHED_AGENT_BINARY).replace_filename("ccsched-supervise"),
        path);
    return path;
  }
};

TEST_F(SupervisorTest, ReplacedUnderARunningAgentItGoesOnWithItsOwn) {
  const std::string path = CopyOfOurs();
  StartAgent({"--supervisor", path});
  fs::rename(OtherProgram("exit 3"), path);
  const auto status = RunToEnd(Shell({1, 1}, "exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED) << status.message();
}

TEST_F(SupervisorTest, WithAnotherBuildsTheNodeIsUnfitAndRunningJobsGoOn) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "until [ -e " + Path("go") + " ]; do sleep 0.02; done")));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  KillAgent();
  StartAgent({"--supervisor", OtherProgram("echo 1")});
  const auto hello = scheduler_->WaitRegistered(registrations_);
  ASSERT_TRUE(hello);
  EXPECT_THAT(hello->unfit(), HasSubstr("other"));
  ASSERT_EQ(hello->attempts_size(), 1) << "the running job is taken up";
  const auto refused = RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_REFUSED) << refused.message();
  std::ofstream(Path("go")) << "\n";
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED);
}

// The start that shows it is the only one that is lost on the node: it says so
// before it reports the refusal. An operator who has mended it need not wait.
TEST_F(SupervisorTest, OverwrittenInPlaceItIsFoundOutAtTheNextStart) {
  const std::string path = CopyOfOurs();
  StartAgent({"--supervisor", path});
  // The same file, other bytes: not even an open descriptor helps.
  fs::copy_file("/bin/false", path, fs::copy_options::overwrite_existing);
  const auto status = RunToEnd(Shell({1, 1}, "exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(status.node_at_fault());
  EXPECT_THAT(status.message(), HasSubstr("does not run here"));
  EXPECT_THAT(scheduler_->Health(), ElementsAre(HasSubstr("does not run here")))
      << "the scheduler is not told to send no more";
  // Asked too early, it finds out by itself: no job has to.
  Resume();
  ASSERT_TRUE(scheduler_->WaitHealth(2));
  EXPECT_THAT(scheduler_->Health()[1], HasSubstr("does not say its version"));
  fs::copy_file(
      fs::path(CCSCHED_AGENT_BINARY).replace_filename("ccsched-supervise"),
      path, fs::copy_options::overwrite_existing);
  Resume();
  ASSERT_TRUE(scheduler_->WaitHealth(3));
  EXPECT_EQ(scheduler_->Health()[2], "");
  EXPECT_EQ(RunToEnd(Shell({2, 1}, "exit 0")).outcome(), v1::OUTCOME_SUCCEEDED);
}

// The supervisor itself is sound, and can't do its work here.
TEST_F(SupervisorTest, WhatIsWrongWithTheNodeIsNoFaultOfTheJob) {
  StartAgent();
  fs::rename(StateFile("lease"), Path("lease"));
  const auto status = RunToEnd(Shell({1, 1}, "exit 0"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(status.node_at_fault());
  EXPECT_THAT(scheduler_->Health(), ElementsAre(HasSubstr("lease file")));
  fs::rename(Path("lease"), StateFile("lease"));
  Resume();
  ASSERT_TRUE(scheduler_->WaitHealth(2));
  EXPECT_EQ(scheduler_->Health()[1], "");
  EXPECT_EQ(RunToEnd(Shell({2, 1}, "exit 0")).outcome(), v1::OUTCOME_SUCCEEDED);
}

// Dead of its own before it could say its number: every other would fare so.
TEST_F(SupervisorTest, OneThatCrashesAtBirthMakesTheNodeUnfit) {
  Arm("supervisor.born=crash@1");
  StartAgent();
  const auto status = RunToEnd(Writer({1, 1}));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(status.node_at_fault());
  EXPECT_THAT(status.message(), HasSubstr("signal 11"));
  EXPECT_THAT(scheduler_->Health(), ElementsAre(HasSubstr("signal 11")));
  EXPECT_EQ(Read(Path("ran")), "");
}

// After it has said its number, the job may have run: each is lost. A few of
// them in a row are no accident; after one that comes to its end they count
// anew.
TEST_F(SupervisorTest, SomeThatCrashInARowMakeTheNodeUnfit) {
  Arm("supervisor.known=crash@1");
  StartAgent();
  for (uint64_t job = 1; job <= 3; ++job) {
    const auto status = RunToEnd(Writer({job, 1}));
    EXPECT_EQ(status.outcome(), v1::OUTCOME_LOST);
    EXPECT_TRUE(status.supervisor_died());
    EXPECT_THAT(status.message(), HasSubstr("signal 11"));
    EXPECT_EQ(scheduler_->Health().size(), job / 3);
  }
  EXPECT_THAT(scheduler_->Health(),
              ElementsAre(HasSubstr("3 jobs lost in a row")));
  EXPECT_EQ(Read(Path("ran")), "");
  // Said to be mended it takes one more, which shows that it is not.
  Resume();
  ASSERT_TRUE(scheduler_->WaitHealth(2));
  EXPECT_EQ(RunToEnd(Writer({4, 1})).outcome(), v1::OUTCOME_LOST);
  EXPECT_THAT(scheduler_->Health(),
              ElementsAre(HasSubstr("3 jobs"), "", HasSubstr("4 jobs")));
}

TEST_F(SupervisorTest, ThoseThatAreKilledInARowLeaveTheNodeFit) {
  Arm("supervisor.known=kill@1");
  StartAgent();
  for (uint64_t job = 1; job <= 5; ++job) {
    const auto status = RunToEnd(Writer({job, 1}));
    EXPECT_EQ(status.outcome(), v1::OUTCOME_LOST);
    EXPECT_FALSE(status.supervisor_died());
  }
  EXPECT_THAT(scheduler_->Health(), IsEmpty());
}

// Killed from outside: the attempt is lost, and no more than that.
TEST_F(SupervisorTest, OneThatIsKilledAtBirthLosesItsAttemptOnly) {
  Arm("supervisor.born=kill@1");
  StartAgent();
  const auto status = RunToEnd(Writer({1, 1}));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_LOST);
  EXPECT_FALSE(status.node_at_fault());
  EXPECT_THAT(status.message(), HasSubstr("signal 9"));
  EXPECT_THAT(scheduler_->Health(), IsEmpty());
  EXPECT_EQ(Read(Path("ran")), "");
}

// Between the fork of the job and the note of it: what was forked must not go
// on, though nobody wrote down its number.
TEST_F(SupervisorTest, OneThatDiesBeforeItNotesItsJobTakesTheJobAlong) {
  for (const char* how : {"kill", "crash"}) {
    Arm("supervisor.started=" + std::string(how) + "@1");
    StartAgent();
    const AttemptId id{how[0] == 'k' ? 1u : 2u, 1};
    v1::StartAttempt start = Shell(
        id, "echo $$ > " + Path("pid") + "; trap '' TERM; exec sleep 600");
    const auto status = RunToEnd(start);
    EXPECT_EQ(status.outcome(), v1::OUTCOME_LOST) << how;
    EXPECT_THAT(status.message(),
                HasSubstr(how[0] == 'k' ? "signal 9" : "signal 11"));
    const std::string pid = Read(Path("pid"));
    // It may have been killed before it wrote anything.
    EXPECT_TRUE(pid.empty() || !Exists(std::stoi(pid))) << how;
    EXPECT_THAT(scheduler_->Health(), IsEmpty());
    KillAgent();
  }
}

// The agent is away as well: the next one finds the run file unlocked, and
// nothing in it.
TEST_F(SupervisorTest, OneThatDiedAtBirthWhileTheAgentWasAwayIsLost) {
  Arm("agent.spawned=kill@1,supervisor.born=crash@1");
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Writer({1, 1})));
  ASSERT_TRUE(WaitGone(agent_));
  Arm("");
  KillAgent();
  StartAgent();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_LOST);
  EXPECT_EQ(Read(Path("ran")), "");
  EXPECT_EQ(RunToEnd(Writer({1, 2})).outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read(Path("ran")), "1\n");
}

// Its supervisor would wait with it, deaf to everything.
TEST_F(SupervisorTest, OutputToAPipeThatNobodyReadsIsRefused) {
  StartAgent();
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  v1::StartAttempt start = Shell({1, 1}, "echo heard");
  start.mutable_spec()->set_output(Path("fifo"));
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("fifo"));
  const Fd reader(open(Path("fifo").c_str(), O_RDONLY | O_NONBLOCK));
  start.mutable_key()->set_job_id(2);
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  char text[16] = {};
  EXPECT_EQ(read(reader.get(), text, sizeof(text)), 6);
}

TEST_F(SupervisorTest, WhatIsWrongWithAJobLeavesTheNodeFit) {
  StartAgent();
  v1::StartAttempt start = Shell({1, 1}, "exit 0");
  start.mutable_spec()->set_workdir("/no/such/folder");
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_FALSE(status.node_at_fault());
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_THAT(scheduler_->Health(), IsEmpty());
}

}  // namespace
}  // namespace ccsched
