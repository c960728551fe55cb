// Waits for jobs to end, also through a restart of the scheduler.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_WAIT_JOBS_H_
#define CCSCHED_SCHEDULER_CLI_WAIT_JOBS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/cli/client.h"
#include "scheduler/cli/context.h"

namespace ccsched {

// Returns the ended jobs by id.
// A scheduler that is lost while we wait is tried again for `patience`. On a
// terminal each change of state is told on context.err.
// Errors: those of the service; Unavailable after `patience`.
absl::StatusOr<std::map<uint64_t, v1::Job>> WaitForJobs(
    Context& context, const std::vector<uint64_t>& ids,
    absl::Duration patience = kLostPatience);

// The exit status of all of them: that of the first, by id, that is not 0.
int ExitCodeOfJobs(const std::map<uint64_t, v1::Job>& jobs);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_WAIT_JOBS_H_
