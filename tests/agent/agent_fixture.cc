// A real agent process with a fake scheduler, in a folder of their own.
// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/agent_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/boot_clock.h"
#include "agent/launch.h"
#include "agent/pidfd.h"
#include "agent/spawn.h"
#include "agent/stop_signal.h"
#include "scheduler/wire/proto_time.h"

extern char** environ;

namespace ccsched {
namespace {

constexpr int kPatienceMs = 10000;

}  // namespace

AgentTest::AgentTest() {
  std::string name = testing::TempDir() + "ccsched-agent-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  scheduler_ = std::make_unique<FakeScheduler>("unix:" + Path("socket"));
}

AgentTest::~AgentTest() {
  if (agent_ != 0) KillAgent();
  // Whatever still runs ends with its supervisor, which sees to that.
  std::error_code none;  // a skipped test has no folder
  for (const auto& run :
       std::filesystem::directory_iterator(folder_ / "state" / "run", none)) {
    const Fd fd(open(run.path().c_str(), O_RDONLY | O_CLOEXEC));
    const auto supervisor = RunFile(fd.get()).supervisor();
    if (!supervisor || IdentifyProcess(supervisor->pid) != supervisor) continue;
    sigval at_once{};
    at_once.sival_int = EncodeStop(StopKind::kStop, 0);
    sigqueue(supervisor->pid, StopSignalNumber(), at_once);
    kill(supervisor->pid, SIGCONT);
    if (!WaitGone(supervisor->pid)) kill(supervisor->pid, SIGKILL);
  }
  scheduler_.reset();
  std::filesystem::remove_all(folder_);
}

void AgentTest::StartAgent(std::vector<std::string> more) {
  std::vector<std::string> words{CCSCHED_AGENT_BINARY,
                                 "--scheduler",
                                 "unix:" + Path("socket"),
                                 "--node",
                                 "node-1",
                                 "--site",
                                 "virginia",
                                 "--accelerator",
                                 "a100",
                                 "--count",
                                 "8",
                                 "--state",
                                 Path("state")};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, Path("agent.log").c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  ASSERT_EQ(
      posix_spawn(&agent_, argv[0], &actions, nullptr, argv.data(), environ),
      0);
  posix_spawn_file_actions_destroy(&actions);
  ASSERT_TRUE(scheduler_->WaitRegistered(++registrations_))
      << Read(Path("agent.log"));
}

void AgentTest::KillAgent() {
  kill(agent_, SIGKILL);
  waitpid(agent_, nullptr, 0);
  agent_ = 0;
}

int AgentTest::StopAgent() {
  kill(agent_, SIGTERM);
  int status = 0;
  waitpid(agent_, &status, 0);
  agent_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

v1::StartAttempt AgentTest::Shell(AttemptId id, const std::string& script) {
  v1::StartAttempt start;
  *start.mutable_key() = ToProto(id);
  start.set_count(1);
  start.set_site("virginia");
  start.mutable_spec()->set_name("test");
  for (const char* word : {"/bin/sh", "-c"}) {
    start.mutable_spec()->add_command(word);
  }
  start.mutable_spec()->add_command(script);
  start.mutable_spec()->set_workdir("/tmp");
  return start;
}

v1::StartAttempt AgentTest::Waiter(AttemptId id) const {
  return Shell(id, "echo started >> " + Path("starts") + "; while ! [ -e " +
                       Path("go") + " ]; do sleep 0.02; done; exit 7");
}

void AgentTest::LetGo() const { std::filesystem::create_directory(Path("go")); }

v1::AttemptStatus AgentTest::RunToEnd(const v1::StartAttempt& start) {
  EXPECT_TRUE(scheduler_->Start(start));
  const auto status = scheduler_->WaitEnded(FromProto(start.key()));
  EXPECT_TRUE(status) << Read(Path("agent.log"));
  return status.value_or(v1::AttemptStatus());
}

std::string AgentTest::Read(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

bool AgentTest::WaitFolder(const std::string& folder,
                           const std::function<bool()>& done) {
  const Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  inotify_add_watch(watch.get(), folder.c_str(),
                    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
  const int64_t until = BootNanos() + kPatienceMs * 1'000'000LL;
  while (!done()) {
    const int64_t left_ms = (until - BootNanos()) / 1'000'000;
    pollfd changed{watch.get(), POLLIN, 0};
    if (left_ms <= 0 || poll(&changed, 1, static_cast<int>(left_ms)) <= 0) {
      return false;
    }
    char buffer[4096];
    while (read(watch.get(), buffer, sizeof(buffer)) > 0) {
    }
  }
  return true;
}

bool AgentTest::WaitFileHolds(const std::string& path,
                              const std::string& text) {
  return WaitFolder(std::filesystem::path(path).parent_path(),
                    [&] { return Read(path).find(text) != std::string::npos; });
}

bool AgentTest::WaitGone(pid_t pid) {
  if (pid <= 0) std::abort();  // of no process, so nothing would be waited for
  const Fd process(pidfd_open(pid, 0));
  if (!process.valid()) return true;
  pollfd gone{process.get(), POLLIN, 0};
  return poll(&gone, 1, kPatienceMs) == 1;
}

bool AgentTest::Exists(pid_t pid) {
  const Fd process(pidfd_open(pid, 0));
  if (!process.valid()) return false;
  pollfd gone{process.get(), POLLIN, 0};
  return poll(&gone, 1, 0) == 0;
}

// The job may be heard of before its supervisor has noted its number.
ProcessId AgentTest::WaitNoted(AttemptId id,
                               std::optional<ProcessId> (RunFile::*which)()
                                   const) const {
  const std::string path = PathsOf(Path("state"), id).run;
  std::optional<ProcessId> noted;
  WaitFolder(std::filesystem::path(path).parent_path(), [&] {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    noted = (RunFile(fd.get()).*which)();
    return noted.has_value();
  });
  if (!noted) std::abort();  // a test that kills number 0 kills itself
  return *noted;
}

ProcessId AgentTest::SupervisorOf(AttemptId id) const {
  return WaitNoted(id, &RunFile::supervisor);
}

ProcessId AgentTest::JobOf(AttemptId id) const {
  return WaitNoted(id, &RunFile::job);
}

}  // namespace ccsched
