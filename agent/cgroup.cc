// A control group (v2) of a job's own: limits, and a kill that spares nobody.
// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

namespace ccsched {
namespace {

bool WriteFile(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return done;
}

// Where the unified hierarchy is mounted; empty if nowhere.
std::string FindMount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    return word;
  }
  return "";
}

// This process's group, as a path under the mount.
std::string OwnGroup() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.compare(0, 3, "0::") == 0) return line.substr(3);
  }
  return "";
}

}  // namespace

bool Cgroup::Make(std::optional<uint64_t> memory_max_bytes,
                  uint32_t accelerators) {
  if (mkdir(folder_.c_str(), 0755) != 0 && errno != EEXIST) return false;
  // Where processors are short, jobs share them as they do accelerators: 100
  // is what a group has by default. Without the controller nothing happens.
  constexpr uint32_t kWeightMax = 10000;
  WriteFile(
      folder_ + "/cpu.weight",
      std::to_string(std::min(100 * std::max(accelerators, 1U), kWeightMax)));
  return !memory_max_bytes ||
         WriteFile(folder_ + "/memory.max", std::to_string(*memory_max_bytes));
}

void Cgroup::KillAll() const {
  if (!valid() || WriteFile(folder_ + "/cgroup.kill", "1")) return;
  // Before Linux 5.14. What is frozen forks no more, and dies once it thaws.
  WriteFile(folder_ + "/cgroup.freeze", "1");
  std::ifstream processes(folder_ + "/cgroup.procs");
  for (pid_t pid = 0; processes >> pid;) kill(pid, SIGKILL);
  WriteFile(folder_ + "/cgroup.freeze", "0");
}

int64_t Cgroup::OutOfMemoryKills() const {
  if (!valid()) return 0;
  std::ifstream events(folder_ + "/memory.events");
  std::string name;
  int64_t count = 0;
  while (events >> name >> count) {
    if (name == "oom_kill") return count;
  }
  return 0;
}

void Cgroup::Remove() const {
  if (!valid() || rmdir(folder_.c_str()) == 0) return;
  // The innermost first. Their files go with them.
  std::vector<std::string> groups;
  std::error_code error;
  for (auto at = std::filesystem::recursive_directory_iterator(folder_, error);
       !error && at != std::filesystem::end(at); at.increment(error)) {
    if (at->is_directory(error)) groups.push_back(at->path());
  }
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    rmdir(group->c_str());
  }
  rmdir(folder_.c_str());
}

std::string FindCgroupRoot(const std::string& name, bool limits) {
  const std::string mount = FindMount();
  const std::string group = OwnGroup();
  if (mount.empty() || group.empty()) return "";
  const std::string own = group == "/" ? mount : mount + group;
  std::string root = own + "/" + name;
  if (mkdir(root.c_str(), 0755) != 0 && errno != EEXIST) return "";
  if (!limits) return root;
  const std::string beside = own + "/agent";
  if (group != "/" && (mkdir(beside.c_str(), 0755) == 0 || errno == EEXIST)) {
    WriteFile(beside + "/cgroup.procs", "0");
  }
  for (const char* controller : {"+memory", "+cpu"}) {
    WriteFile(own + "/cgroup.subtree_control", controller);
    WriteFile(root + "/cgroup.subtree_control", controller);
  }
  return root;
}

bool CanLimitMemory(const std::string& root) {
  std::ifstream controllers(root + "/cgroup.subtree_control");
  for (std::string word; controllers >> word;) {
    if (word == "memory") return true;
  }
  return false;
}

}  // namespace ccsched
