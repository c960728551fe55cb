// Jobs kept apart: control groups, users, and what may be read of whom.
// SPDX-License-Identifier: Apache-2.0
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "agent/cgroup.h"
#include "agent/container.h"
#include "gmock/gmock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

using IsolationTest = AgentTest;

TEST_F(IsolationTest, AKernelsKillForWantOfMemoryIsToldApart) {
  // A folder stands for the group; the kernel's part is played by the job.
  std::filesystem::create_directories(Path("group"));
  StartAgent({"--cgroup", Path("group"), "--run-as-agent"});
  std::filesystem::create_directories(Path("group/job-1-1"));
  for (const char* file : {"cgroup.procs", "cgroup.kill"}) {
    ASSERT_EQ(std::system(("touch " + Path("group/job-1-1/") + file).c_str()),
              0);
  }
  const auto status = RunToEnd(
      Shell({1, 1}, "echo 'low 0\noom 1\noom_kill 1' > " +
                        Path("group/job-1-1/memory.events") + "; kill -9 $$"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(status.signal(), 9);
  EXPECT_THAT(status.message(), HasSubstr("out of memory"));
  EXPECT_EQ(Read(Path("group/job-1-1/cgroup.kill")), "1");
}

TEST_F(IsolationTest, AKillFromOutsideIsNotCalledAnOrdinaryExit) {
  StartAgent();
  const auto status = RunToEnd(Shell({1, 1}, "kill -9 $$"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_FAILED);
  EXPECT_THAT(status.message(), HasSubstr("nobody here sent"));
}

TEST_F(IsolationTest, AGroupOfItsOwnIsMadeAndRemoved) {
  const std::string root = FindCgroupRoot("ccsched-test", false);
  if (root.empty()) GTEST_SKIP() << "this process may make no control group";
  StartAgent({"--cgroup", root});
  EXPECT_EQ(RunToEnd(Shell({1, 1}, "grep 0:: /proc/self/cgroup; sleep 600 &"))
                .outcome(),
            v1::OUTCOME_SUCCEEDED);
  EXPECT_THAT(Read(StateFile("logs/1-1.out")),
              HasSubstr("ccsched-test/job-1-1"));
  EXPECT_FALSE(std::filesystem::exists(root + "/job-1-1"));
  rmdir(root.c_str());
}

// As container runtimes do, in a job of root's.
TEST_F(IsolationTest, GroupsThatAJobHasMadeInItsOwnGoWithIt) {
  std::filesystem::create_directories(Path("group/a/b/c"));
  std::filesystem::create_directories(Path("group/d"));
  Cgroup(Path("group")).Remove();
  EXPECT_FALSE(std::filesystem::exists(Path("group")));
}

TEST_F(IsolationTest, TheOperatorsOwnFolderStays) {
  std::filesystem::create_directories(Path("group"));
  StartAgent({"--cgroup", Path("group")});
  EXPECT_EQ(StopAgent(), 0);
  EXPECT_TRUE(std::filesystem::exists(Path("group")));
}

TEST_F(IsolationTest, AJobWithAnImageIsRunByWhatTheNodeHas) {
  std::filesystem::create_directory(Path("bin"));
  // In place of podman: says how it was called, then runs what stands last.
  ASSERT_EQ(
      std::system(("printf '#!/bin/sh\\necho \"$@\"\\necho job "
                   "$CCSCHED_JOB_ID\\n' > " +
                   Path("bin/podman") + " && chmod +x " + Path("bin/podman"))
                      .c_str()),
      0);
  const std::string before = getenv("PATH");
  setenv("PATH", (Path("bin") + ":" + before).c_str(), 1);
  StartAgent();
  setenv("PATH", before.c_str(), 1);
  v1::StartAttempt start = Shell({1, 1}, "exit 0");
  start.mutable_spec()->set_image("debian:12");
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  const std::string log = Read(StateFile("logs/1-1.out"));
  EXPECT_THAT(log, HasSubstr("run --rm "));
  EXPECT_THAT(log, HasSubstr("-w /tmp "));
  EXPECT_THAT(log, HasSubstr(" -e CCSCHED_JOB_ID "));
  EXPECT_THAT(log, HasSubstr(" debian:12 /bin/sh -c exit 0\n"));
}

TEST(ContainerTest, ApptainerIsCalledInItsOwnWay) {
  const ContainerJob job{.image = "debian:12",
                         .command = {"true"},
                         .env_names = {"A"},
                         .workdir = "/w",
                         .folder = "/f",
                         .tmp = "/t/tmp",
                         .tmpdir = "/t/tmp",
                         .accelerators = {0},
                         .nvidia = true};
  EXPECT_EQ(ContainerCommand("/usr/bin/apptainer", job),
            (std::vector<std::string>{
                "/usr/bin/apptainer", "exec", "--pwd", "/w", "--bind", "/w",
                "--bind", "/f", "--bind", "/t/tmp", "--env", "TMPDIR=/t/tmp",
                "--nv", "docker://debian:12", "true"}));
  EXPECT_EQ(FindContainerRuntime("/no/such:/folders:"), "");
  EXPECT_THAT(ContainerCleanup("/usr/bin/apptainer", job), testing::IsEmpty());
}

TEST(ContainerTest, PodmanGetsANameToRemoveItByAndNoRootOfTheHost) {
  const ContainerJob job{.name = "ccsched-1-1-a",
                         .init = "/usr/bin/ccsched-supervise",
                         .image = "debian:12",
                         .command = {"true"},
                         .workdir = "/",
                         .folder = "/f",
                         .tmp = "/t/tmp",
                         .tmpdir = "/t/tmp",
                         .nvidia = false};
  EXPECT_EQ(ContainerCommand("/usr/bin/podman", job),
            (std::vector<std::string>{"/usr/bin/podman",
                                      "run",
                                      "--rm",
                                      "--name",
                                      "ccsched-1-1-a",
                                      "--log-driver=none",
                                      "--network=host",
                                      "--cgroups=disabled",
                                      "--ipc=host",
                                      "--init",
                                      "--init-path",
                                      "/usr/bin/ccsched-supervise",
                                      "--preserve-fds",
                                      "1",
                                      "-v",
                                      "/f:/f",
                                      "-v",
                                      "/t/tmp:/t/tmp",
                                      "-w",
                                      "/",
                                      "-e",
                                      "TMPDIR=/t/tmp",
                                      "debian:12",
                                      "true"}));
  EXPECT_EQ(ContainerCleanup("/usr/bin/podman", job),
            (std::vector<std::string>{"/usr/bin/podman", "rm", "--force",
                                      "--ignore", "ccsched-1-1-a"}));
  EXPECT_EQ(ContainerPrelude("/usr/bin/podman"),
            (std::vector<std::string>{"/usr/bin/podman", "unshare", "true"}));
  EXPECT_THAT(ContainerPrelude("/usr/bin/apptainer"), testing::IsEmpty());
}

// As the first process of a container; it needs none to be tried.
TEST(ContainerTest, TheInitHandsOnExitCodesAndSignals) {
  const std::string init = std::filesystem::path(CCSCHED_AGENT_BINARY)
                               .replace_filename("ccsched-supervise")
                               .string() +
                           " -- ";
  const auto run = [&](const std::string& command) {
    const int status = std::system((init + command).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(run("/bin/sh -c 'exit 3'"), 3);
  EXPECT_EQ(run("/bin/sh -c 'kill -9 $$'"), 128 + SIGKILL);
  EXPECT_EQ(run("no-such-command 2> /dev/null"), 127);
  EXPECT_EQ(run("/ 2> /dev/null"), 126);
  // To all of the command's processes, not to its first only.
  EXPECT_EQ(run("/bin/sh -c 'trap \"wait; exit 9\" USR1; (trap \"exit 1\" "
                "USR1; kill -USR1 $PPID; while :; do sleep 0.02; done) & "
                "kill -USR1 $PPID; wait'"),
            9);
}

class UsersTest : public AgentTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
    const passwd* nobody = getpwnam("nobody");
    if (nobody == nullptr) GTEST_SKIP() << "no user 'nobody'";
    uid_ = nobody->pw_uid;
    gid_ = nobody->pw_gid;
    chmod(folder_.c_str(), 0755);
    std::filesystem::create_directory(Path("theirs"));
    ASSERT_EQ(chown(Path("theirs").c_str(), uid_, gid_), 0);
    const gid_t root = 0;
    ASSERT_EQ(setgroups(1, &root), 0);  // as one who logs in has it
    StartAgent();
  }
  v1::StartAttempt AsNobody(AttemptId id, const std::string& script) {
    v1::StartAttempt start = Shell(id, script);
    start.mutable_spec()->set_user("nobody");
    start.mutable_spec()->set_workdir(Path("theirs"));
    return start;
  }
  uid_t uid_ = 0;
  gid_t gid_ = 0;
};

TEST_F(UsersTest, ARootsAgentRunsAJobAsWhoSubmittedIt) {
  EXPECT_EQ(
      RunToEnd(AsNobody({1, 1},
                        "id -un; id -G; echo $USER; touch made $TMPDIR/made"))
          .outcome(),
      v1::OUTCOME_SUCCEEDED);
  const std::string log = Read(StateFile("logs/1-1.out"));
  EXPECT_THAT(log, HasSubstr("nobody\n"));
  std::istringstream lines(log);
  std::string name;
  std::string groups;
  std::getline(lines, name);
  std::getline(lines, groups);
  EXPECT_EQ(groups, std::to_string(gid_));
  struct stat made {};
  ASSERT_EQ(stat(Path("theirs/made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, uid_);
}

TEST_F(UsersTest, AUserThatTheNodeDoesNotHaveIsRefused) {
  v1::StartAttempt start = Shell({1, 1}, "exit 0");
  start.mutable_spec()->set_user("no-such-user-here");
  const auto status = RunToEnd(start);
  EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
  EXPECT_THAT(status.message(), HasSubstr("no-such-user-here"));
}

TEST_F(UsersTest, OutputIsWrittenAndReadWithTheUsersRightsOnly) {
  ASSERT_EQ(std::system(("umask 077; echo secret > " + Path("secret")).c_str()),
            0);
  v1::StartAttempt start = AsNobody({1, 1}, "echo mine");
  start.mutable_spec()->set_output("out");
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
  ASSERT_TRUE(scheduler_->ReadLog(1, {1, 1}, false));
  ASSERT_TRUE(
      scheduler_->WaitLog(1, [](const auto&, bool end) { return end; }));
  EXPECT_EQ(scheduler_->Log(1), "mine\n");

  start = AsNobody({2, 1}, "exit 0");
  start.mutable_spec()->set_output(Path("secret"));
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_REFUSED);
  EXPECT_EQ(Read(Path("secret")), "secret\n");
  ASSERT_TRUE(scheduler_->ReadLog(2, {2, 1}, false));
  ASSERT_TRUE(
      scheduler_->WaitLog(2, [](const auto&, bool end) { return end; }));
  EXPECT_EQ(scheduler_->Log(2), "");
}

// The agent's own groups don't count either.
TEST_F(UsersTest, WhatRootsGroupMayReadIsNotRead) {
  ASSERT_EQ(std::system(("echo secret > " + Path("secret") + "; chmod 640 " +
                         Path("secret"))
                            .c_str()),
            0);
  v1::StartAttempt start = AsNobody({1, 1}, "exit 0");
  start.mutable_spec()->set_output(Path("secret"));
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_REFUSED);
  ASSERT_TRUE(scheduler_->ReadLog(1, {1, 1}, false));
  ASSERT_TRUE(
      scheduler_->WaitLog(1, [](const auto&, bool end) { return end; }));
  EXPECT_EQ(scheduler_->Log(1), "");
  // Its own are back: the next log, of root's own, is read.
  RunToEnd(Shell({2, 1}, "echo ours"));
  ASSERT_TRUE(scheduler_->ReadLog(2, {2, 1}, false));
  ASSERT_TRUE(
      scheduler_->WaitLog(2, [](const auto&, bool end) { return end; }));
  EXPECT_EQ(scheduler_->Log(2), "ours\n");
}

// A link that a user has put where root is about to write.
TEST_F(UsersTest, AScriptIsWrittenToNoFileOfAnother) {
  std::filesystem::create_directory(StateFile("work/1-1"));
  ASSERT_EQ(std::system(("echo mine > " + Path("victim")).c_str()), 0);
  std::filesystem::create_symlink(Path("victim"), StateFile("work/1-1/script"));
  v1::StartAttempt start = AsNobody({1, 1}, "");
  start.mutable_spec()->clear_command();
  start.mutable_spec()->set_script("#!/bin/sh\nexit 5\n");
  EXPECT_EQ(RunToEnd(start).exit_code(), 5);
  EXPECT_EQ(Read(Path("victim")), "mine\n");
}

TEST_F(UsersTest, ASuspendableJobOfAUserReachesItsSocket) {
  v1::StartAttempt start =
      AsNobody({1, 1},
               "test -w $CCSCHED_CONTROL/control && echo 0 x > "
               "$CCSCHED_CONTROL/saved");
  start.mutable_spec()->set_suspendable(true);
  EXPECT_EQ(RunToEnd(start).outcome(), v1::OUTCOME_SUCCEEDED);
}

}  // namespace
}  // namespace ccsched
