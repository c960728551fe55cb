// Names of job states.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/job.h"

namespace ccsched {

std::string_view ToString(JobState state) {
  switch (state) {
    case JobState::kHeld:
      return "held";
    case JobState::kBlocked:
      return "blocked";
    case JobState::kQueued:
      return "queued";
    case JobState::kDeferred:
      return "deferred";
    case JobState::kStarting:
      return "starting";
    case JobState::kRunning:
      return "running";
    case JobState::kSuspending:
      return "suspending";
    case JobState::kSuspended:
      return "suspended";
    case JobState::kStopping:
      return "stopping";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
    case JobState::kTimedOut:
      return "timed-out";
  }
  return "unknown";
}

}  // namespace ccsched
