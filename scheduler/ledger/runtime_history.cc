// What the jobs on record tell of runtimes, for a scheduler that starts again.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/runtime_history.h"

#include <algorithm>
#include <vector>

#include "scheduler/base/status.h"
#include "scheduler/model/job.h"

namespace ccsched {
namespace {

constexpr uint32_t kPage = 500;

// The useful work of the job; absent if it never ran.
std::optional<absl::Duration> Worked(const JobRecord& record,
                                     const JobShape& shape) {
  absl::Duration work = record.state.executed;
  if (record.attempts.empty()) return std::nullopt;
  const AttemptRow& last = record.attempts.back();
  if (!last.started || !last.ended) return std::nullopt;
  absl::Duration ran = *last.ended - *last.started;
  if (work > absl::ZeroDuration()) ran -= shape.restart;
  return work + std::max(ran, absl::ZeroDuration());
}

}  // namespace

absl::Status RecallRuntimes(LedgerReader& reader, JobId last, absl::Time before,
                            const RecallFn& recall, RuntimeBeliefs& beliefs) {
  JobFilter filter;
  for (const JobState state : {JobState::kSucceeded, JobState::kFailed,
                               JobState::kCancelled, JobState::kTimedOut}) {
    filter.states.push_back(static_cast<uint8_t>(state));
  }
  filter.limit = kPage;
  filter.after =
      JobId(last.value() > kRecalledJobs ? last.value() - kRecalledJobs : 0);
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<JobRecord> records, reader.Jobs(filter));
    for (const JobRecord& record : records) {
      filter.after = record.submission.id;
      if (filter.after > last) return absl::OkStatus();
      if (!record.state.ended || *record.state.ended > before) continue;
      const auto job = recall(record.submission);
      if (!job.ok()) continue;
      const auto worked = Worked(record, job->shape);
      if (!worked) continue;
      const auto state = static_cast<JobState>(record.state.state);
      beliefs.Observe(
          job->job, job->shape, *worked,
          state == JobState::kSucceeded || state == JobState::kFailed);
    }
    if (records.size() < kPage) return absl::OkStatus();
  }
}

}  // namespace ccsched
