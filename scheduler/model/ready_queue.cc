// Queued jobs in order.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/ready_queue.h"

#include <algorithm>

namespace ccsched {

uint64_t ReadyQueue::Push(JobRef ref, uint64_t key) {
  Job& job = (*jobs_)[ref];
  const uint32_t shape = job.shape.value();
  if (shape >= lists_.size()) lists_.resize(shape + 1);
  List& list = lists_[shape];
  if (list.size == 0) {
    list.position = static_cast<uint32_t>(active_.size());
    active_.push_back(job.shape);
  }
  job.queue_key = key != 0 ? key : next_key_;
  next_key_ = std::max(next_key_, job.queue_key + 1);
  // An old key belongs somewhere before the end: looked for from the end that
  // is nearer to it.
  JobRef before = kNoJob;
  if (list.tail != kNoJob && (*jobs_)[list.tail].queue_key > job.queue_key) {
    const uint64_t first = (*jobs_)[list.head].queue_key;
    const uint64_t last = (*jobs_)[list.tail].queue_key;
    if (job.queue_key <= first ||
        job.queue_key - first < last - job.queue_key) {
      before = list.head;
      while ((*jobs_)[before].queue_key < job.queue_key) {
        before = (*jobs_)[before].next;
      }
    } else {
      before = list.tail;
      for (JobRef p = (*jobs_)[before].previous;
           p != kNoJob && (*jobs_)[p].queue_key >= job.queue_key;
           p = (*jobs_)[p].previous) {
        before = p;
      }
    }
  }
  Link(list, ref, before);
  ++list.size;
  ++size_;
  if (shares_ != nullptr) shares_->Waits((*shapes_)[job.shape].account, 1);
  return job.queue_key;
}

void ReadyQueue::Link(List& list, JobRef ref, JobRef before) {
  Job& job = (*jobs_)[ref];
  job.next = before;
  job.previous = before == kNoJob ? list.tail : (*jobs_)[before].previous;
  (job.previous == kNoJob ? list.head : (*jobs_)[job.previous].next) = ref;
  (before == kNoJob ? list.tail : (*jobs_)[before].previous) = ref;
}

void ReadyQueue::Remove(JobRef ref) {
  Job& job = (*jobs_)[ref];
  List& list = lists_[job.shape.value()];
  (job.previous == kNoJob ? list.head : (*jobs_)[job.previous].next) = job.next;
  (job.next == kNoJob ? list.tail : (*jobs_)[job.next].previous) = job.previous;
  job.next = job.previous = kNoJob;
  --list.size;
  --size_;
  if (shares_ != nullptr) shares_->Waits((*shapes_)[job.shape].account, -1);
  if (list.size == 0) {
    const ShapeId moved = active_.back();
    active_[list.position] = moved;
    lists_[moved.value()].position = list.position;
    active_.pop_back();
  }
}

bool ReadyQueue::Before(JobRef a, JobRef b) const {
  const Job& ja = (*jobs_)[a];
  const Job& jb = (*jobs_)[b];
  const int32_t pa = (*shapes_)[ja.shape].priority;
  const int32_t pb = (*shapes_)[jb.shape].priority;
  if (pa != pb) return pa > pb;
  if (shares_ != nullptr && ja.shape != jb.shape) {
    const double la = Load(ja.shape), lb = Load(jb.shape);
    if (la != lb) return la < lb;
  }
  // Ranks are times: two jobs may have the same.
  return ja.queue_key != jb.queue_key ? ja.queue_key < jb.queue_key
                                      : ja.spec.id < jb.spec.id;
}

JobRef ReadyQueue::Head() const {
  JobRef best = kNoJob;
  for (const ShapeId shape : active_) {
    const JobRef head = lists_[shape.value()].head;
    if (best == kNoJob || Before(head, best)) best = head;
  }
  return best;
}

}  // namespace ccsched
