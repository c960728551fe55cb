// What the jobs on record tell of runtimes, for a scheduler that starts again.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_RUNTIME_HISTORY_H_
#define CCSCHED_SCHEDULER_LEDGER_RUNTIME_HISTORY_H_

#include <functional>

#include "absl/status/status.h"
#include "policies/policy.h"
#include "scheduler/ledger/ledger.h"

namespace ccsched {

// How many of the jobs submitted last are looked at.
inline constexpr uint64_t kRecalledJobs = 2000;

// A submission on record as a job with its spec, its shape and where it may
// run.
struct RecalledJob {
  Job job;
  JobShape shape;
  Placement placement;
};
using RecallFn =
    std::function<absl::StatusOr<RecalledJob>(const SubmissionRow&)>;

// Lets `beliefs` observe the last jobs, up to `last`, that had ended by
// `before`, in the order of their ids: the same record gives the same beliefs,
// to a daemon and to a replay of its day. Jobs that `recall` can't turn (their
// site is gone, say) are passed over. Errors: those of the reader.
absl::Status RecallRuntimes(LedgerReader& reader, JobId last, absl::Time before,
                            const RecallFn& recall, RuntimeBeliefs& beliefs);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_RUNTIME_HISTORY_H_
