// The order in which queued jobs are tried.
// SPDX-License-Identifier: Apache-2.0
#include "policies/dispatch.h"

#include <algorithm>

namespace ccsched {

ShapeHeads::Head ShapeHeads::Of(const PolicyInput& in, JobRef job) {
  const Job& j = in.jobs[job];
  return {.priority = in.shapes[j.shape].priority,
          .load = in.queue.Load(j.shape),
          .key = j.queue_key,
          .id = j.spec.id,
          .job = job,
          .shape = j.shape};
}

void ShapeHeads::Reset(const PolicyInput& in) {
  heap_.clear();
  for (const ShapeId shape : in.queue.shapes()) {
    heap_.push_back(Of(in, in.queue.Front(shape)));
  }
  std::make_heap(heap_.begin(), heap_.end());
}

void ShapeHeads::Advance(const PolicyInput& in) {
  Advance(in, in.queue.Front(heap_.front().shape));
}

void ShapeHeads::Advance(const PolicyInput& in, JobRef next) {
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
  if (next != kNoJob) {
    heap_.push_back(Of(in, next));
    std::push_heap(heap_.begin(), heap_.end());
  }
  Settle(in);
}

void ShapeHeads::Drop(const PolicyInput& in) { Advance(in, kNoJob); }

void ShapeHeads::Settle(const PolicyInput& in) {
  if (!in.queue.shared()) return;
  while (!heap_.empty()) {
    const double load = in.queue.Load(heap_.front().shape);
    if (load == heap_.front().load) return;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.back().load = load;
    std::push_heap(heap_.begin(), heap_.end());
  }
}

absl::Span<const JobRef> Arrivals::Of(const PolicyInput& in) {
  ++round_;
  for (const JobRef job : in.woken) {
    if (job >= woken_at_.size()) woken_at_.resize(job + job / 2 + 16);
    woken_at_[job] = round_;
  }
  if (!in.cold) return in.ready;
  all_.clear();
  for (const ShapeId shape : in.queue.shapes()) {
    for (JobRef job = in.queue.Front(shape); job != kNoJob;
         job = in.jobs[job].next) {
      all_.push_back(job);
    }
  }
  std::sort(all_.begin(), all_.end(),
            [&](JobRef a, JobRef b) { return in.queue.Before(a, b); });
  return all_;
}

void DueJobs::Add(const PolicyInput& in, JobRef job, int64_t latest_us) {
  if (latest_us == kNeverUs) return;
  const Job& j = in.jobs[job];
  if (j.shape.value() >= waiting_.size()) waiting_.resize(j.shape.value() + 1);
  std::vector<Waiting>& heap = waiting_[j.shape.value()];
  heap.push_back({latest_us, j.queue_key, job});
  std::push_heap(heap.begin(), heap.end());
}

std::vector<DueJobs::Waiting>* DueJobs::Pruned(const PolicyInput& in,
                                               ShapeId shape) {
  if (shape.value() >= waiting_.size()) return nullptr;
  std::vector<Waiting>& heap = waiting_[shape.value()];
  while (!heap.empty()) {
    const Waiting& top = heap.front();
    const Job& job = in.jobs[top.job];
    if (job.queue_key == top.key && job.state == JobState::kQueued) {
      return &heap;
    }
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
  }
  return nullptr;
}

int64_t DueJobs::NextLatest(const PolicyInput& in) {
  int64_t next_us = kNeverUs;
  for (const ShapeId shape : in.queue.shapes()) {
    const std::vector<Waiting>* const heap = Pruned(in, shape);
    if (heap == nullptr) continue;
    if (heap->front().latest_us > ToUs(in.now)) {
      next_us = std::min(next_us, heap->front().latest_us);
      continue;
    }
    for (const Waiting& w : *heap) {  // those in front have it behind them
      if (w.latest_us > ToUs(in.now)) next_us = std::min(next_us, w.latest_us);
    }
  }
  return next_us;
}

void DueJobs::Hold(const PolicyInput& in, JobRef job) {
  if (Holds(in)) return;
  const uint32_t count = in.shape(job).count;
  bool found = false;
  for (const PoolId pool : in.placement(job)) {
    const PoolUse& use = in.pools[pool.value()];
    if (use.total < count) continue;
    if (found && use.free <= in.pools[held_.value()].free) continue;
    found = true;
    held_ = pool;
  }
  if (!found) return;
  held_for_ = job;
  held_key_ = in.jobs[job].queue_key;
}

void DueJobs::Gather(const PolicyInput& in) {
  heads_.clear();
  for (const ShapeId shape : in.queue.shapes()) PushHead(in, shape);
}

DueJobs::Entry DueJobs::PopHead(const PolicyInput& in) {
  for (;;) {
    std::pop_heap(heads_.begin(), heads_.end());
    Entry& last = heads_.back();
    const double load = in.queue.Load(last.shape);
    if (load == last.load) break;
    last.load = load;  // it grew as its project's jobs started
    std::push_heap(heads_.begin(), heads_.end());
  }
  const Entry entry = heads_.back();
  heads_.pop_back();
  return entry;
}

void DueJobs::PushHead(const PolicyInput& in, ShapeId shape) {
  const JobRef front = in.queue.Front(shape);
  if (front == kNoJob) return;
  Entry entry = {.latest_us = kNeverUs,
                 .priority = in.shapes[shape].priority,
                 .load = in.queue.Load(shape),
                 .key = in.jobs[front].queue_key,
                 .id = in.jobs[front].spec.id,
                 .job = front,
                 .shape = shape};
  if (const std::vector<Waiting>* const heap = Pruned(in, shape)) {
    if (heap->front().latest_us <= ToUs(in.now)) {
      if (in.queue.PromisesFirst(shape)) {
        entry.latest_us = heap->front().latest_us;
      }
      entry.key = heap->front().key;
      entry.job = heap->front().job;
      entry.id = in.jobs[entry.job].spec.id;
    }
  }
  heads_.push_back(entry);
  std::push_heap(heads_.begin(), heads_.end());
}

}  // namespace ccsched
