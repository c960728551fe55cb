// planner: a rolling plan of all jobs under prices of capacity.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/dispatch.h"

namespace ccsched {
namespace {

// Looks at a start in one call; some 25 ms.
constexpr int64_t kWorkPerCall = 20'000'000;
// What other work is, in looks.
constexpr int64_t kDescribeCost = 20'000;
constexpr int64_t kListCost = 200;
constexpr size_t kToldAtOnce = 100;
// Where plans take long, nodes that come and go are waited for.
constexpr int64_t kResizePauseUs = 60'000'000;

}  // namespace

Objective Planner::Goal(const PolicyInput& in) const {
  return {in, corrected_, settings_.weights};
}

void Planner::Rebuild(const PolicyInput& in) {
  std::vector<PlanPool> pools(in.pools.size());
  for (size_t p = 0; p < pools.size(); ++p) {
    pools[p].limited = in.pools[p].total < kUnlimited / 2;
    pools[p].capacity = in.pools[p].total;
  }
  plan_ = std::make_unique<RollingPlan>(
      std::move(pools), std::vector<std::vector<uint16_t>>(), settings_.rolling,
      [this](int pool, int64_t origin, int32_t slots, double* grams) {
        Goal(*input_).Fill(PoolId(static_cast<uint16_t>(pool)), origin, slots,
                           grams);
      });
  planned_.clear();
  ids_.clear();
  arrivals_.clear();
  left_over_.clear();
  leaving_.clear();
  stuck_.clear();
  to_tell_.clear();
  told_ = 0;
  phase_ = Phase::kIdle;
  replan_wanted_ = resized_ = long_replan_ = false;
  pressed_.clear();
  promised_room_.clear();
  overdue_ = {};
  unknown_running_ = 0;
}

std::vector<uint16_t> Planner::PoolsOf(const Placement& placement) {
  std::vector<uint16_t> pools;
  pools.reserve(placement.size());
  for (const PoolId pool : placement) pools.push_back(pool.value());
  return pools;
}

bool Planner::ClusterChanged(const PolicyInput& in) {
  while (plan_->placements() < in.placements.size()) {
    plan_->AddPlacement(
        PoolsOf(in.placements[PlacementId(plan_->placements())]));
  }
  bool changed = false;
  for (size_t p = 0; p < in.pools.size(); ++p) {
    changed |= plan_->SetCapacity(static_cast<int>(p), in.pools[p].total);
  }
  return changed;
}

void Planner::Take(const PolicyInput& in, JobRef ref, bool first) {
  const Job& job = in.jobs[ref];
  const auto [it, is_new] = planned_.try_emplace(job.spec.id);
  Planned& planned = it->second;
  if (!is_new) {
    if (planned.running && !planned.known) --unknown_running_;
    plan_->Forget(ToUs(in.now), planned.index);
    planned = {};
  }
  planned.known = in.remaining(ref).known;
  planned.blind = !HasData(in, in.placement(ref));
  planned.index =
      plan_->Register(ToUs(in.now), Describe(in, job, in.shape(ref)),
                      first && is_new, planned.known);
  if (ids_.size() <= planned.index) ids_.resize(planned.index + 1);
  ids_[planned.index] = job.spec.id;
}

// Where the plan is cold: a job that runs already.
void Planner::TakeRun(const PolicyInput& in, JobRef ref) {
  Take(in, ref, true);
  NoteRun(in, ref, planned_[in.jobs[ref].spec.id]);
}

void Planner::NoteRun(const PolicyInput& in, JobRef ref, Planned& planned) {
  const Job& job = in.jobs[ref];
  const JobShape& shape = in.shape(ref);
  const Run& run = in.runs[job.run];
  const absl::Duration ran = in.now - run.start;
  const absl::Duration done = job.executed + run.WorkDone(shape, in.now);
  const RuntimeBelief belief = in.runtimes.Remaining(job, shape, done);
  const double speed = shape.SpeedAt(run.count);
  const absl::Duration work = belief.known ? belief.p50 : belief.mean;
  absl::Duration left = work / speed;
  if (ran < run.overhead) left += run.overhead - ran;
  left = std::clamp(left, absl::Microseconds(1), kLongestPlanned);
  const int64_t end =
      ToUs(absl::Ceil(left, absl::Microseconds(1))) + ToUs(in.now);
  if (planned.running) {
    plan_->SetEnd(planned.index, end);
    Job so_far = job;
    so_far.executed = done;
    plan_->SetRemaining(planned.index,
                        std::llround((end - ToUs(in.now)) * speed),
                        Describe(in, so_far, shape).latest_end);
    return;
  }
  planned.running = true;
  planned.given_way = false;
  planned.known = belief.known;
  if (!planned.known) ++unknown_running_;
  plan_->Start(planned.index,
               {run.pool.value(), ToUs(run.start), end, run.count}, speed);
  const int64_t suspend = plan_->SuspendAt(planned.index);
  if (suspend > 0) next_suspend_ = std::min(next_suspend_, in.now);
}

void Planner::TakeChanges(const PolicyInput& in) {
  for (const JobId id : in.gone) {
    const auto found = planned_.find(id);
    if (found == planned_.end()) continue;
    if (found->second.running && !found->second.known) {
      --unknown_running_;
      plan_->Ended(ToUs(in.now), found->second.index);
    }
    plan_->Forget(ToUs(in.now), found->second.index);
    planned_.erase(found);
  }
  candidates_.clear();
  if (in.cold) {
    // Those that run hold room that the others can't have.
    const auto add = [&](std::vector<JobId> jobs) {
      std::sort(jobs.begin(), jobs.end());
      arrivals_.insert(arrivals_.end(), jobs.begin(), jobs.end());
    };
    std::vector<JobId> running, queued;
    for (const std::vector<RunRef>& runs : in.running) {
      for (const RunRef run : runs) {
        running.push_back(in.jobs[in.runs[run].job].spec.id);
      }
    }
    for (const ShapeId shape : in.queue.shapes()) {
      for (JobRef job = in.queue.Front(shape); job != kNoJob;
           job = in.jobs[job].next) {
        queued.push_back(in.jobs[job].spec.id);
      }
    }
    add(std::move(running));
    add(std::move(queued));
  } else {
    for (const JobRef job : in.ready) {
      const JobId id = in.jobs[job].spec.id;
      const auto found = planned_.find(id);
      if (found == planned_.end()) {
        arrivals_.push_back(id);
        continue;
      }
      // One that was deferred is due now; one that ran must be planned anew.
      if (found->second.running) Take(in, job, false);
      candidates_.push_back(job);
    }
  }
  for (const JobId id : left_over_) {
    const auto found = planned_.find(id);
    const JobRef job = in.jobs.Find(id);
    if (job == kNoJob || found == planned_.end()) continue;
    if (!found->second.running) candidates_.push_back(job);
  }
  left_over_.clear();
  TakeArrivals(in);
  TakeSuspended(in);
}

void Planner::TakeArrivals(const PolicyInput& in) {
  // The rest of a call's work is for replanning and for telling.
  const int64_t left = work_ / 2;
  while (!arrivals_.empty() && work_ > left) {
    const JobId id = arrivals_.front();
    arrivals_.pop_front();
    const JobRef ref = in.jobs.Find(id);
    if (ref == kNoJob || planned_.contains(id)) continue;
    const Job& job = in.jobs[ref];
    if (job.run != kNoRun) {
      TakeRun(in, ref);
    } else if (job.state == JobState::kQueued) {
      Take(in, ref, true);
      candidates_.push_back(ref);
    } else {
      continue;
    }
    work_ -=
        kDescribeCost + plan_->PutCost(plan_->entry(planned_[id].index).job);
  }
}

void Planner::TakeSuspended(const PolicyInput& in) {
  for (const JobRef ref : in.suspended) {
    const auto found = planned_.find(in.jobs[ref].spec.id);
    if (found == planned_.end()) {
      Take(in, ref, true);
    } else if (found->second.running) {
      Planned& planned = found->second;
      if (plan_->entry(planned.index).pausable) {
        if (!planned.known) --unknown_running_;
        planned.running = false;
        const RuntimeBelief belief = in.remaining(ref);
        plan_->Suspended(
            ToUs(in.now), planned.index,
            ToUs(absl::Ceil(belief.known ? belief.p50 : belief.mean,
                            absl::Microseconds(1))));
      } else {
        Take(in, ref, false);
      }
    }
    candidates_.push_back(ref);
  }
}

// Suspends runs whose stretch is over, and says when the next one is.
void Planner::SuspendWhatIsDue(const PolicyInput& in, Actions& actions) {
  if (in.now < next_suspend_) return;
  next_suspend_ = absl::InfiniteFuture();
  ForgetThoseThatLeft(in);
  std::vector<JobRef> due;
  for (const std::vector<RunRef>& runs : in.running) {
    for (const RunRef run : runs) {
      const JobRef ref = in.runs[run].job;
      const auto found = planned_.find(in.jobs[ref].spec.id);
      if (found == planned_.end()) continue;
      const int64_t at = plan_->SuspendAt(found->second.index);
      if (at == 0) continue;
      if (at <= ToUs(in.now)) {
        due.push_back(ref);
      } else {
        next_suspend_ = std::min(next_suspend_, FromUs(at));
      }
    }
  }
  std::sort(due.begin(), due.end(), [&in](JobRef a, JobRef b) {
    return in.jobs[a].spec.id < in.jobs[b].spec.id;
  });
  for (const JobRef ref : due) {
    const Planned& planned = planned_[in.jobs[ref].spec.id];
    const std::vector<Stretch>& stretches =
        plan_->entry(planned.index).stretches;
    actions.Suspend(ref, Explain(in, ref, stretches[1].pool,
                                 std::max(stretches[1].start, ToUs(in.now))));
    plan_->Leaving(planned.index);
    leaving_.push_back(in.jobs[ref].spec.id);
  }
  if (next_suspend_ < absl::InfiniteFuture()) actions.WakeAt(next_suspend_);
}

bool Planner::ReplanIsDue(const PolicyInput& in, Actions& actions) {
  if (planned_.empty()) return false;
  if (!plan_->planned()) return arrivals_.empty();
  const int64_t now = ToUs(in.now);
  const int64_t every =
      std::max<int64_t>(1'000'000, settings_.replan_minutes * 6e7);
  if (replan_wanted_ || now / every != plan_->last_replan() / every) {
    return true;
  }
  if (!resized_) return false;
  const int64_t wait = long_replan_ ? kResizePauseUs : 0;
  if (now >= plan_->last_replan() + wait) return true;
  actions.WakeAt(FromUs(plan_->last_replan() + wait));
  return false;
}

void Planner::AdvanceReplan(const PolicyInput& in, Actions& actions) {
  const bool goes_on = phase_ != Phase::kIdle;
  if (!goes_on) {
    if (!ReplanIsDue(in, actions)) return;
    phase_ = Phase::kReview;
    reviewed_ = 0;
  }
  if (phase_ == Phase::kReview) {
    if (!ReviewAll(in)) return;
    if (in.queue.shared()) plan_->SetLoads(Loads(in));
    replan_wanted_ = resized_ = false;
    plan_->BeginReplan(ToUs(in.now));
    phase_ = Phase::kPlan;
  }
  if (!plan_->AdvanceReplan(ToUs(in.now), work_)) return;
  phase_ = Phase::kIdle;
  long_replan_ = goes_on;
  CandidatesFromAll(in);
}

// What was learnt since a job came counts for it too.
bool Planner::ReviewAll(const PolicyInput& in) {
  for (; reviewed_ < plan_->size(); ++reviewed_) {
    if (work_ <= 0) return false;
    if (!plan_->entry(reviewed_).used) continue;
    const auto found = planned_.find(ids_[reviewed_]);
    const JobRef job = in.jobs.Find(ids_[reviewed_]);
    if (found == planned_.end() || job == kNoJob) continue;
    if (found->second.running) {
      ReviewRun(in, job, found->second);
    } else {
      ReviewWaiting(in, job, found->second);
    }
  }
  return true;
}

void Planner::ReviewRun(const PolicyInput& in, JobRef job, Planned& planned) {
  const bool pausable = plan_->entry(planned.index).pausable;
  if (in.jobs[job].run == kNoRun || (planned.known && !pausable)) return;
  NoteRun(in, job, planned);
  work_ -= kDescribeCost;
}

void Planner::ReviewWaiting(const PolicyInput& in, JobRef ref,
                            Planned& planned) {
  const Job& job = in.jobs[ref];
  if (planned.known && !planned.blind) return;
  if (job.executed > absl::ZeroDuration()) return;
  planned.blind = !HasData(in, in.placement(ref));
  plan_->Redescribe(planned.index, Describe(in, job, in.shape(ref)));
  work_ -= kDescribeCost;
}

std::vector<RollingPlan::AccountLoad> Planner::Loads(
    const PolicyInput& in) const {
  std::vector<RollingPlan::AccountLoad> loads;
  for (uint32_t s = 0; s < in.shapes.size(); ++s) {
    const uint32_t account = in.shapes[ShapeId(s)].account.value();
    if (account >= loads.size()) loads.resize(account + 1);
    loads[account] = {in.queue.Load(ShapeId(s)) / 3600,
                      in.queue.Share(ShapeId(s))};
  }
  return loads;
}

// After a replanning: all that waits may have another place than before. What
// is due is acted on; of the rest it is told when they are, by and by if they
// are many.
void Planner::CandidatesFromAll(const PolicyInput& in) {
  next_suspend_ = absl::InfinitePast();
  const uint32_t overdue = plan_->MostOverdue(ToUs(in.now));
  overdue_ = overdue == kNoEntry ? JobId() : ids_[overdue];
  candidates_.clear();
  stuck_.clear();
  to_tell_.clear();
  told_ = 0;
  const bool many = planned_.size() > kToldAtOnce;
  for (uint32_t i = 0; i < plan_->size(); ++i) {
    const RollingPlan::Entry& entry = plan_->entry(i);
    if (!entry.used || entry.running) continue;
    if (many && entry.pool >= 0 && entry.start > ToUs(in.now)) {
      to_tell_.push_back({entry.start, ids_[i]});
      continue;
    }
    const JobRef job = in.jobs.Find(ids_[i]);
    if (job != kNoJob) candidates_.push_back(job);
  }
  std::sort(to_tell_.begin(), to_tell_.end());
  work_ -= kListCost * static_cast<int64_t>(plan_->size());
}

void Planner::Decide(const PolicyInput& in, Actions& actions) {
  input_ = &in;
  work_ = kWorkPerCall;
  if (plan_ == nullptr || in.cold) Rebuild(in);
  const int64_t hour = ToUs(in.now) / kSlotUs;
  if (in.cold || in.forecast_changed || hour != corrected_hour_) {
    corrected_hour_ = hour;
    Correct(in);
  }
  resized_ |= ClusterChanged(in) && !planned_.empty();
  replan_wanted_ |= in.forecast_changed;
  TakeChanges(in);
  replan_wanted_ |= plan_->reached_beyond();
  AdvanceReplan(in, actions);
  // Whoever has to start does, however long planning takes.
  work_ = std::max(work_, kWorkPerCall / 2);
  TakePromisedRoom(in, actions);
  Act(in, actions);
  Tell(in, actions);
  KeepPromises(in, actions);
  SuspendWhatIsDue(in, actions);
  const bool more =
      !arrivals_.empty() || phase_ != Phase::kIdle || told_ < to_tell_.size();
  if (more) actions.WakeAt(in.now + absl::Microseconds(1));
  input_ = nullptr;
}

}  // namespace ccsched
