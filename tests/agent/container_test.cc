// Jobs in containers that podman really runs, where it can: as root, with a
// static busybox for an image. Elsewhere all of it is skipped.
// SPDX-License-Identifier: Apache-2.0
#include "agent/container.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/program_output.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kImage[] = "localhost/ccsched-test:latest";
constexpr char kUnified[] = "/sys/fs/cgroup/unified";

std::string Output(const std::string& script) {
  const std::string out =
      OutputOf({.program = "/bin/sh",
                .words = {"sh", "-c", "{ " + script + "; } 2>&1"},
                .patience = absl::Minutes(1),
                .bytes_max = 1 << 16});
  return std::string(absl::StripAsciiWhitespace(out));
}

// What podman needs of this machine is made here, in a folder: its storage, and
// settings that also do where root has not all of its rights.
class ContainerTest : public AgentTest {
 protected:
  static void SetUpTestSuite() {
    std::string name = testing::TempDir() + "ccsched-podman-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    home_ = name;
    why_not_ = Prepare();
  }
  static void TearDownTestSuite() {
    if (!runtime_.empty()) Output(runtime_ + " rm --all --force");
    unsetenv("CONTAINERS_CONF");
    unsetenv("CONTAINERS_STORAGE_CONF");
    std::error_code ignored;
    fs::remove_all(home_, ignored);
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << "no containers here: " << why_not_;
    StartAgent({"--run-as-agent", "--cgroup", "off"});
  }

  // Why no container can be run; empty if one was.
  static std::string Prepare() {
#ifdef CCSCHED_SHARED_SUPERVISOR
    return "this build's supervisor is no static program";
#endif
    const char* const path = std::getenv("PATH");
    const std::string found = FindContainerRuntime(path == nullptr ? "" : path);
    if (fs::path(found).filename() != "podman") return "no podman";
    if (geteuid() != 0) return "not root";
    // Old runtimes refuse a hierarchy that is half of version 2. (EINVAL: it is
    // not mounted here, or no more.)
    if (fs::exists(kUnified) &&
        (unshare(CLONE_NEWNS) != 0 ||
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
         (umount2(kUnified, MNT_DETACH) != 0 && errno != EINVAL))) {
      return "control groups are in hybrid mode";
    }
    std::ofstream(home_ / "containers.conf")
        << "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", "
           "\"nproc=4096:4096\"]\n[engine]\nlock_type = \"file\"\ntmp_dir = \""
        << (home_ / "tmp").string() << "\"\n";
    std::ofstream(home_ / "storage.conf")
        << "[storage]\ndriver = \"vfs\"\nrunroot = \""
        << (home_ / "run").string() << "\"\ngraphroot = \""
        << (home_ / "graph").string() << "\"\n";
    setenv("CONTAINERS_CONF", (home_ / "containers.conf").c_str(), 1);
    setenv("CONTAINERS_STORAGE_CONF", (home_ / "storage.conf").c_str(), 1);
    const std::string root = home_ / "root";
    const std::string said = Output(absl::StrCat(
        "mkdir -p ", root, "/bin ", root, "/tmp && cp $(command -v busybox) ",
        root, "/bin/busybox && for a in sh sleep cat touch env pwd; do ln -s ",
        "busybox ", root, "/bin/$a; done && tar -C ", root, " -c . | ", found,
        " import - ", kImage));
    const std::string ran = Output(absl::StrCat(
        found, " run --rm --network=host --ipc=host --cgroups=disabled ",
        kImage, " sh -c 'echo it runs'"));
    if (ran != "it runs") return said + "\n" + ran;
    runtime_ = found;
    return "";
  }

  v1::StartAttempt InImage(AttemptId id, const std::string& script) {
    v1::StartAttempt start = Shell(id, script);
    v1::JobSpec& spec = *start.mutable_spec();
    spec.set_image(kImage);
    spec.set_workdir(folder_);
    for (const char* name : {"CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"}) {
      (*spec.mutable_env())[name] = std::getenv(name);
    }
    return start;
  }
  // Waits until podman knows of no container; it polls, as nobody tells.
  static bool NoneLeft() {
    const absl::Time until = absl::Now() + absl::Seconds(20);
    std::string left = "?";
    while (!left.empty() && absl::Now() < until) {
      left = Output(runtime_ + " ps --all --quiet");
    }
    return left.empty();
  }
  // A job in a container, once its command runs.
  void StartWaiter(AttemptId id, const std::string& script) {
    ASSERT_TRUE(scheduler_->Start(InImage(id, "echo up > up; " + script)));
    ASSERT_TRUE(WaitFileHolds(Path("up"), "up\n"));
    ASSERT_TRUE(scheduler_->WaitRunning(id));
  }

  static inline fs::path home_;
  static inline std::string why_not_, runtime_;
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
  // The exit code is podman's own if it hands nothing on yet.
  EXPECT_TRUE(NoneLeft());
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
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUSPENDED) << status->exit_code();
  // A podman that hands nothing on yet has just begun, and ends itself.
  if (status->exit_code() != 85) return;
  EXPECT_EQ(Read(Path("saved")), "saved\n");
}

TEST_F(ContainerTest, ItGoesOnWhileItsAgentIsKilledAndRestarted) {
  StartWaiter({1, 1}, "until [ -e go ]; do sleep 0.1; done; exit 7");
  KillAgent();
  StartAgent({"--run-as-agent", "--cgroup", "off"});
  std::ofstream(Path("go")) << "\n";
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_TRUE(NoneLeft());
}

TEST_F(ContainerTest, WithAgentAndSupervisorKilledTheNextAgentRemovesIt) {
  StartWaiter({1, 1}, "sleep 600");
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  KillAgent();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(WaitGone(supervisor));
  StartAgent({"--run-as-agent", "--cgroup", "off"});
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
  EXPECT_TRUE(NoneLeft());
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
