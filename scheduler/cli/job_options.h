// The options of a job, from the command line or a script's header.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_JOB_OPTIONS_H_
#define CCSCHED_SCHEDULER_CLI_JOB_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/cli/command.h"

namespace ccsched {

// As written; nothing is checked yet. What is absent was not said.
struct JobOptions {
  std::optional<std::string> name, project, workdir, output, key, array, image;
  std::optional<int64_t> accelerators, nodes, priority;
  std::optional<int64_t> accelerators_per_node;  // of #SBATCH lines
  std::vector<std::string> accelerator, site, region, env, after;
  std::optional<std::string> time_limit, runtime, max_delay, grace;
  std::optional<std::string> checkpoint, restart;  // durations
  std::optional<std::string> finish_by;            // a time
  std::optional<std::string> elastic, speedup, signal;
  bool suspendable = false;
  bool hold = false;
};

// Adds the options to a command. `script`: those of #CCSCHED lines.
void AddJobOptions(Command& command, JobOptions* options);

// What time it is for the scheduler; asked only if a relative time was given.
using NowFunction = std::function<absl::StatusOr<absl::Time>()>;

// Lays the options over `job`: what they say replaces what it says, but for
// env, which is merged. `env` looks up what --env NAME means; `zone` is the
// user's. Errors: InvalidArgument naming the option and the value.
absl::Status ApplyJobOptions(const JobOptions& options, const NowFunction& now,
                             absl::TimeZone zone,
                             const std::function<const char*(const char*)>& env,
                             v1::JobSpec* job);

// What an option given later leaves of an earlier one: `over` wins.
void LayOver(const JobOptions& over, JobOptions* base);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_JOB_OPTIONS_H_
