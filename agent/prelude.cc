// What runs before a job and outside of it, for all jobs of the same user.
// SPDX-License-Identifier: Apache-2.0
#include "agent/prelude.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/job_process.h"

namespace ccsched {
namespace {

// It takes a tenth of a second; longer on a folder that is far away.
constexpr unsigned kSecondsMax = 20;
constexpr size_t kOutputBytes = 4096;
constexpr size_t kSaidBytes = 300;  // of it in a message

constexpr char kTag[] = "CCSCHED_ATTEMPT_TAG=";

// The last line of it that is not empty.
std::string LastLine(std::string text) {
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t newline = text.rfind('\n');
  if (newline != std::string::npos) text.erase(0, newline + 1);
  return text.substr(0, kSaidBytes);
}

// In a process of its own: it may wait, and be killed meanwhile, with which the
// lock is free and the program, whose parent it is, ends too.
[[noreturn]] void WaitAndRun(const LaunchSpec& spec, int output,
                             pid_t supervisor) {
  prctl(PR_SET_NAME, "ccsched-prelude");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(126);
  const int lock =
      open(spec.prelude_lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int locked;
  do {
    locked = lock < 0 ? -1 : flock(lock, LOCK_EX);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) {
    dprintf(output, "%s: %s\n", spec.prelude_lock.c_str(), strerror(errno));
    _exit(126);
  }
  signal(SIGALRM, SIG_DFL);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarms, nullptr);
  alarm(kSecondsMax);
  const JobStart start = StartJobProcess(spec, nullptr, output, -1);
  if (start.pid == 0) {
    dprintf(output, "%s\n", start.Message(spec).c_str());
    _exit(126);
  }
  int status = 0;
  while (waitpid(start.pid, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

LaunchSpec SpecOf(const LaunchSpec& job) {
  LaunchSpec spec = job;
  spec.argv = job.prelude;
  spec.workdir = "/";
  spec.cgroup.clear();
  std::erase_if(spec.env, [](const std::string& entry) {
    return entry.compare(0, std::strlen(kTag), kTag) == 0;
  });
  return spec;
}

}  // namespace

Prelude::~Prelude() {
  if (output_ >= 0) close(output_);
}

bool Prelude::Begin(const LaunchSpec& job) {
  argv_ = job.prelude;
  // What it leaves behind may keep it open: so it is no pipe that is waited
  // for, and takes no more than this.
  output_ = memfd_create("ccsched-prelude", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (output_ < 0 || ftruncate(output_, kOutputBytes) != 0 ||
      fcntl(output_, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    return false;
  }
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid == 0) WaitAndRun(SpecOf(job), output_, supervisor);
  pid_ = std::max(pid, 0);
  return pid > 0;
}

void Prelude::OnReaped(int status) {
  pid_ = 0;
  status_ = status;
}

void Prelude::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  OnReaped(status);
}

std::string Prelude::Failure() const {
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return "";
  std::string what;
  for (const std::string& word : argv_) {
    what += (what.empty() ? "" : " ") + word;
  }
  if (WIFEXITED(status_)) {
    what += ": exit status " + std::to_string(WEXITSTATUS(status_));
  } else if (WTERMSIG(status_) == SIGALRM) {
    what += ": not done after " + std::to_string(kSecondsMax) + " s";
  } else {
    what += ": given up after waiting for others of its user's";
  }
  std::string said(kOutputBytes, '\0');
  if (pread(output_, said.data(), said.size(), 0) < 0) said.clear();
  said = LastLine(std::move(said));
  return said.empty() ? what : what + ": " + said;
}

}  // namespace ccsched
