// A recorded day again: do the recorded decisions come out once more?
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_REPLAY_H_
#define CCSCHED_SIM_REPLAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/journal.pb.h"
#include "scheduler/base/symbols.h"
#include "scheduler/core/engine.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/runtime_history.h"

namespace ccsched {

struct ReplayResult {
  uint64_t steps = 0;  // compared
  uint64_t boots = 0;
  uint64_t jobs = 0;
  uint64_t decisions = 0;  // recorded starts, stops and others
  absl::Time first, last;
  // The first step whose decisions differ: its number among those on record,
  // from 1, and what was recorded and what came out, a line each.
  struct Difference {
    uint64_t step = 0;
    absl::Time at;
    std::string recorded, replayed;
  };
  std::optional<Difference> difference;
};

// Plays journalled steps through an engine of their own, as configured at each
// boot; what a restart takes up is taken from the engine before it.
class Replay {
 public:
  explicit Replay(LedgerReader& reader) : reader_(reader) {}

  // Errors: those of the reader; DataLoss naming the step for a journal that
  // can't be read or does not begin with a boot.
  absl::StatusOr<ReplayResult> Play();

 private:
  absl::Status TakeStep(uint64_t number, const StepRow& row);
  absl::Status Boot(const v1::JournalBoot& boot, absl::Time now);
  // A job on record, at the scheduler's own site and with its symbols.
  absl::StatusOr<RecalledJob> Recall(const SubmissionRow& row,
                                     const Topology& topology);
  absl::Status TakeUp(const Engine& before);
  absl::StatusOr<JobSubmitted> Submission(JobId id, std::vector<JobId> after);
  void Track(absl::Span<const Event> events);
  absl::Status Compare(uint64_t number, const StepRow& row,
                       const Effects& effects);

  LedgerReader& reader_;
  std::unique_ptr<Engine> engine_;
  SymbolTable symbols_;
  JobId last_job_;
  std::map<NodeId, RestoredNode> nodes_;
  ReplayResult result_;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_REPLAY_H_
