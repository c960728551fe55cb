// The readers of each trace format; use OpenTrace of trace.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_TRACE_READERS_H_
#define CCSCHED_SIM_TRACE_READERS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sim/trace.h"

namespace ccsched {

// job_id, submit_utc, duration_s, gpus, vc: the Philly cluster's jobs, vc being
// the virtual cluster (taken as the project). Other columns are passed over.
absl::StatusOr<std::unique_ptr<TraceReader>> NewPhillyTrace(
    const std::string& path);
// arrival_time, length (seconds) and cpus, without ids.
absl::StatusOr<std::unique_ptr<TraceReader>> NewGaiaTrace(
    const std::string& path);
// job_id, submit_s, duration_s, slots, and optionally user and project.
absl::StatusOr<std::unique_ptr<TraceReader>> NewRelativeTrace(
    const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SIM_TRACE_READERS_H_
