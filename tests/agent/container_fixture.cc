// Jobs in containers that podman really runs, as root or as another user.
// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/container_fixture.h"

#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/container.h"
#include "agent/program_output.h"

namespace ccsched {
namespace {

namespace fs = std::filesystem;

constexpr char kImage[] = "localhost/ccsched-test:latest";
constexpr char kUnified[] = "/sys/fs/cgroup/unified";

// A folder that is this user's; "": ours.
void MakeFolderOf(const std::string& user, const fs::path& folder) {
  fs::create_directories(folder);
  if (user.empty()) return;
  const passwd* const entry = getpwnam(user.c_str());
  if (chown(folder.c_str(), entry->pw_uid, entry->pw_gid) != 0) std::abort();
}

}  // namespace

std::string PodmanTest::Output(const std::string& script) {
  ProgramCall call{.program = "/bin/sh",
                   .words = {"sh", "-c", "{ " + script + "; } 2>&1"},
                   .patience = absl::Minutes(1),
                   .bytes_max = 1 << 16};
  if (!user_.empty()) {
    call.program = "/bin/su";
    call.words = {"su",
                  user_,
                  "-s",
                  "/bin/sh",
                  "-c",
                  absl::StrCat("cd /; export XDG_RUNTIME_DIR=",
                               session_.string(), "; ", call.words.back())};
  }
  return std::string(absl::StripAsciiWhitespace(OutputOf(call)));
}

void PodmanTest::Prepare(const std::string& user) {
  std::string name = testing::TempDir() + "ccsched-podman-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  home_ = name;
  user_ = user;
  runtime_.clear();
  why_not_ = WhyNot();
}

void PodmanTest::TearDownTestSuite() {
  if (!runtime_.empty()) {
    Output(runtime_ + " rm --all --force");
    // A user's podman keeps a process, and files that belong to its ids.
    if (!user_.empty()) {
      Output(absl::StrCat(runtime_, " system migrate; ", runtime_,
                          " unshare rm -rf ", (home_ / "own").string(), "/*; ",
                          runtime_, " system migrate"));
    }
  }
  unsetenv("CONTAINERS_CONF");
  unsetenv("CONTAINERS_STORAGE_CONF");
  std::error_code ignored;
  fs::remove_all(home_, ignored);
  if (!session_.empty()) fs::remove_all(session_, ignored);
  session_.clear();
}

// Why no container can be run; empty if one was.
std::string PodmanTest::WhyNot() {
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
  const fs::path own = home_ / "own";
  chmod(home_.c_str(), 0755);
  MakeFolderOf(user_, own);
  if (!user_.empty()) {
    // Short: with a longer one podman waits in vain for containers' ends.
    std::string session = "/tmp/ccsXXXXXX";
    if (mkdtemp(session.data()) == nullptr) std::abort();
    session_ = session;
    MakeFolderOf(user_, session_);
  }
  std::ofstream(home_ / "containers.conf")
      << "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", "
         "\"nproc=4096:4096\"]\n[engine]\nlock_type = \"file\"\ntmp_dir = \""
      << (user_.empty() ? own / "tmp" : session_ / "tmp").string() << "\"\n";
  std::ofstream(home_ / "storage.conf")
      << "[storage]\ndriver = \"vfs\"\nrunroot = \"" << (own / "run").string()
      << "\"\ngraphroot = \"" << (own / "graph").string()
      << "\"\nrootless_storage_path = \"" << (own / "graph").string() << "\"\n";
  setenv("CONTAINERS_CONF", (home_ / "containers.conf").c_str(), 1);
  setenv("CONTAINERS_STORAGE_CONF", (home_ / "storage.conf").c_str(), 1);
  const std::string root = own / "root";
  const std::string said = Output(absl::StrCat(
      "mkdir -p ", root, "/bin ", root, "/tmp && cp $(command -v busybox) ",
      root, "/bin/busybox && for a in sh sleep cat touch env pwd id; do ln -s ",
      "busybox ", root, "/bin/$a; done && tar -C ", root, " -c . | ", found,
      " import - ", kImage));
  const std::string ran =
      Output(absl::StrCat(found, " run --rm --network=host --cgroups=disabled ",
                          kImage, " sh -c 'echo it runs'"));
  if (ran.find("it runs") == std::string::npos) return said + "\n" + ran;
  runtime_ = found;
  return "";
}

void PodmanTest::SetUp() {
  if (!why_not_.empty()) GTEST_SKIP() << "no containers here: " << why_not_;
  if (!user_.empty()) {
    chmod(folder_.c_str(), 0755);
    MakeFolderOf(user_, Workdir());
  }
  StartContainerAgent();
}

void PodmanTest::StartContainerAgent() {
  std::vector<std::string> flags{"--cgroup", "off"};
  if (user_.empty()) flags.emplace_back("--run-as-agent");
  StartAgent(flags);
}

std::string PodmanTest::Workdir(const std::string& name) const {
  const fs::path folder = user_.empty() ? folder_ : folder_ / "theirs";
  return name.empty() ? folder : folder / name;
}

v1::StartAttempt PodmanTest::InImage(AttemptId id, const std::string& script) {
  v1::StartAttempt start = Shell(id, script);
  v1::JobSpec& spec = *start.mutable_spec();
  spec.set_image(kImage);
  spec.set_user(user_);
  spec.set_workdir(Workdir());
  for (const char* name : {"CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"}) {
    (*spec.mutable_env())[name] = std::getenv(name);
  }
  if (!user_.empty())
    (*spec.mutable_env())["XDG_RUNTIME_DIR"] = session_.string();
  return start;
}

bool PodmanTest::NoneLeft() {
  const absl::Time until = absl::Now() + absl::Seconds(20);
  std::string left = "?";
  while (!left.empty() && absl::Now() < until) {
    left = Output(runtime_ + " ps --all --quiet");
  }
  return left.empty();
}

void PodmanTest::ForgetWhatIsShared() { Output(runtime_ + " system migrate"); }

pid_t PodmanTest::Shared() {
  pid_t pid = 0;
  std::ifstream(session_ / "tmp" / "pause.pid") >> pid;
  return pid;
}

void PodmanTest::StartWaiter(AttemptId id, const std::string& script) {
  ASSERT_TRUE(scheduler_->Start(InImage(id, "echo up > up; " + script)));
  ASSERT_TRUE(WaitFileHolds(Workdir("up"), "up\n"));
  ASSERT_TRUE(scheduler_->WaitRunning(id));
}

void PodmanTest::LoseWaiterWithItsAgent() {
  StartWaiter({1, 1}, "sleep 600");
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  KillAgent();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(WaitGone(supervisor));
  StartContainerAgent();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->outcome(), v1::OUTCOME_LOST);
  EXPECT_TRUE(NoneLeft());
}

}  // namespace ccsched
