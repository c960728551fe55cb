// Queued jobs in order: by priority, share, then how long they have queued.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_
#define CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/intern.h"
#include "scheduler/model/job.h"
#include "scheduler/model/job_table.h"

namespace ccsched {

// One first-in-first-out list for each shape. Jobs of one shape fit at the
// same places, so whoever looks for a job that can start looks at one head a
// shape, and what a decision costs grows with the number of shapes, not with
// that of jobs.
//
// Within a list jobs rank by a time in microseconds, their key: when they
// entered the queue, or would have, had they spent no time elsewhere since they
// first did. So a deferral gains a job no rank, and loses it none.
class ReadyQueue {
 public:
  // `shares` are the projects'; null: they have none.
  ReadyQueue(JobTable& jobs, const ShapeTable& shapes,
             FairShare* shares = nullptr)
      : jobs_(&jobs), shapes_(&shapes), shares_(shares) {}

  // Adds a job at the end of its shape's list, or, if `key` is not 0, where
  // that ranks. REQUIRES: not in the queue. Returns the key.
  uint64_t Push(JobRef ref, uint64_t key = 0);
  // Keys given from now on are above `key`.
  void KeysAbove(uint64_t key) {
    if (next_key_ <= key) next_key_ = key + 1;
  }
  // REQUIRES: in the queue.
  void Remove(JobRef ref);
  bool Contains(JobRef ref) const {
    return (*jobs_)[ref].queue_key != 0 &&
           (*jobs_)[ref].state == JobState::kQueued;
  }

  // The first of a shape's jobs, or kNoJob; its successor is Job::next.
  JobRef Front(ShapeId shape) const {
    return shape.value() < lists_.size() ? lists_[shape.value()].head : kNoJob;
  }
  size_t Count(ShapeId shape) const {
    return shape.value() < lists_.size() ? lists_[shape.value()].size : 0;
  }
  // Shapes that have jobs here, in no order that means anything, but the same
  // on every machine.
  absl::Span<const ShapeId> shapes() const { return active_; }
  // The first job of all, or kNoJob.
  JobRef Head() const;
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Whether `a` goes before `b`.
  bool Before(JobRef a, JobRef b) const;

  // Whether projects have shares; if not, loads are all 0.
  bool shared() const { return shares_ != nullptr; }
  // The load of the project whose jobs these are; grows as its jobs start.
  double Load(ShapeId shape) const {
    return shares_ == nullptr ? 0 : shares_->Load((*shapes_)[shape].account);
  }
  double Share(ShapeId shape) const {
    return shares_ == nullptr ? 1 : shares_->share((*shapes_)[shape].account);
  }
  // Whether its jobs at their latest start go before other projects'.
  bool PromisesFirst(ShapeId shape) const {
    return shares_ == nullptr ||
           shares_->WithinShare((*shapes_)[shape].account);
  }

 private:
  struct List {
    JobRef head = kNoJob;
    JobRef tail = kNoJob;
    uint32_t size = 0;
    uint32_t position = 0;  // in active_
  };
  void Link(List& list, JobRef ref, JobRef before);

  JobTable* jobs_;
  const ShapeTable* shapes_;
  FairShare* shares_;
  std::vector<List> lists_;
  std::vector<ShapeId> active_;
  uint64_t next_key_ = 1;
  size_t size_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_
