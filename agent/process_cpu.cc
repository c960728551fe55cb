// CPU time of whole process trees, read from /proc in one pass.
// SPDX-License-Identifier: Apache-2.0
#include "agent/process_cpu.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ccsched {
namespace {

// What /proc/PID/stat says; times in clock ticks.
struct Process {
  pid_t parent = 0;
  int64_t own = 0;       // utime + stime
  int64_t children = 0;  // those that it has waited for
};

bool ReadProcess(const char* pid, Process& process) {
  char path[300];
  std::snprintf(path, sizeof(path), "/proc/%s/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[1024];
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  const char* rest = std::strrchr(text, ')');  // the name may hold anything
  if (rest == nullptr) return false;
  long utime = 0;
  long stime = 0;
  long cutime = 0;
  long cstime = 0;
  // State, parent, nine more fields, then the four times.
  if (std::sscanf(rest + 1,
                  " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld",
                  &process.parent, &utime, &stime, &cutime, &cstime) != 5) {
    return false;
  }
  process.own = utime + stime;
  process.children = cutime + cstime;
  return true;
}

std::unordered_map<pid_t, Process> ReadAllProcesses() {
  std::unordered_map<pid_t, Process> all;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return all;
  while (const dirent* entry = readdir(proc)) {
    const long pid = std::strtol(entry->d_name, nullptr, 10);
    Process process;
    if (pid > 0 && ReadProcess(entry->d_name, process)) {
      all[static_cast<pid_t>(pid)] = process;
    }
  }
  closedir(proc);
  return all;
}

int64_t NanosPerTick() { return 1'000'000'000 / sysconf(_SC_CLK_TCK); }

}  // namespace

int64_t CpuNanosOfMachine() {
  const int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[512];
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  long user = 0;
  long nice = 0;
  long system = 0;
  if (std::sscanf(text, "cpu %ld %ld %ld", &user, &nice, &system) != 3) {
    return 0;
  }
  return (user + nice + system) * NanosPerTick();
}

std::unordered_map<pid_t, int64_t> CpuNanosOfTrees(
    const std::vector<pid_t>& roots) {
  std::unordered_map<pid_t, int64_t> totals;
  if (roots.empty()) return totals;
  const std::unordered_map<pid_t, Process> all = ReadAllProcesses();
  for (const pid_t root : roots) {
    const auto found = all.find(root);
    if (found != all.end()) totals[root] = found->second.children;
  }
  for (const auto& [pid, process] : all) {
    if (totals.contains(pid)) continue;  // a supervisor's own time is ours
    // Bounded: a snapshot in which pids were given out again may have a loop.
    pid_t ancestor = process.parent;
    for (int depth = 0; depth < 256 && ancestor > 1; ++depth) {
      const auto total = totals.find(ancestor);
      if (total != totals.end()) {
        total->second += process.own + process.children;
        break;
      }
      const auto parent = all.find(ancestor);
      if (parent == all.end()) break;
      ancestor = parent->second.parent;
    }
  }
  for (auto& [root, total] : totals) total *= NanosPerTick();
  return totals;
}

}  // namespace ccsched
