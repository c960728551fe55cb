// Queued jobs in order: by priority, then by when they became ready.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_
#define CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/intern.h"
#include "scheduler/model/job.h"
#include "scheduler/model/job_table.h"

namespace ccsched {

// One first-in-first-out list for each shape. Jobs of one shape fit at the
// same places, so whoever looks for a job that can start looks at one head a
// shape, and what a decision costs grows with the number of shapes, not with
// that of jobs.
//
class ReadyQueue {
 public:
  ReadyQueue(JobTable& jobs, const ShapeTable& shapes)
      : jobs_(&jobs), shapes_(&shapes) {}

  // Adds a job at the end of its shape's list, or, if `key` is that of an
  // earlier stay (a job whose node was lost), where it was before.
  // REQUIRES: not in the queue. Returns the key.
  uint64_t Push(JobRef ref, uint64_t key = 0);
  // Keys given from now on are above `key` (one that a restart took up).
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
  std::vector<List> lists_;
  std::vector<ShapeId> active_;
  uint64_t next_key_ = 1;
  size_t size_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_READY_QUEUE_H_
