// What the agent hands its supervisor: one job's process, ready to be run.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil, no protobuf.
#ifndef CCSCHED_AGENT_LAUNCH_SPEC_H_
#define CCSCHED_AGENT_LAUNCH_SPEC_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccsched {

// Whom the job runs as, resolved by the agent.
struct RunAs {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
};

struct LaunchSpec {
  std::vector<std::string> argv;  // argv[0] is looked for in PATH of `env`
  std::vector<std::string> env;   // NAME=value, complete
  // Run as the job is, once that has been killed: removes what the runtime of
  // its container keeps. Or empty.
  std::vector<std::string> cleanup;
  // Run before the job, outside of it, one job that names the same lock after
  // the other (prelude.h). Or empty.
  std::vector<std::string> prelude;
  std::string prelude_lock;
  bool init_notes = false;  // its container has a first process of ours
  std::string workdir;
  std::string output;  // absolute path
  bool append = false;
  // Bytes of output kept on disk: it then passes through the supervisor, which
  // rotates the file. 0: the job writes to the file itself, without bound.
  uint64_t output_limit = 0;
  // BootNanos when the agent took the job: its time counts from there, as on
  // record. What lies between is the disk's and the kernel's.
  int64_t began_ns = 0;
  std::optional<int64_t> time_limit_ns;  // real time
  int64_t grace_ns = 0;  // from the warning of the time limit to the kill
  int32_t warn_signal = 15;
  std::string lease_path;  // see lease_file.h
  std::string cgroup;  // folder of its own, made by the supervisor; or empty
  std::optional<uint64_t> memory_max;  // bytes, by cgroup
  uint64_t open_files = 0;             // at most, unless raised; 0: as here
  uint32_t accelerators = 1;           // its part of the processors, by cgroup
  std::optional<RunAs> run_as;
  std::string control;  // folder of the checkpoint handshake; or empty
  // Not handed on: made by the agent before the start. Or empty.
  std::string tmp;
  std::string tmp_inside;  // a folder in it for its container's; or empty
};

// What agent and supervisor must agree on: the form and meaning of a LaunchSpec
// and of the run file. To be raised whenever one of them changes.
inline constexpr uint32_t kLaunchVersion = 6;
// A supervisor prints its kLaunchVersion when this is its only argument, and
// exits with this status, having touched nothing, where a LaunchSpec is of
// another one.
inline constexpr char kLaunchVersionFlag[] = "--launch-version";
inline constexpr int kOtherVersionExit = 78;

// The number of the fd from which a supervisor reads its LaunchSpec, and of
// its run file, which it holds locked.
inline constexpr int kLaunchFd = 3;
inline constexpr int kRunFd = 4;

std::string EncodeLaunchSpec(const LaunchSpec& spec);
// The version of its writer; nothing if it does not begin with one.
std::optional<uint32_t> LaunchVersionOf(std::string_view bytes);
// Nothing if the bytes are not a whole LaunchSpec.
std::optional<LaunchSpec> DecodeLaunchSpec(std::string_view bytes);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LAUNCH_SPEC_H_
