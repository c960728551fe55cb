// Steps of the engine as the ledger keeps them, for replay.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_JOURNAL_H_
#define CCSCHED_SCHEDULER_WIRE_JOURNAL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ccsched/v1/journal.pb.h"
#include "scheduler/model/effect.h"
#include "scheduler/model/event.h"

namespace ccsched {

// The events of one step as StepRow::events; what was refused changed nothing
// and is left out. REQUIRES: refusals in the order of the events.
v1::JournalEvents JournalOf(absl::Span<const Event> events,
                            absl::Span<const Refusal> refusals);
// What came of it as StepRow::decisions.
v1::JournalDecisions JournalOf(const Effects& effects);

// A journalled submission names its job only; `submission` gives the event,
// from the job's submission on record.
using SubmissionSource = std::function<absl::StatusOr<JobSubmitted>(
    JobId job, std::vector<JobId> after)>;

// The engine's events again; a boot is none and is left out. Errors: those of
// `submission`; DataLoss for what no journal holds.
absl::StatusOr<std::vector<Event>> EventsOf(const v1::JournalEvents& journal,
                                            const SubmissionSource& submission);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_JOURNAL_H_
