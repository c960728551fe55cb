// A job: what it needs and promises, where it stands.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_JOB_H_
#define CCSCHED_SCHEDULER_MODEL_JOB_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/packed_time.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/speedup.h"

namespace ccsched {

// What jobs have in common: a few shapes serve very many jobs, so a job holds
// the number of its shape only. Jobs of one shape fit at the same places at
// the same moments, and wait in one queue in the order of their arrival.
struct JobShape {
  PlacementId placement;   // the pools that it may use
  uint32_t count = 1;      // accelerators, in all
  uint32_t nodes = 0;      // spread evenly over exactly so many; 0: any
  uint32_t min_count = 1;  // elastic between min and max; equal to count if not
  uint32_t max_count = 1;
  int32_t priority = 0;  // higher goes first
  AccountId account;     // of its project; set by the engine
  bool suspendable = false;
  bool container = false;  // it runs in an image: only where nodes can do that
  // Accelerator time at full power on each suspension and each resumption.
  absl::Duration checkpoint = absl::ZeroDuration();
  absl::Duration restart = absl::ZeroDuration();

  // How fast it is at other widths than `count`; null: linear.
  std::shared_ptr<const Speedup> speedup;

  bool elastic() const { return min_count < count || max_count > count; }
  // How much it does in an hour with so many accelerators, in hours at `count`.
  double SpeedAt(uint32_t accelerators) const {
    if (accelerators == count) return 1;
    const double width = static_cast<double>(accelerators) / count;
    return speedup == nullptr ? width : speedup->At(width);
  }
  // The useful work of a `time` with so many, in time at `count`.
  absl::Duration WorkIn(absl::Duration time, uint32_t accelerators) const {
    if (accelerators == count) return time;
    return absl::Trunc(SpeedAt(accelerators) * time, absl::Microseconds(1));
  }

  // All of it but the speed-up.
  auto Key() const {
    return std::tie(placement, count, nodes, min_count, max_count, priority,
                    account, suspendable, container, checkpoint, restart);
  }
  friend bool operator==(const JobShape& a, const JobShape& b) {
    return a.Key() == b.Key() &&
           (a.speedup == b.speedup ||
            (a.speedup != nullptr && b.speedup != nullptr &&
             *a.speedup == *b.speedup));
  }
  template <typename H>
  friend H AbslHashValue(H h, const JobShape& s) {
    // Mixed into one word first, as each submission is hashed. Whatever a user
    // chooses freely is in it, so that no two of very many shapes collide.
    uint64_t word = 0;
    const auto mix = [&word](uint64_t high, uint64_t low) {
      word = (word ^ high << 32 ^ low) * 0x9e3779b97f4a7c15u;
      word ^= word >> 32;
    };
    mix(s.placement.value(), s.count);
    mix(s.min_count, s.max_count);
    mix(s.account.value(), static_cast<uint32_t>(s.priority));
    mix(s.nodes, s.suspendable);
    h = H::combine(std::move(h), word, s.checkpoint, s.restart);
    return s.speedup == nullptr ? std::move(h)
                                : H::combine(std::move(h), *s.speedup);
  }
};
using ShapeId = Id<struct ShapeIdTag, uint32_t>;

// A job as submitted. Immutable afterwards.
struct JobSpec {
  JobId id;
  PackedTime submitted;
  // The promise: the job ends by `finish_by`, and at most `max_delay` later
  // than if it had run from its submission on, without a pause and at its own
  // width. Infinite where nothing is promised.
  PackedTime finish_by = PackedTime::InfiniteFuture();
  PackedDuration max_delay = PackedDuration::Infinite();
  // Expected time to run at `count` accelerators; absent: nothing was said.
  std::optional<PackedDuration> runtime;
  // The job is stopped when it has run so long; where an elastic one runs
  // slower than at its own width, it may run as much longer.
  PackedDuration time_limit = PackedDuration::Infinite();
  Symbol user;
  Symbol project;
  Symbol name;
  bool held = false;
  // `runtime` is exact (a simulation with known runtimes), not an estimate.
  bool runtime_known = false;
};

// An array of which only so many jobs may be under way at once.
struct ArrayLimit {
  JobId array;
  uint32_t at_most = 0;  // 0: there is no limit

  friend bool operator==(const ArrayLimit&, const ArrayLimit&) = default;
};

enum class JobState : uint8_t {
  kHeld,      // by its user or an operator
  kBlocked,   // waits for other jobs, or for its turn in a limited array
  kQueued,    // could start now, waits for capacity or its turn
  kDeferred,  // waits for a better hour, until `wake`
  kStarting,  // sent to its nodes, not yet confirmed
  kRunning,
  kSuspending,  // asked to save its state and to stop
  kSuspended,   // holds nothing; goes on where or when it pays
  kStopping,    // asked to stop for good
  kSucceeded,
  kFailed,
  kCancelled,
  kTimedOut,
};
std::string_view ToString(JobState state);
inline bool IsTerminal(JobState s) { return s >= JobState::kSucceeded; }
inline bool HoldsCapacity(JobState s) {
  return s >= JobState::kStarting && s <= JobState::kStopping &&
         s != JobState::kSuspended;
}

// A slot in the job table; valid while the job lives.
using JobRef = uint32_t;
inline constexpr JobRef kNoJob = 0xffffffff;
// A slot in the table of running attempts.
using RunRef = uint32_t;
inline constexpr RunRef kNoRun = 0xffffffff;

inline constexpr uint8_t kLossesMax = 20;

// A live job. Small: a hundred thousand of them wait at once.
struct Job {
  JobSpec spec;
  ShapeId shape;
  JobState state = JobState::kQueued;
  bool hold_wanted = false;  // held as soon as it has stopped
  bool cancel_wanted = false;
  bool budget_held = false;  // held because its project's budget is used up
  bool dirty = false;        // named in Effects::changed of this step
  uint8_t losses = 0;       // attempts lost one after another, up to kLossesMax
  PoolId planned_pool;      // where a deferred job means to run
  Epoch epoch;              // of its last start; 0: never started
  RunRef run = kNoRun;      // while it holds capacity
  PackedTime wake;          // of a deferred job
  PackedDuration executed;  // useful work done in earlier stretches
  // Links of the queue of its shape, and its key there (see ready_queue.h).
  JobRef next = kNoJob;
  JobRef previous = kNoJob;
  // In the queue and after it: its rank there. While deferred or held: for how
  // many microseconds it has queued so far.
  uint64_t queue_key = 0;
};

// A stretch of running: what a job holds from its start to its end.
struct Run {
  JobRef job = kNoJob;
  PoolId pool;
  uint32_t count = 0;  // accelerators at work
  uint32_t index = 0;  // in its pool's list
  PackedTime start;
  bool confirmed = false;
  uint32_t resize_to = 0;  // asked to suspend, to go on with so many; 0: not
  PackedTime ask_again = PackedTime::InfinitePast();  // to suspend, not before
  PackedDuration overhead;  // restart time at the beginning of it
  absl::InlinedVector<NodeShare, 1> nodes;

  // Where it was resized as it ran: when it was last, and its work until then.
  PackedTime resized = PackedTime::InfinitePast();
  PackedDuration worked;

  // How long it has run, but for its restart.
  absl::Duration TimeAtWork(absl::Time by) const {
    return std::max(by - start - overhead, absl::ZeroDuration());
  }
  // Its useful work, in time at the width of its shape.
  absl::Duration WorkDone(const JobShape& shape, absl::Time by) const {
    const absl::Time since = std::max<absl::Time>(start + overhead, resized);
    return absl::Duration(worked) +
           shape.WorkIn(std::max(by - since, absl::ZeroDuration()), count);
  }
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_JOB_H_
