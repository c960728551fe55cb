// A job's submission as the ledger has it. Internal.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RECORDED_JOB_H_
#define CCSCHED_SIM_RECORDED_JOB_H_

#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/base/symbols.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/event.h"
#include "scheduler/model/intern.h"

namespace ccsched {

// The event that told the engine of it, but for its placement's number, which
// is the caller's: `placement` is filled. Errors: those of the reader and of
// ToModel; DataLoss if it can't be read.
absl::StatusOr<JobSubmitted> RecordedSubmission(LedgerReader& reader, JobId id,
                                                std::vector<JobId> after,
                                                const Topology& topology,
                                                SymbolTable& symbols,
                                                Placement& placement);

}  // namespace ccsched

#endif  // CCSCHED_SIM_RECORDED_JOB_H_
