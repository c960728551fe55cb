// What the scheduler wants done: the outputs of Engine::Step.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_EFFECT_H_
#define CCSCHED_SCHEDULER_MODEL_EFFECT_H_

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/job.h"
#include "scheduler/model/reason.h"

namespace ccsched {

// Start a job on its nodes (or take it up again, if it has run before).
struct StartAttempt {
  JobId job;
  Epoch epoch;
  PoolId pool;
  uint32_t count = 0;
  bool resume = false;
  absl::InlinedVector<NodeShare, 1> nodes;
};

enum class StopWhy : uint8_t { kCancel, kSuspend, kMove };

// Ask a running attempt to stop. The job stays as it is until AttemptEnded.
struct StopAttempt {
  JobId job;
  Epoch epoch;
  StopWhy why = StopWhy::kCancel;
};

// Let a running elastic attempt go on with other accelerators. Where it has to
// start anew for that (EngineOptions::resize_in_place), `nodes` is empty: it is
// asked to suspend, and AttemptEnded or SuspendDeclined follows.
struct ResizeAttempt {
  JobId job;
  Epoch epoch;
  uint32_t count = 0;
  absl::InlinedVector<NodeShare, 1> nodes;
};

enum class DecisionKind : uint8_t {
  kStart,
  kDefer,
  kWait,
  kSuspend,
  kMove,
  kResize
};

// What the policy decided about a job and why; for the ledger and `why`.
struct DecisionRecord {
  JobId job;
  DecisionKind kind = DecisionKind::kStart;
  absl::Time until;  // of a deferral
  Reason reason;
};

// The baseline of a job's savings, frozen at its submission: run at once, at
// the first allowed site with room (without any, at the first that could ever
// hold it).
struct BaselineFrozen {
  JobId job;
  PoolId pool;
};

// An event that was refused, and why; it changed nothing.
struct Refusal {
  uint32_t event = 0;  // index in the batch
  absl::Status status;
};

// The outputs of one step, in the order in which they came about. Valid until
// the next step, as are jobs that have just ended (Engine::job).
struct Effects {
  std::vector<StartAttempt> starts;
  std::vector<StopAttempt> stops;
  std::vector<ResizeAttempt> resizes;
  std::vector<JobId> changed;  // jobs whose state is to be recorded; no repeats
  std::vector<DecisionRecord> decisions;
  std::vector<BaselineFrozen> baselines;
  std::vector<Refusal> refusals;
  // Step wants to be called again at this time, with a Tick if nothing else
  // happens before. InfiniteFuture: not needed.
  absl::Time wake = absl::InfiniteFuture();

  void Clear();
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_EFFECT_H_
