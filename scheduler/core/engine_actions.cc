// The scheduler as a pure state machine: what a policy may do, checked.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "scheduler/core/engine_state.h"

namespace ccsched {

bool Engine::State::Fits(JobRef job, PoolId pool, uint32_t count) const {
  return packers_[pool.value()].Fits(DemandOf(shapes_[jobs_[job].shape], count),
                                     pools_[pool.value()]);
}

bool Engine::State::CouldFit(JobRef job, PoolId pool, uint32_t count) const {
  return packers_[pool.value()].CouldFit(
      DemandOf(shapes_[jobs_[job].shape], count));
}

void Engine::State::Record(JobRef ref, DecisionKind kind, const Reason& reason,
                           absl::Time until) {
  if (!options_.explain) return;
  effects_.decisions.push_back({.job = jobs_[ref].spec.id,
                                .kind = kind,
                                .until = until,
                                .reason = reason});
}

void Engine::State::AttachRun(JobRef ref, RunRef slot) {
  Run& run = runs_[slot];
  std::vector<RunRef>& list = running_[run.pool.value()];
  run.job = ref;
  run.index = static_cast<uint32_t>(list.size());
  list.push_back(slot);
  Job& job = jobs_[ref];
  job.run = slot;
  if (shares_) {
    shares_->Start(shapes_[job.shape].account, run.pool, run.count,
                   claims_.contains(job.spec.id));
  }
}

bool Engine::State::Start(JobRef ref, PoolId pool, const Reason& reason,
                          uint32_t count) {
  Job& job = jobs_[ref];
  const JobShape& shape = shapes_[job.shape];
  const Placement& allowed = placements_[shape.placement];
  if (count == 0) count = shape.count;
  if (!NextState(job.state, Trigger::kStart).has_value()) return false;
  if (count < shape.min_count || count > shape.max_count) return false;
  if (std::find(allowed.begin(), allowed.end(), pool) == allowed.end()) {
    return false;
  }
  const uint32_t p = pool.value();
  NodeShares nodes = packers_[p].Take(DemandOf(shape, count), pools_[p]);
  if (nodes.empty()) return false;
  if (job.state == JobState::kDeferred) {
    // If its node is lost it queues as if it had come here first.
    job.queue_key = std::max<uint64_t>(
        1, absl::ToUnixMicros(now_) - static_cast<int64_t>(job.queue_key));
  }
  const bool resume = job.executed.us() > 0;
  Unlink(ref);
  Move(ref, Trigger::kStart);
  job.epoch = Epoch(job.epoch.value() + 1);
  const RunRef slot = runs_.Add();
  Run& run = runs_[slot];
  run.pool = pool;
  run.count = count;
  run.start = now_;
  if (resume) run.overhead = shape.restart;
  run.nodes = nodes;
  StartAttempt& start = effects_.starts.emplace_back();
  start.job = job.spec.id;
  start.epoch = job.epoch;
  start.pool = pool;
  start.count = count;
  start.resume = resume;
  start.nodes = std::move(nodes);
  if (learns_) beliefs_->Began(job, shape, now_ + run.overhead);
  AttachRun(ref, slot);
  Expect(ref, pool, now_);
  Record(ref, DecisionKind::kStart, reason);
  return true;
}

void Engine::State::Defer(JobRef ref, absl::Time until, PoolId pool,
                          const Reason& reason) {
  Job& job = jobs_[ref];
  if (until <= now_ || !NextState(job.state, Trigger::kDefer).has_value()) {
    return;
  }
  SetAside(ref);
  Move(ref, Trigger::kDefer);
  job.wake = until;
  job.planned_pool = pool;
  Expect(ref, pool, until);
  if (shares_) NoteDeferral(ref, reason);
  timers_.Push({job.wake.us(), job.spec.id.value(), ref});
  Record(ref, DecisionKind::kDefer, reason, until);
}

void Engine::State::Wait(JobRef ref, const Reason& reason) {
  Record(ref, DecisionKind::kWait, reason);
}

// False if it can't be asked, or said no not long ago.
bool Engine::State::AskToSuspend(JobRef ref, uint32_t resize_to) {
  Job& job = jobs_[ref];
  if (!NextState(job.state, Trigger::kAskSuspend).has_value()) return false;
  Run& run = runs_[job.run];
  if (now_ < run.ask_again) return false;
  run.resize_to = resize_to;
  Move(ref, Trigger::kAskSuspend);
  return true;
}

void Engine::State::Suspend(JobRef ref, const Reason& reason) {
  Job& job = jobs_[ref];
  if (!shapes_[job.shape].suspendable || !AskToSuspend(ref, 0)) return;
  effects_.stops.push_back({job.spec.id, job.epoch, StopWhy::kSuspend});
  Record(ref, DecisionKind::kSuspend, reason);
}

void Engine::State::Resize(JobRef ref, uint32_t count, const Reason& reason) {
  Job& job = jobs_[ref];
  const JobShape& shape = shapes_[job.shape];
  if (job.run == kNoRun || count < shape.min_count || count > shape.max_count) {
    return;
  }
  Run& run = runs_[job.run];
  if (count == run.count ||
      (job.state != JobState::kRunning && job.state != JobState::kStarting)) {
    return;
  }
  const bool in_place = options_.resize_in_place &&
                        shape.checkpoint <= absl::ZeroDuration() &&
                        shape.restart <= absl::ZeroDuration();
  if (!in_place) {
    if (!AskToSuspend(ref, count)) return;
    effects_.resizes.push_back({job.spec.id, job.epoch, count, {}});
    Record(ref, DecisionKind::kResize, reason);
    return;
  }
  NodePacker& packer = packers_[run.pool.value()];
  PoolUse& use = pools_[run.pool.value()];
  const Demand before = DemandOf(shape, run.count);
  packer.Release(before, run.nodes, use);
  NodeShares shares = packer.Take(DemandOf(shape, count), use);
  if (shares.empty()) {
    packer.TakeExactly(before, run.nodes, use);
    return;
  }
  if (count < run.count) capacity_freed_ = true;
  if (shares_) {
    const auto claim = claims_.find(job.spec.id);
    shares_->End(shape.account, run.pool, run.count, run.start,
                 claim == claims_.end() ? FairShare::Claimed() : claim->second);
    if (claim != claims_.end()) claims_.erase(claim);
    shares_->Start(shape.account, run.pool, count, false);
  }
  run.worked = run.WorkDone(shape, now_);
  run.resized = now_;
  run.count = count;
  run.nodes = std::move(shares);
  MarkChanged(ref);
  effects_.resizes.push_back({job.spec.id, job.epoch, count, run.nodes});
  Record(ref, DecisionKind::kResize, reason);
}

void Engine::State::WakeAt(absl::Time t) {
  if (t > now_) policy_wake_ = std::min(policy_wake_, t);
}

}  // namespace ccsched
