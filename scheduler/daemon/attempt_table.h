// Attempts that run now, node by node: what a gang's parts have reported.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_ATTEMPT_TABLE_H_
#define CCSCHED_SCHEDULER_DAEMON_ATTEMPT_TABLE_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/base/ids.h"
#include "scheduler/daemon/energy_book.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/event.h"
#include "scheduler/model/use_history.h"

namespace ccsched {

// One node's part of an attempt, in rank order.
struct AttemptPart {
  NodeId node;
  uint32_t count = 0;
  std::optional<absl::Time> started, ended;
  Outcome outcome = Outcome::kSucceeded;
  int32_t exit_code = 0;
  int32_t signal = 0;
  std::string message;
  std::string checkpoint;  // the last one that the job said it saved
  absl::Duration checkpoint_cost;
  bool declined = false;         // it was asked to suspend, and goes on
  bool node_at_fault = false;    // of a refusal
  bool supervisor_died = false;  // of itself
};

struct LiveAttempt {
  JobId job;
  Epoch epoch;
  PoolId pool;
  absl::InlinedVector<AttemptPart, 1> parts;
  AttemptRow row;          // as last recorded
  bool confirmed = false;  // AttemptStarted was sent to the engine
  bool resume = false;
  // It was asked to stop, and why.
  std::optional<v1::StopAttempt::Why> stop;
  bool asked_to_suspend() const {
    return stop == v1::StopAttempt::SUSPEND || stop == v1::StopAttempt::RESIZE;
  }
  std::unique_ptr<AttemptEnergy> energy;
  UseHistory use;

  AttemptPart* Part(NodeId node);
  size_t RankOf(const AttemptPart& part) const { return &part - parts.data(); }
  bool AllStarted() const;
  // What goes on record now: the row, with when its parts have started.
  const AttemptRow& CurrentRow();
  bool AllEnded() const;
};

// How an attempt ended as a whole.
struct AttemptEnd {
  absl::Time at;
  Outcome outcome = Outcome::kSucceeded;
  std::optional<int32_t> exit_code, signal;
  std::string message;  // with the checkpoint, see CheckpointIn
  absl::Duration checkpoint_cost;
  bool blamed = false;  // see AttemptRow
};

// The end of an attempt whose parts have all ended: that of the part that
// ended badly first, the rest having been stopped for it; success if all
// succeeded. REQUIRES: AllEnded().
AttemptEnd EndOf(const LiveAttempt& attempt);

// The checkpoint that an attempt's recorded message names; empty if none.
std::string CheckpointIn(const std::string& message);

std::optional<Outcome> ToModel(v1::Outcome outcome);
// As recorded: "succeeded", "failed", "timed-out", "cancelled", ...
std::string OutcomeName(Outcome outcome, std::optional<v1::StopAttempt::Why>);

// At most one attempt a job. Addresses are stable. Not thread safe.
class AttemptTable {
 public:
  LiveAttempt& Add(std::unique_ptr<LiveAttempt> attempt);
  // The attempt, if it is the job's running one.
  LiveAttempt* Find(JobId job, Epoch epoch);
  LiveAttempt* Find(JobId job);
  void Remove(JobId job);

  // Jobs with a part on the node, by id.
  std::vector<JobId> JobsOn(NodeId node) const;
  size_t size() const { return attempts_.size(); }
  std::vector<LiveAttempt*> All();

 private:
  absl::flat_hash_map<JobId, std::unique_ptr<LiveAttempt>> attempts_;
  absl::flat_hash_map<NodeId, absl::flat_hash_set<JobId>> by_node_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_ATTEMPT_TABLE_H_
