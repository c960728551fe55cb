// A child process of a test.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

extern char** environ;

namespace ccsched::testing {
namespace {

// Which of them it is about: what comes first may only prepare its start.
std::string BinaryOf(const std::vector<std::string>& argv) {
  for (const std::string& word : argv) {
    const std::string name = word.substr(word.rfind('/') + 1);
    if (name.compare(0, 7, "ccsched") == 0) return name;
  }
  return argv[0];
}

}  // namespace

Process Process::Start(const std::vector<std::string>& argv,
                       const std::string& log,
                       const std::vector<std::string>& env, DeathBook* deaths) {
  std::vector<char*> args;
  for (const std::string& arg : argv)
    args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  // Made before the fork: after it other threads may hold the allocator's lock.
  std::vector<char*> variables;
  for (const std::string& variable : env) {
    variables.push_back(const_cast<char*>(variable.c_str()));
  }
  for (char** v = environ; *v != nullptr; ++v) variables.push_back(*v);
  variables.push_back(nullptr);
  Process process;
  process.binary_ = BinaryOf(argv);
  process.deaths_ = deaths;
  process.pid_ = fork();
  if (process.pid_ != 0) return process;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out =
      open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execve(args[0], args.data(), variables.data());
  _exit(127);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      binary_(std::move(other.binary_)),
      deaths_(other.deaths_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, 0);
    binary_ = std::move(other.binary_);
    deaths_ = other.deaths_;
  }
  return *this;
}

Process::~Process() { Kill(); }

bool Process::running() {
  return pid_ != 0 && !Wait(absl::ZeroDuration()).has_value();
}

void Process::Signal(int signal) {
  if (pid_ == 0) return;
  if (deaths_ != nullptr) deaths_->Sent(pid_, signal);
  kill(pid_, signal);
}

void Process::Ended(int status) {
  const pid_t pid = std::exchange(pid_, 0);
  if (deaths_ != nullptr) deaths_->Ended(binary_, pid, status);
}

std::optional<int> Process::Wait(absl::Duration patience) {
  int status = 0;
  if (pid_ == 0) return status;
  const bool ended = Eventually(
      patience, [&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  if (!ended) return std::nullopt;
  Ended(status);
  return status;
}

void Process::Kill() {
  // If it is dead already, then of something else.
  if (pid_ == 0 || Wait(absl::ZeroDuration()).has_value()) return;
  Signal(SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  Ended(status);
}

}  // namespace ccsched::testing
