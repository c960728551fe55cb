// From a StartAttempt to what is executed: environment, paths, limits.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LAUNCH_H_
#define CCSCHED_AGENT_LAUNCH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/attempt_book.h"
#include "agent/launch_spec.h"
#include "agent/users.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// What does not change from job to job.
struct LaunchSettings {
  std::string node;
  std::string site;
  std::string accelerator;  // its type
  std::string state;        // the agent's folder, absolute
  std::string id;           // no other agent has it; as part of file names
  std::string path;         // PATH of jobs
  std::string home;         // where a job without a workdir runs
  std::string user;         // as which the agent runs
  std::string tmp;          // folder for jobs' temporary ones
  uint64_t output_limit = 64 << 20;
  // Whether jobs run as the user who submitted them; only root may.
  bool as_submitter = false;
  std::string container_runtime;  // path; empty: images are refused
  std::string container_init;     // see ContainerJob
  bool nvidia = false;            // containers get devices by their CDI names
  std::string cgroup_root;        // folder for the jobs' groups; or empty
  uint64_t open_files = 0;        // soft limit of jobs; 0: the agent's own
  uint64_t memory_per_accelerator = 0;  // bytes; 0: no limit
};

// The files of one attempt.
struct AttemptPaths {
  std::string run;     // see run_file.h
  std::string log;     // its output, or a link to where the user wants it
  std::string folder;  // its script and whatever else is its own
  std::string cgroup;  // its name below LaunchSettings::cgroup_root
};
AttemptPaths PathsOf(const std::string& state, AttemptId id);
// Its temporary folder, of a name that nobody can guess.
std::string TmpOf(const LaunchSettings& settings, const std::string& tag);

// The environment of the job, complete. Ours comes last: a job's own env may
// set MASTER_PORT, but not what accelerators it has.
std::map<std::string, std::string> JobEnvironment(
    const v1::StartAttempt& start, const std::vector<uint32_t>& accelerators,
    const std::string& tag, const LaunchSettings& settings);

// "TERM", "SIGUSR1", "10"; empty is TERM. Errors: InvalidArgument.
absl::StatusOr<int> ParseSignal(std::string_view name);

// The user as whom the job runs, if that is not the agent's own: then who that
// is has to be found before BuildLaunch.
std::optional<std::string> UserToFind(const v1::JobSpec& job,
                                      const LaunchSettings& settings);

// What the supervisor is given. `time_limit` is in real time, `user` null where
// UserToFind says nothing. The script, if there is one, is to be put at
// PathsOf(...).folder/script.
// Errors: InvalidArgument, naming what in the job can't be carried out.
absl::StatusOr<LaunchSpec> BuildLaunch(
    const v1::StartAttempt& start, const std::vector<uint32_t>& accelerators,
    const std::string& tag, absl::Duration time_limit, const User* user,
    const LaunchSettings& settings);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LAUNCH_H_
