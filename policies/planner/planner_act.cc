// planner: starts what is due, and says of the rest when it will be.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "policies/dispatch.h"
#include "policies/planner/planner.h"

namespace ccsched {
namespace {

// What telling costs, to the policy and whoever puts it on record, in looks at
// a start.
constexpr int64_t kTellCost = 30'000;
// What it costs to start a job, or to find that it can't.
constexpr int64_t kSettleCost = 20'000;
// A checkpoint may take so much longer than it was thought to, before the room
// that it leaves is given up.
constexpr int64_t kGraceUs = 10 * int64_t{60'000'000};

}  // namespace

// Those at their latest start, then by priority and load of their project;
// those with the least time left first; by id, whatever their slots are.
bool Planner::Turn::operator<(const Turn& o) const {
  if (late != o.late) return late;
  if (priority != o.priority) return priority > o.priority;
  return std::tie(load, latest_start, id) <
         std::tie(o.load, o.latest_start, o.id);
}

Planner::Turn Planner::TurnOf(const PolicyInput& in, JobRef job) const {
  const JobId id = in.jobs[job].spec.id;
  const PlanJob& plan = plan_->entry(planned_.at(id).index).job;
  const ShapeId shape = in.jobs[job].shape;
  return {.late = plan.latest_start() <= ToUs(in.now) &&
                  in.queue.PromisesFirst(shape),
          .priority = plan.priority,
          .load = in.queue.shared() ? in.queue.Load(shape) : 0,
          .latest_start = plan.latest_start(),
          .id = id,
          .job = job};
}

void Planner::Act(const PolicyInput& in, Actions& actions) {
  std::vector<Turn> turns;
  turns.reserve(candidates_.size());
  for (const JobRef job : candidates_) turns.push_back(TurnOf(in, job));
  std::sort(turns.begin(), turns.end());
  if (in.capacity_freed) FindStuck(in, actions);
  JobRef last = kNoJob;
  for (const Turn& turn : turns) {
    if (turn.job == last) continue;
    last = turn.job;
    if (work_ <= 0) {
      // In the next call, with those that come meanwhile.
      left_over_.push_back(turn.id);
      continue;
    }
    StartStuck(in, actions, &turn);
    Planned& planned = planned_[in.jobs[turn.job].spec.id];
    if (planned.running) continue;  // it was among those that were stuck
    const RollingPlan::Entry& entry = plan_->entry(planned.index);
    const bool may_wait = turn.latest_start > ToUs(in.now);
    if (!may_wait || (phase_ == Phase::kIdle && plan_->planned())) {
      Settle(in, actions, turn.job);
    } else if (entry.pool >= 0 && entry.start > ToUs(in.now)) {
      TellDeferral(in, actions, turn.job, planned);
    }  // Else it is due, but a new plan will soon know better.
  }
  StartStuck(in, actions, nullptr);
}

void Planner::Settle(const PolicyInput& in, Actions& actions, JobRef job) {
  const int64_t now = ToUs(in.now);
  work_ -= kSettleCost;
  Planned& planned = planned_[in.jobs[job].spec.id];
  const RollingPlan::Entry* entry = &plan_->entry(planned.index);
  if (entry->pool >= 0 && entry->start <= now) {
    const PoolId pool(static_cast<uint16_t>(entry->pool));
    if (StartAt(in, actions, job, planned, pool, entry->job.count)) return;
    if (RoomIsDue(in, *entry)) {
      left_over_.push_back(in.jobs[job].spec.id);
      actions.WakeAt(FromUs(entry->start + kGraceUs + 1));
      return;
    }
    // No room after all: somewhere else, or later.
    plan_->Again(now, planned.index);
    work_ -= plan_->PutCost(entry->job);
    entry = &plan_->entry(planned.index);
  }
  if (entry->pool >= 0 && entry->start > now) {
    TellDeferral(in, actions, job, planned);
  } else if (!StartSomewhere(in, actions, job, planned)) {
    stuck_[in.jobs[job].shape].insert(
        {entry->job.latest_start(), in.jobs[job].spec.id});
    Watch(in, job);
  }
}

void Planner::ForgetThoseThatLeft(const PolicyInput& in) {
  std::erase_if(leaving_, [&](JobId id) {
    const JobRef job = in.jobs.Find(id);
    return job == kNoJob || in.jobs[job].state != JobState::kSuspending;
  });
}

bool Planner::RoomIsDue(const PolicyInput& in,
                        const RollingPlan::Entry& entry) {
  const int64_t now = ToUs(in.now);
  if (now > entry.start + kGraceUs ||
      now >= entry.job.latest_start() - kGraceUs) {
    return false;
  }
  ForgetThoseThatLeft(in);
  uint32_t room = in.pools[entry.pool].free;
  for (const JobId id : leaving_) {
    const Run& run = in.runs[in.jobs[in.jobs.Find(id)].run];
    if (run.pool.value() == entry.pool) room += run.count;
  }
  return room >= entry.job.count;
}

JobRef Planner::FirstStuck(const PolicyInput& in, ShapeId shape) {
  auto& jobs = stuck_[shape];
  while (!jobs.empty()) {
    const JobId id = jobs.begin()->second;
    const auto found = planned_.find(id);
    const JobRef job = in.jobs.Find(id);
    if (job != kNoJob && found != planned_.end() && !found->second.running) {
      return job;
    }
    jobs.erase(jobs.begin());
  }
  return kNoJob;
}

void Planner::PushStuck(const PolicyInput& in, const Actions& actions,
                        JobRef job) {
  const Placement& allowed = in.placement(job);
  const uint32_t least = in.shape(job).min_count;
  const bool fits =
      std::any_of(allowed.begin(), allowed.end(),
                  [&](PoolId pool) { return actions.Fits(job, pool, least); });
  if (!fits) return;
  heads_.push_back(TurnOf(in, job));
  std::push_heap(heads_.begin(), heads_.end(), Later);
}

// Jobs of one shape fit alike: of each shape only the first is looked at.
void Planner::FindStuck(const PolicyInput& in, const Actions& actions) {
  heads_.clear();
  for (auto it = stuck_.begin(); it != stuck_.end();) {
    const JobRef job = FirstStuck(in, it->first);
    if (job == kNoJob) {
      it = stuck_.erase(it);
      continue;
    }
    PushStuck(in, actions, job);
    ++it;
  }
}

// Starts those of the heads whose turn is before `limit`, if that is not null.
void Planner::StartStuck(const PolicyInput& in, Actions& actions,
                         const Turn* limit) {
  while (!heads_.empty() && (limit == nullptr || heads_.front() < *limit)) {
    std::pop_heap(heads_.begin(), heads_.end(), Later);
    const JobRef job = heads_.back().job;
    heads_.pop_back();
    Planned& planned = planned_[in.jobs[job].spec.id];
    if (!StartSomewhere(in, actions, job, planned)) continue;
    const JobRef next = FirstStuck(in, in.jobs[job].shape);
    if (next != kNoJob) PushStuck(in, actions, next);
  }
}

void Planner::Tell(const PolicyInput& in, Actions& actions) {
  if (phase_ != Phase::kIdle) return;  // it will all be told anew
  for (; told_ < to_tell_.size() && work_ > 0; ++told_) {
    const JobId id = to_tell_[told_].second;
    const auto found = planned_.find(id);
    const JobRef job = in.jobs.Find(id);
    if (found == planned_.end() || job == kNoJob || found->second.running) {
      continue;
    }
    const RollingPlan::Entry& entry = plan_->entry(found->second.index);
    const absl::Time before = found->second.told_start;
    if (entry.pool < 0 || entry.start <= ToUs(in.now)) {
      Settle(in, actions, job);
    } else {
      TellDeferral(in, actions, job, found->second);
      if (found->second.told_start != before) work_ -= kTellCost;
    }
  }
  if (told_ < to_tell_.size()) return;
  to_tell_.clear();
  told_ = 0;
}

bool Planner::StartAt(const PolicyInput& in, Actions& actions, JobRef job,
                      Planned& planned, PoolId pool, uint32_t count) {
  if (!actions.Fits(job, pool, count)) return false;
  if (!actions.Start(job, pool, Explain(in, job, pool.value(), ToUs(in.now)),
                     count)) {
    return false;
  }
  NoteRun(in, job, planned);
  return true;
}

bool Planner::StartSomewhere(const PolicyInput& in, Actions& actions,
                             JobRef job, Planned& planned) {
  const RollingPlan::Entry& entry = plan_->entry(planned.index);
  const std::vector<PlanJob> widths =
      UsableWidths(entry.own != nullptr ? *entry.own : entry.job, ToUs(in.now));
  RollingPlan::Offer best;
  for (const PoolId pool : in.placement(job)) {
    for (const PlanJob& as : widths) {
      if (!actions.Fits(job, pool, as.count)) continue;
      if (!plan_->planned()) {
        return StartAt(in, actions, job, planned, pool, as.count);
      }
      if (!MayTakeRoom(in, planned, as, pool)) continue;
      const RollingPlan::Offer offer =
          plan_->Weigh(ToUs(in.now), as, pool.value(), ToUs(in.now));
      if (best.pool < 0 || offer.cost() < best.cost()) best = offer;
    }
  }
  return best.pool >= 0 &&
         StartAt(in, actions, job, planned,
                 PoolId(static_cast<uint16_t>(best.pool)), best.count);
}

bool Planner::MayTakeRoom(const PolicyInput& in, const Planned& planned,
                          const PlanJob& as, PoolId pool) const {
  const int64_t now = ToUs(in.now);
  if (planned.given_way) return true;
  if (plan_->entry(planned.index).job.latest_start() < now) {
    return plan_->HasRoom(planned.index, as, pool.value(), now);
  }
  const auto overdue = planned_.find(overdue_);
  return overdue == planned_.end() || overdue->second.running ||
         plan_->LeavesRoomFor(overdue->second.index, now, as, pool.value());
}

void Planner::TellDeferral(const PolicyInput& in, Actions& actions, JobRef job,
                           Planned& planned) {
  const RollingPlan::Entry& entry = plan_->entry(planned.index);
  const absl::Time start = FromUs(entry.start);
  const PoolId pool(static_cast<uint16_t>(entry.pool));
  const JobState state = in.jobs[job].state;
  const bool deferred = state == JobState::kDeferred;
  if (deferred && planned.told_start == start && planned.told_pool == pool) {
    return;
  }
  WatchIfPressed(in, job, start);
  if (state == JobState::kSuspended) {
    actions.WakeAt(start);
    return;
  }
  planned.told_start = start;
  planned.told_pool = pool;
  actions.Defer(job, start, pool, Explain(in, job, entry.pool, entry.start));
}

}  // namespace ccsched
