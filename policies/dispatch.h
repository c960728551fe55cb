// The order in which queued jobs are tried, shared by all policies.
// SPDX-License-Identifier: Apache-2.0
//
// Jobs of one shape fit at the same places at the same moments, so only the
// first of each shape is ever tried: a pass over the queue costs as much as
// there are shapes in it, and one step more for each job that starts.
#ifndef CCSCHED_POLICIES_DISPATCH_H_
#define CCSCHED_POLICIES_DISPATCH_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "policies/policy.h"

namespace ccsched {

// Microseconds since 1970: the time of inner loops. Infinite times become the
// ends of the range.
inline int64_t ToUs(absl::Time t) { return absl::ToUnixMicros(t); }
inline absl::Time FromUs(int64_t us) { return absl::FromUnixMicros(us); }
inline int64_t ToUs(absl::Duration d) { return absl::ToInt64Microseconds(d); }
inline int64_t ToUs(PackedTime t) { return t.us(); }
inline int64_t ToUs(PackedDuration d) { return d.us(); }
inline constexpr int64_t kNeverUs = std::numeric_limits<int64_t>::max();

// The heads of the queue's shapes, the first of all jobs on top.
class ShapeHeads {
 public:
  // Takes the head of each shape that has jobs in the queue.
  void Reset(const PolicyInput& in);
  bool empty() const { return heap_.empty(); }
  JobRef top() const { return heap_.front().job; }
  // The top has left the queue (it was started or deferred): the first of its
  // shape, if there is one, takes its place.
  void Advance(const PolicyInput& in);
  // The same, but its shape goes on with `next`, or is done if that is kNoJob.
  void Advance(const PolicyInput& in, JobRef next);
  // Nothing more of the top's shape is to be tried.
  void Drop(const PolicyInput& in);

 private:
  struct Head {
    int32_t priority;
    double load;  // of its project, when it was last looked at
    uint64_t key;
    JobId id;
    JobRef job;
    ShapeId shape;
    bool operator<(const Head& o) const {  // the top is the greatest
      if (priority != o.priority) return priority < o.priority;
      if (load != o.load) return load > o.load;
      return key != o.key ? key > o.key : id > o.id;
    }
  };
  static Head Of(const PolicyInput& in, JobRef job);
  // Loads only grow while jobs start: the top is right once its own is.
  void Settle(const PolicyInput& in);

  std::vector<Head> heap_;
};

// The jobs that a policy has to look at: those that have entered the queue,
// or, on a cold start, all that are in it. In queue order.
class Arrivals {
 public:
  absl::Span<const JobRef> Of(const PolicyInput& in);
  // Whether this one's deferral is over. REQUIRES: Of() was called for `in`.
  bool Woken(JobRef job) const {
    return job < woken_at_.size() && woken_at_[job] == round_;
  }

 private:
  std::vector<JobRef> all_;
  std::vector<uint64_t> woken_at_;  // by job: the last round it woke in
  uint64_t round_ = 0;
};

// The queue of a policy that defers jobs: what is in the queue is due. Jobs
// that have reached their latest start go first, the earliest such start in
// front (where projects have shares: of those within theirs); then the rest in
// queue order. A job that fits nowhere lets those of
// other shapes pass, but for the first of those at their latest start: the
// emptiest of its pools is left alone until it fits there.
class DueJobs {
 public:
  // Tries to start jobs by `start`, a bool(JobRef) that returns whether the
  // job has left the queue. `due` are those that entered the queue since the
  // last call and are still in it, in queue order; `latest_us(JobRef)` is a
  // job's latest start, kNeverUs where there is none. Without `more_room` than
  // before, a single due job is all that is tried.
  template <typename StartFn, typename LatestFn>
  void Run(const PolicyInput& in, absl::Span<const JobRef> due, bool more_room,
           StartFn start, LatestFn latest_us) {
    if (in.cold) waiting_.clear();
    if (!more_room && !in.cold && due.size() <= 1) {
      for (const JobRef job : due) TryOne(in, job, latest_us(job), start);
      return;
    }
    for (const JobRef job : due) Add(in, job, latest_us(job));
    held_for_ = kNoJob;
    Gather(in);
    while (!heads_.empty()) {
      const Entry entry = PopHead(in);
      if (start(entry.job)) {
        PushHead(in, entry.shape);
      } else if (entry.latest_us != kNeverUs) {
        Hold(in, entry.job);
      }
    }
  }

  // Whether this pool is not being held for another job.
  bool MayUse(const PolicyInput& in, PoolId pool) const {
    return pool != held_ || !Holds(in);
  }

  // The earliest latest start after now of a waiting job; kNeverUs if none.
  int64_t NextLatest(const PolicyInput& in);

 private:
  // A queued job that has a latest start.
  struct Waiting {
    int64_t latest_us;
    uint64_t key;  // of the queue: tells a job's stay from a later one
    JobRef job;
    bool operator<(const Waiting& o) const {  // the top is the earliest
      return latest_us != o.latest_us ? latest_us > o.latest_us : key > o.key;
    }
  };
  struct Entry {
    int64_t latest_us;  // kNeverUs unless it has been reached
    int32_t priority;
    double load;  // as in ShapeHeads
    uint64_t key;
    JobId id;
    JobRef job;
    ShapeId shape;
    bool operator<(const Entry& o) const {
      if (latest_us != o.latest_us) return latest_us > o.latest_us;
      if (priority != o.priority) return priority < o.priority;
      if (load != o.load) return load > o.load;
      return key != o.key ? key > o.key : id > o.id;
    }
  };
  // Those of its shape that wait before it have been tried, but some policies
  // grant more to a job at its latest start.
  template <typename StartFn>
  void TryOne(const PolicyInput& in, JobRef job, int64_t latest_us,
              StartFn start) {
    const bool may =
        in.queue.Front(in.jobs[job].shape) == job || latest_us <= ToUs(in.now);
    if (may && start(job)) return;
    Add(in, job, latest_us);
    if (latest_us <= ToUs(in.now)) Hold(in, job);
  }
  void Hold(const PolicyInput& in, JobRef job);
  bool Holds(const PolicyInput& in) const {
    return held_for_ != kNoJob && in.jobs[held_for_].queue_key == held_key_ &&
           in.jobs[held_for_].state == JobState::kQueued;
  }
  void Add(const PolicyInput& in, JobRef job, int64_t latest_us);
  // The heap of a shape without those that have left the queue.
  std::vector<Waiting>* Pruned(const PolicyInput& in, ShapeId shape);
  void Gather(const PolicyInput& in);
  Entry PopHead(const PolicyInput& in);
  void PushHead(const PolicyInput& in, ShapeId shape);

  std::vector<std::vector<Waiting>> waiting_;  // by shape: a heap
  std::vector<Entry> heads_;                   // a heap
  PoolId held_;
  JobRef held_for_ = kNoJob;
  uint64_t held_key_ = 0;
};

// Of the job's pools that have room for it and that `queue` lets it use, the
// one of least `cost(PoolId)`, the first of equals; false if there is none.
template <typename CostFn>
bool CheapestFit(const PolicyInput& in, const Actions& actions,
                 const DueJobs& queue, JobRef job, CostFn cost, PoolId& best) {
  bool found = false;
  double least = 0;
  for (const PoolId pool : in.placement(job)) {
    if (!queue.MayUse(in, pool) || !actions.Fits(job, pool)) continue;
    const double c = cost(pool);
    if (found && !(c < least)) continue;
    best = pool;
    least = c;
    found = true;
  }
  return found;
}

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_DISPATCH_H_
