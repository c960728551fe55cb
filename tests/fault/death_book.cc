// Who died of a signal that no test sent.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/death_book.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;

// The agent's and scheduler's own: done, failed, wrong usage; 78 is a
// supervisor's of another build, 127 a binary that is not there.
bool IsOrdinary(int exit_status) {
  return exit_status <= 2 || exit_status == 78 || exit_status == 127;
}

// An orphan is given to any one of the threads.
std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  std::error_code ignored;
  for (const auto& task : fs::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream in(task.path() / "children");
    for (pid_t pid = 0; in >> pid;) children.push_back(pid);
  }
  return children;
}

// Known of a dead process, too, until it is waited for.
bool IsSupervisor(pid_t pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/comm"));
  std::string name;
  std::getline(in, name);
  return name == "ccsched-supervi";  // a name has at most 15 letters
}

}  // namespace

DeathBook::DeathBook() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (const pid_t pid : Children()) {
    if (IsSupervisor(pid)) before_.insert(pid);
  }
}

void DeathBook::Sent(pid_t pid, int signal) { sent_.insert({pid, signal}); }

void DeathBook::Expect(const std::string& binary, int signal) {
  expected_.insert({binary, signal});
}

void DeathBook::Ended(const std::string& binary, pid_t pid, int status) {
  if (WIFSIGNALED(status)) return Killed(binary, pid, WTERMSIG(status));
  if (IsOrdinary(WEXITSTATUS(status))) return;
  unexplained_.push_back(absl::StrCat(
      binary, " (", pid, ") ended with exit status ", WEXITSTATUS(status)));
}

void DeathBook::Killed(const std::string& binary, pid_t pid, int signal) {
  if (sent_.contains({pid, signal}) || expected_.contains({binary, signal})) {
    return;
  }
  const char* const name = sigabbrev_np(signal);
  unexplained_.push_back(
      absl::StrCat(binary, " (", pid, ") died of signal ", signal, ", SIG",
                   name == nullptr ? "?" : name, ", which nobody sent"));
}

// No other child: whoever started it waits for it, and jobs are of no interest.
void DeathBook::ReapOrphans() {
  for (const pid_t pid : Children()) {
    int status = 0;
    if (!IsSupervisor(pid) || waitpid(pid, &status, WNOHANG) != pid) continue;
    if (before_.erase(pid) == 0) Ended("ccsched-supervise", pid, status);
  }
}

}  // namespace ccsched::testing
