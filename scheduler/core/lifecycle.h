// The states of a job and the only ways from one to another.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CORE_LIFECYCLE_H_
#define CCSCHED_SCHEDULER_CORE_LIFECYCLE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "scheduler/model/job.h"

namespace ccsched {

// What can happen to a job. Every transition has one of these names.
enum class Trigger : uint8_t {
  kHold,              // its user or an operator holds it
  kRelease,           // ... and lets it go
  kReleaseBlocked,    // let go, but still waiting for other jobs
  kDependenciesMet,   // the last job that it waited for succeeded
  kDependencyFailed,  // one of them did not, so it never can
  kDefer,             // the policy waits for a better hour
  kWake,              // that hour has come
  kStart,             // sent to its nodes
  kConfirm,           // the nodes say that it runs
  kAskSuspend,
  kGoOn,  // it did not suspend in time
  kAskStop,
  kSucceed,
  kFail,
  kTimeOut,
  kStopped,    // ended as asked, because it was cancelled
  kRequeue,    // ended or suspended, but to run again: it queues
  kSuspended,  // its state is saved
  kCancel,     // cancelled while it held nothing
};
std::string_view ToString(Trigger trigger);

// The state after `trigger`, or nothing where that is illegal.
std::optional<JobState> NextState(JobState state, Trigger trigger);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_LIFECYCLE_H_
