// A stretch of running: what a schedule consists of.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_STRETCH_H_
#define CCSCHED_SIM_STRETCH_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"
#include "scheduler/model/cluster.h"

namespace ccsched {

// Half-open; times are microseconds since 1970. Valid during the call.
struct JobStretch {
  std::string_view job_id;  // of the trace
  uint32_t segment = 0;     // of its job, from 0
  PoolId pool;
  uint32_t count = 0;
  int64_t start_us = 0;
  int64_t end_us = 0;
  int64_t overhead_us = 0;  // the part spent on checkpoint or restart
  // Useful work, at the job's own count, that was lost with a node: of this
  // stretch and of earlier ones of its attempt.
  int64_t lost_us = 0;
  GramsCo2e co2e;
  absl::Span<const NodeShare> nodes;
};

// A job that has ended, or (end_us absent) was still live at the end.
struct JobEnd {
  std::string_view job_id;
  int64_t submit_us = 0;
  int64_t duration_us = 0;
  int64_t end_us = 0;
  uint32_t count = 1;
  uint32_t stretches = 0;
  uint32_t losses = 0;  // attempts that were lost with a node
  PoolId pool;          // of its last stretch; none if it had none
  int64_t deadline_us = 0;
  bool finished = true;
  bool promise_kept = true;
  GramsCo2e co2e;
};

// Is told of each stretch when it is over, and of each job.
class StretchSink {
 public:
  virtual ~StretchSink() = default;
  virtual void OnStretch(const JobStretch& stretch) = 0;
  virtual void OnJob(const JobEnd& job) { static_cast<void>(job); }
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_STRETCH_H_
