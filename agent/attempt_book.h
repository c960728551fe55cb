// The attempts that this node knows, what each holds, and the fence.
// SPDX-License-Identifier: Apache-2.0
//
// A plain state machine over the journal's records: the same Apply is used
// for what happens and for what is read back after a restart.
#ifndef CCSCHED_AGENT_ATTEMPT_BOOK_H_
#define CCSCHED_AGENT_ATTEMPT_BOOK_H_

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "ccsched/v1/agent_state.pb.h"

namespace ccsched {

// One start of one job.
struct AttemptId {
  uint64_t job = 0;
  uint32_t epoch = 0;
  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
  std::string ToString() const;  // "12-1"
};
AttemptId FromProto(const v1::AttemptKey& key);
v1::AttemptKey ToProto(AttemptId id);

struct KnownAttempt {
  std::vector<uint32_t> accelerators;
  absl::Time started;
  std::string output;
  std::string tag;
  int64_t began_ns = 0;        // BootNanos then, of that boot
  int64_t grace_ms = 0;        // the job's own, real time
  absl::Time sampled_until;    // energy up to here has been taken in
  int64_t sampled_cpu_ns = 0;  // CPU time up to there
  // What its counters showed there; absent: not known.
  std::optional<v1::CountersSeen> sampled_counters;
  // What was reported beyond that, but for what SampleOutbox has in memory.
  std::deque<v1::SampleKept> kept;
  // Once it has ended:
  std::optional<v1::AttemptStatus> ended;
  std::optional<v1::EnergySample> last_sample;
};

// How a start compares with what is known of its job.
enum class FenceCheck : uint8_t { kNew, kSame, kStale };

class AttemptBook {
 public:
  // `accelerators`: how many the node has.
  explicit AttemptBook(uint32_t accelerators) : count_(accelerators) {}

  void Apply(const v1::AgentRecord& record);
  // Takes back an acceptance that could not be put on disk.
  void Drop(AttemptId id);

  FenceCheck Check(AttemptId id) const;
  // The highest epoch of the job that was started here; 0 if none was.
  uint32_t fence(uint64_t job) const;
  // The lowest free indices; nothing if there are not so many.
  std::optional<std::vector<uint32_t>> FreeAccelerators(uint32_t count) const;
  uint32_t count() const { return count_; }
  uint32_t free_count() const;

  const std::map<AttemptId, KnownAttempt>& attempts() const {
    return attempts_;
  }
  const KnownAttempt* Find(AttemptId id) const;
  const std::optional<v1::Registered>& registered() const {
    return registered_;
  }
  // The node's own energy that may not be on record.
  const std::deque<v1::Telemetry>& node_kept() const { return node_kept_; }
  // Records from which an equal book can be made.
  std::vector<v1::AgentRecord> Snapshot() const;

 private:
  void RaiseFence(AttemptId id);
  std::vector<bool> Taken() const;

  const uint32_t count_;
  std::map<AttemptId, KnownAttempt> attempts_;
  // The newest kFencesMax jobs: a message older than so many starts is not
  // under way any more.
  std::unordered_map<uint64_t, uint32_t> fences_;
  std::deque<uint64_t> fence_order_;
  std::optional<v1::Registered> registered_;
  std::deque<v1::Telemetry> node_kept_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_ATTEMPT_BOOK_H_
