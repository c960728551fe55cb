// A control group (v2) of a job's own: limits, and a kill that spares nobody.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_CGROUP_H_
#define CCSCHED_AGENT_CGROUP_H_

#include <cstdint>
#include <optional>
#include <string>

namespace ccsched {

class Cgroup {
 public:
  // `folder` is made by Make. An empty name stands for no group at all.
  explicit Cgroup(std::string folder) : folder_(std::move(folder)) {}

  // `accelerators`: its weight among the groups beside it, for processors.
  // False: errno says why. A memory limit that can't be set is one too.
  bool Make(std::optional<uint64_t> memory_max_bytes, uint32_t accelerators);
  // Kills every process in it, forks under way included (Linux 5.14).
  void KillAll() const;
  // How often the kernel has killed in it for want of memory; 0 if unknown.
  int64_t OutOfMemoryKills() const;
  // Removes it and those that a job has made in it; fails while a process is in
  // one of them.
  void Remove() const;

  bool valid() const { return !folder_.empty(); }

 private:
  std::string folder_;
};

// A folder under which this agent's jobs may have groups: within the agent's
// own group, if it may write there; empty if it may not. `name`: of the new
// folder. With `limits` this process moves into a group beside it, without
// which the kernel hands on no controller.
std::string FindCgroupRoot(const std::string& name, bool limits);

// Whether groups made in `root` can limit memory.
bool CanLimitMemory(const std::string& root);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_CGROUP_H_
