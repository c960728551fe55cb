// Everything that a job has forked: found, counted and killed.
// SPDX-License-Identifier: Apache-2.0
#include "agent/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ccsched {
namespace {

// All of a file of /proc; empty if it can't be read.
std::string ReadProcFile(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text;
  char buffer[16384];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0) text.append(buffer, n);
  close(fd);
  return text;
}

// The pids that have a folder in /proc.
std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = readdir(proc)) {
    char* end = nullptr;
    const long pid = std::strtol(entry->d_name, &end, 10);
    if (pid > 0 && *end == 0) pids.push_back(static_cast<pid_t>(pid));
  }
  closedir(proc);
  return pids;
}

pid_t ParentOf(pid_t pid) {
  const std::string text =
      ReadProcFile(("/proc/" + std::to_string(pid) + "/stat").c_str());
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return 0;
  return static_cast<pid_t>(std::atol(text.c_str() + name_end + 4));
}

// Where the kernel keeps no list of children: a look at every process.
std::vector<pid_t> ChildrenByScan() {
  std::vector<pid_t> children;
  for (const pid_t pid : AllProcesses()) {
    if (ParentOf(pid) == getpid()) children.push_back(pid);
  }
  return children;
}

}  // namespace

std::vector<pid_t> ChildrenOfSelf() {
  const char* path = "/proc/thread-self/children";
  if (access(path, R_OK) != 0) return ChildrenByScan();
  const std::string text = ReadProcFile(path);
  std::vector<pid_t> children;
  const char* p = text.c_str();
  char* end = nullptr;
  for (long pid = std::strtol(p, &end, 10); end != p;
       p = end, pid = std::strtol(p, &end, 10)) {
    children.push_back(static_cast<pid_t>(pid));
  }
  return children;
}

void KillDescendants(const std::function<void(pid_t, int)>& reaped) {
  for (int round = 0;; ++round) {
    // A grandchild becomes a child when its parent is reaped. After some
    // rounds something is forking: a stopped process can't.
    const std::vector<pid_t> children = ChildrenOfSelf();
    if (round >= 8) {
      for (const pid_t pid : children) kill(pid, SIGSTOP);
    }
    for (const pid_t pid : children) kill(pid, SIGKILL);
    bool first = true;
    for (;;) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, first ? 0 : WNOHANG);
      if (pid < 0 && errno == EINTR) continue;
      if (pid < 0) return;  // ECHILD: nothing is left
      if (pid == 0) break;
      first = false;
      reaped(pid, status);
    }
  }
}

bool HasVariable(pid_t pid, const std::string& variable) {
  const std::string env =
      ReadProcFile(("/proc/" + std::to_string(pid) + "/environ").c_str());
  size_t at = env.find(variable);
  while (at != std::string::npos) {
    const size_t end = at + variable.size();
    if ((at == 0 || env[at - 1] == 0) && (end == env.size() || env[end] == 0)) {
      return true;
    }
    at = env.find(variable, at + 1);
  }
  return false;
}

std::vector<pid_t> ProcessesWithVariable(const std::string& variable) {
  std::vector<pid_t> found;
  for (const pid_t pid : AllProcesses()) {
    if (HasVariable(pid, variable)) found.push_back(pid);
  }
  return found;
}

}  // namespace ccsched
