// The common part of published policies that pause and resume jobs.
// SPDX-License-Identifier: Apache-2.0
#include "policies/stop_and_go.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/start_once.h"

namespace ccsched {
namespace {

// When to look again at a job that saves its state, at the soonest.
constexpr int64_t kLookAgainUs = 60'000'000;

bool Runs(JobState state) {
  return state == JobState::kStarting || state == JobState::kRunning;
}

// A job is not stopped for a width for which there is no room.
bool HasRoomFor(const PolicyInput& in, PoolId pool, uint32_t from,
                uint32_t to) {
  return to <= from || to - from <= in.pools[pool.value()].free;
}

}  // namespace

StopAndGo::StopAndGo(const PolicyParameters& parameters)
    : parameters_(parameters),
      max_wait_us_(static_cast<int64_t>(parameters.at("max_wait_h") *
                                        static_cast<double>(kHourUs))) {}

ParameterSpec StopAndGo::WaitParameter() { return StartOnce::WaitParameter(); }

void StopAndGo::SetTimer(const PolicyInput& in, JobRef job, Track& track,
                         int64_t us) {
  track.timer_us = us;
  if (us == kNeverUs) return;
  timers_.push_back({us, job, in.jobs[job].spec.id});
  std::push_heap(timers_.begin(), timers_.end());
}

// The rule's answer, but no wait goes beyond the latest start: from then on
// the job runs to its end.
StopAndGo::Phase StopAndGo::Consult(const PolicyInput& in, const Query& query,
                                    Track& track) {
  Phase phase = Ask(in, query, track);
  if (phase.run) return phase;
  if (query.latest_us <= query.now_us) {
    return {.pool = query.where.value_or(phase.pool),
            .why = ReasonCode::kPromise};
  }
  phase.until_us = std::min(phase.until_us, query.latest_us);
  return phase;
}

// Everything that is there, on a cold start.
void StopAndGo::TakeUpAll(const PolicyInput& in) {
  tracks_.clear();
  timers_.clear();
  to_resume_.clear();
  for (const JobRef job : in.suspended) {
    SetTimer(in, job, TrackOf(in, job), ToUs(in.now));
  }
  for (const std::vector<RunRef>& pool : in.running) {
    for (const RunRef run : pool) {
      const JobRef job = in.runs[run].job;
      SetTimer(in, job, TrackOf(in, job), ToUs(in.now));
    }
  }
}

// A job has entered the queue.
void StopAndGo::Hear(const PolicyInput& in, Actions& actions, JobRef job) {
  Track& track = TrackOf(in, job);
  track.timer_us = kNeverUs;
  const Query query = QueryOf(in, job, track);
  const Phase phase = Consult(in, query, track);
  if (phase.run) {
    due_.push_back(job);
    return;
  }
  Reason reason;
  reason.code = phase.why;
  reason.chosen = {.pool = phase.pool, .start = FromUs(phase.until_us)};
  Explain(in, query, track, reason);
  actions.Defer(job, FromUs(phase.until_us), phase.pool, reason);
}

void StopAndGo::RingTimers(const PolicyInput& in, Actions& actions) {
  const int64_t now_us = ToUs(in.now);
  while (!timers_.empty() && timers_.front().us <= now_us) {
    const Timer timer = timers_.front();
    std::pop_heap(timers_.begin(), timers_.end());
    timers_.pop_back();
    if (in.jobs[timer.job].spec.id != timer.id) continue;
    Track& track = TrackOf(in, timer.job);
    if (track.timer_us != timer.us) continue;
    track.timer_us = kNeverUs;
    Review(in, actions, timer.job);
  }
}

// The phase of a running or suspended job is over.
void StopAndGo::Review(const PolicyInput& in, Actions& actions, JobRef job) {
  const JobState state = in.jobs[job].state;
  Track& track = TrackOf(in, job);
  if (state == JobState::kSuspending &&
      in.runs[in.jobs[job].run].resize_to != 0) {
    // It saves its state for another width and goes on by itself.
    const int64_t saving_us = ToUs(in.shape(job).checkpoint);
    SetTimer(in, job, track, ToUs(in.now) + std::max(saving_us, kLookAgainUs));
    return;
  }
  if (state == JobState::kSuspended || state == JobState::kSuspending) {
    const Timer entry = {QueryOf(in, job, track).latest_us, job, track.id};
    to_resume_.insert(
        std::upper_bound(to_resume_.begin(), to_resume_.end(), entry,
                         [](const Timer& a, const Timer& b) { return b < a; }),
        entry);
    return;
  }
  if (!Runs(state)) return;
  const Query query = QueryOf(in, job, track);
  const Phase phase = Consult(in, query, track);
  Reason reason;
  reason.code = phase.why;
  if (!phase.run) {
    if (!query.may_pause) return;
    reason.chosen = {.pool = phase.pool, .start = FromUs(phase.until_us)};
    Explain(in, query, track, reason);
    actions.Suspend(job, reason);
  } else if (phase.count != 0 && phase.count != track.width &&
             HasRoomFor(in, *query.where, track.width, phase.count)) {
    reason.chosen = {.pool = *query.where, .start = in.now};
    actions.Resize(job, phase.count, reason);
    track.width = in.runs[in.jobs[job].run].count;
  }
  SetTimer(in, job, track, phase.until_us);
}

bool StopAndGo::HasRoom(const PolicyInput& in, const Actions& actions,
                        JobRef job) {
  const uint32_t shape = in.jobs[job].shape.value();
  if (shape >= no_room_.size()) no_room_.resize(shape + 1);
  if (no_room_[shape] == round_) return false;
  for (const PoolId pool : in.placement(job)) {
    if (actions.Fits(job, pool, in.shape(job).min_count)) return true;
  }
  no_room_[shape] = round_;
  return false;
}

// Whether the job was started, or should not run now after all.
bool StopAndGo::Settle(const PolicyInput& in, Actions& actions, JobRef job) {
  if (!HasRoom(in, actions, job)) return false;
  Track& track = TrackOf(in, job);
  const Query query = QueryOf(in, job, track);
  const Phase phase = Consult(in, query, track);
  if (!phase.run) {
    if (in.jobs[job].state == JobState::kSuspended) {
      SetTimer(in, job, track, phase.until_us);
      return true;
    }
    Reason reason;
    reason.code = phase.why;
    reason.chosen = {.pool = phase.pool, .start = FromUs(phase.until_us)};
    actions.Defer(job, FromUs(phase.until_us), phase.pool, reason);
    return true;
  }
  const uint32_t count = phase.count == 0 ? query.shape.count : phase.count;
  if (!StartSomewhere(in, actions, query, track, phase, count) &&
      (phase.count == 0 || count == query.shape.min_count ||
       !StartSomewhere(in, actions, query, track, phase,
                       query.shape.min_count))) {
    return false;
  }
  SetTimer(in, job, track, phase.until_us);
  return true;
}

// At the pool of the phase if it has room, else where it emits least of those
// that have.
bool StopAndGo::StartSomewhere(const PolicyInput& in, Actions& actions,
                               const Query& query, Track& track,
                               const Phase& phase, uint32_t count) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  std::optional<PoolId> best;
  double least = kInfinite;
  for (const PoolId pool : query.pools) {
    if (!queue_.MayUse(in, pool)) continue;
    if (!actions.Fits(query.job, pool, count)) continue;
    if (!Allows(in, query, track, pool)) continue;
    Curve* const c = curve(in, pool);
    double cost = kInfinite;
    if (pool == phase.pool) {
      cost = -kInfinite;
    } else if (c != nullptr) {
      // A job that may pause will look for its hours again; another has these.
      cost = Kilowatts(in, pool) *
             (query.shape.suspendable
                  ? c->At(query.now_us)
                  : c->Grams(query.now_us, query.now_us + query.remaining_us));
    }
    if (best && !(cost < least)) continue;
    best = pool;
    least = cost;
  }
  if (!best) return false;
  Reason reason;
  reason.code = curve(in, *best) == nullptr       ? ReasonCode::kNoData
                : query.latest_us <= query.now_us ? ReasonCode::kPromise
                                                  : phase.why;
  reason.chosen = {.pool = *best, .start = in.now};
  Explain(in, query, track, reason);
  return actions.Start(query.job, *best, reason, count);
}

void StopAndGo::Resume(const PolicyInput& in, Actions& actions,
                       bool urgent_only) {
  const int64_t now_us = ToUs(in.now);
  const auto settled = [&](const Timer& entry) {
    const Job& job = in.jobs[entry.job];
    if (job.spec.id != entry.id) return true;
    if (job.state == JobState::kSuspending) return false;
    if (job.state != JobState::kSuspended) return true;
    if (urgent_only && entry.us > now_us) return false;
    return Settle(in, actions, entry.job);
  };
  to_resume_.erase(
      std::remove_if(to_resume_.begin(), to_resume_.end(), settled),
      to_resume_.end());
}

void StopAndGo::Decide(const PolicyInput& in, Actions& actions) {
  ++round_;
  curves_.Refresh(in);
  if (in.cold) TakeUpAll(in);
  due_.clear();
  if (!in.queue.empty()) {
    for (const JobRef job : arrivals_.Of(in)) Hear(in, actions, job);
  }
  const size_t resuming = to_resume_.size();
  RingTimers(in, actions);
  const bool resume =
      in.capacity_freed || in.cold || to_resume_.size() > resuming;
  if (resume) Resume(in, actions, /*urgent_only=*/true);
  if (!in.queue.empty()) {
    queue_.Run(
        in, due_, in.capacity_freed,
        [&](JobRef job) { return Settle(in, actions, job); },
        [&](JobRef job) {
          return QueryOf(in, job, TrackOf(in, job)).latest_us;
        });
  }
  if (resume) Resume(in, actions, /*urgent_only=*/false);
  for (const JobRef job : due_) {
    if (in.jobs[job].state != JobState::kQueued) continue;
    actions.Wait(job, {.code = ReasonCode::kCapacity});
  }
  while (!timers_.empty()) {
    const Timer& top = timers_.front();
    if (in.jobs[top.job].spec.id == top.id &&
        TrackOf(in, top.job).timer_us == top.us) {
      actions.WakeAt(FromUs(top.us));
      break;
    }
    std::pop_heap(timers_.begin(), timers_.end());
    timers_.pop_back();
  }
}

}  // namespace ccsched
