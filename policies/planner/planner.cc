// planner: a rolling plan of all jobs under prices of capacity.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/planner.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

int64_t Us(absl::Time t) { return absl::ToUnixMicros(t); }
int64_t Us(absl::Duration d) { return absl::ToInt64Microseconds(d); }
absl::Time At(int64_t us) { return absl::FromUnixMicros(us); }

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
  seen_replans_ = 0;
  stuck_.clear();
  unknown_running_ = 0;
}

bool Planner::ClusterChanged(const PolicyInput& in) {
  while (plan_->placements() < in.placements.size()) {
    std::vector<uint16_t> pools;
    for (const PoolId pool : in.placements[PlacementId(plan_->placements())]) {
      pools.push_back(pool.value());
    }
    plan_->AddPlacement(std::move(pools));
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
    plan_->Forget(Us(in.now), planned.index);
    planned = {};
  }
  planned.known = in.remaining(ref).known;
  planned.blind = !HasData(in, in.placement(ref));
  planned.index = plan_->Arrive(Us(in.now), Describe(in, job, in.shape(ref)),
                                first && is_new, planned.known);
}

// Where the plan is cold: a job that runs already.
void Planner::TakeRun(const PolicyInput& in, JobRef ref) {
  Take(in, ref, true);
  NoteRun(in, ref, planned_[in.jobs[ref].spec.id]);
}

void Planner::NoteRun(const PolicyInput& in, JobRef ref, Planned& planned) {
  const Job& job = in.jobs[ref];
  const Run& run = in.runs[job.run];
  const absl::Duration ran = in.now - run.start;
  const RuntimeBelief belief = in.runtimes.Remaining(
      job, in.shape(ref),
      job.executed + std::max(absl::ZeroDuration(), ran - run.overhead));
  absl::Duration left = belief.known ? belief.p50 : belief.mean;
  if (ran < run.overhead) left += run.overhead - ran;
  left = std::clamp(left, absl::Microseconds(1), kLongestPlanned);
  const int64_t end = Us(absl::Ceil(left, absl::Microseconds(1))) + Us(in.now);
  if (planned.running) {
    plan_->SetEnd(planned.index, end);
    Job so_far = job;
    so_far.executed += std::max(absl::ZeroDuration(), ran - run.overhead);
    plan_->SetRemaining(planned.index, end - Us(in.now),
                        Describe(in, so_far, in.shape(ref)).latest_end);
    return;
  }
  planned.running = true;
  planned.known = belief.known;
  if (!planned.known) ++unknown_running_;
  plan_->Start(planned.index, run.pool.value(), Us(run.start), end);
  const int64_t suspend = plan_->SuspendAt(planned.index);
  if (suspend > 0) next_suspend_ = std::min(next_suspend_, in.now);
}

void Planner::TakeChanges(const PolicyInput& in) {
  for (const JobId id : in.gone) {
    const auto found = planned_.find(id);
    if (found == planned_.end()) continue;
    if (found->second.running && !found->second.known) {
      --unknown_running_;
      plan_->Ended(Us(in.now), found->second.index);
    }
    plan_->Forget(Us(in.now), found->second.index);
    planned_.erase(found);
  }
  candidates_.clear();
  if (in.cold) {
    for (const std::vector<RunRef>& runs : in.running) {
      for (const RunRef run : runs) TakeRun(in, in.runs[run].job);
    }
    std::vector<JobRef> queued;
    for (const ShapeId shape : in.queue.shapes()) {
      for (JobRef job = in.queue.Front(shape); job != kNoJob;
           job = in.jobs[job].next) {
        queued.push_back(job);
      }
    }
    std::sort(queued.begin(), queued.end(), [&in](JobRef a, JobRef b) {
      return in.jobs[a].spec.id < in.jobs[b].spec.id;
    });
    for (const JobRef job : queued) Take(in, job, true);
    candidates_ = std::move(queued);
  } else {
    for (const JobRef job : in.ready) {
      const auto found = planned_.find(in.jobs[job].spec.id);
      // One that was deferred is due now; one that ran must be planned anew.
      const bool fresh = found == planned_.end();
      if (fresh || found->second.running) Take(in, job, fresh);
      candidates_.push_back(job);
    }
  }
  TakeSuspended(in);
  if (!in.capacity_freed) return;
  for (const JobId id : stuck_) {
    const JobRef job = in.jobs.Find(id);
    if (job != kNoJob && planned_.contains(id)) candidates_.push_back(job);
  }
  stuck_.clear();
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
        plan_->Suspended(Us(in.now), planned.index,
                         Us(absl::Ceil(belief.known ? belief.p50 : belief.mean,
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
  std::vector<JobRef> due;
  for (const std::vector<RunRef>& runs : in.running) {
    for (const RunRef run : runs) {
      const JobRef ref = in.runs[run].job;
      const auto found = planned_.find(in.jobs[ref].spec.id);
      if (found == planned_.end()) continue;
      const int64_t at = plan_->SuspendAt(found->second.index);
      if (at == 0) continue;
      if (at <= Us(in.now)) {
        due.push_back(ref);
      } else {
        next_suspend_ = std::min(next_suspend_, At(at));
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
                                 std::max(stretches[1].start, Us(in.now))));
    plan_->Leaving(planned.index);
  }
  if (next_suspend_ < absl::InfiniteFuture()) actions.WakeAt(next_suspend_);
}

bool Planner::ReplanIsDue(const PolicyInput& in) const {
  if (planned_.empty()) return false;
  if (!plan_->planned()) return true;
  const int64_t now = Us(in.now);
  const int64_t every =
      std::max<int64_t>(1'000'000, settings_.replan_minutes * 6e7);
  if (in.forecast_changed) return true;
  return now / every != plan_->last_replan() / every;
}

void Planner::Replan(const PolicyInput& in) {
  for (const std::vector<RunRef>& runs : in.running) {
    for (const RunRef run : runs) {
      const JobRef job = in.runs[run].job;
      const auto found = planned_.find(in.jobs[job].spec.id);
      if (found == planned_.end() || !found->second.running) continue;
      const bool pausable = plan_->entry(found->second.index).pausable;
      if (found->second.known && !pausable) continue;
      NoteRun(in, job, found->second);
    }
  }
  // What was learnt since a job came counts for it too.
  for (auto& [id, planned] : planned_) {
    if (planned.running || (planned.known && !planned.blind)) continue;
    const JobRef ref = in.jobs.Find(id);
    if (ref == kNoJob) continue;
    const Job& job = in.jobs[ref];
    if (job.executed > absl::ZeroDuration()) continue;
    planned.blind = !HasData(in, in.placement(ref));
    plan_->Redescribe(planned.index, Describe(in, job, in.shape(ref)));
  }
  if (in.queue.shared()) plan_->SetLoads(Loads(in));
  plan_->Replan(Us(in.now));
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

// After a replanning: all that waits may have another place than before.
void Planner::CandidatesFromAll(const PolicyInput& in) {
  seen_replans_ = plan_->replans();
  next_suspend_ = absl::InfinitePast();
  candidates_.clear();
  for (const auto& [id, planned] : planned_) {
    const JobRef job = in.jobs.Find(id);
    if (job != kNoJob && !planned.running) candidates_.push_back(job);
  }
}

void Planner::Decide(const PolicyInput& in, Actions& actions) {
  input_ = &in;
  if (plan_ == nullptr || in.cold) Rebuild(in);
  const int64_t hour = Us(in.now) / kSlotUs;
  if (in.cold || in.forecast_changed || hour != corrected_hour_) {
    corrected_hour_ = hour;
    Correct(in);
  }
  const bool resized = ClusterChanged(in);
  TakeChanges(in);
  if (ReplanIsDue(in) || (resized && !planned_.empty())) Replan(in);
  if (plan_->replans() != seen_replans_) CandidatesFromAll(in);
  Act(in, actions);
  SuspendWhatIsDue(in, actions);
  input_ = nullptr;
}

// Those at their latest start, then by priority and load of their project;
// those with the least time left first; by id, whatever their slots are.
bool Planner::GoesFirst(const PolicyInput& in, JobRef a, JobRef b) const {
  const JobId x = in.jobs[a].spec.id;
  const JobId y = in.jobs[b].spec.id;
  const PlanJob& p = plan_->entry(planned_.at(x).index).job;
  const PlanJob& q = plan_->entry(planned_.at(y).index).job;
  const ShapeId s = in.jobs[a].shape, t = in.jobs[b].shape;
  const bool late = p.latest_start() <= Us(in.now) && in.queue.PromisesFirst(s);
  if (late != (q.latest_start() <= Us(in.now) && in.queue.PromisesFirst(t))) {
    return late;
  }
  if (p.priority != q.priority) return p.priority > q.priority;
  if (in.queue.shared() && p.account != q.account) {
    const double l = in.queue.Load(s), m = in.queue.Load(t);
    if (l != m) return l < m;
  }
  if (p.latest_start() != q.latest_start()) {
    return p.latest_start() < q.latest_start();
  }
  return x < y;
}

void Planner::Act(const PolicyInput& in, Actions& actions) {
  std::sort(candidates_.begin(), candidates_.end(),
            [&](JobRef a, JobRef b) { return GoesFirst(in, a, b); });
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end()),
                    candidates_.end());
  const int64_t now = Us(in.now);
  for (const JobRef job : candidates_) {
    Planned& planned = planned_[in.jobs[job].spec.id];
    const RollingPlan::Entry* entry = &plan_->entry(planned.index);
    if (entry->pool >= 0 && entry->start <= now) {
      const PoolId pool(static_cast<uint16_t>(entry->pool));
      if (StartAt(in, actions, job, planned, pool)) continue;
      // No room after all: somewhere else, or later.
      plan_->Again(now, planned.index);
      entry = &plan_->entry(planned.index);
      if (entry->pool < 0 || entry->start <= now) {
        if (!StartSomewhere(in, actions, job, planned)) {
          stuck_.push_back(in.jobs[job].spec.id);
        }
        continue;
      }
    }
    if (entry->pool < 0) {
      if (!StartSomewhere(in, actions, job, planned)) {
        stuck_.push_back(in.jobs[job].spec.id);
      }
      continue;
    }
    TellDeferral(in, actions, job, planned);
  }
}

bool Planner::StartAt(const PolicyInput& in, Actions& actions, JobRef job,
                      Planned& planned, PoolId pool) {
  if (!actions.Fits(job, pool)) return false;
  if (!actions.Start(job, pool, Explain(in, job, pool.value(), Us(in.now)))) {
    return false;
  }
  NoteRun(in, job, planned);
  return true;
}

bool Planner::StartSomewhere(const PolicyInput& in, Actions& actions,
                             JobRef job, Planned& planned) {
  const PlanJob& plan = plan_->entry(planned.index).job;
  PoolId best;
  double least = 0;
  bool found = false;
  for (const PoolId pool : in.placement(job)) {
    if (!actions.Fits(job, pool)) continue;
    const RollingPlan::Offer offer =
        plan_->Weigh(Us(in.now), plan, pool.value(), Us(in.now));
    if (found && offer.cost() >= least) continue;
    best = pool;
    least = offer.cost();
    found = true;
  }
  return found && StartAt(in, actions, job, planned, best);
}

void Planner::TellDeferral(const PolicyInput& in, Actions& actions, JobRef job,
                           Planned& planned) {
  const RollingPlan::Entry& entry = plan_->entry(planned.index);
  const absl::Time start = At(entry.start);
  const PoolId pool(static_cast<uint16_t>(entry.pool));
  const JobState state = in.jobs[job].state;
  if (state == JobState::kSuspended) {
    actions.WakeAt(start);
    return;
  }
  const bool deferred = state == JobState::kDeferred;
  if (deferred && planned.told_start == start && planned.told_pool == pool) {
    return;
  }
  planned.told_start = start;
  planned.told_pool = pool;
  actions.Defer(job, start, pool, Explain(in, job, entry.pool, entry.start));
}

Choice Planner::ChoiceOf(const PolicyInput& in, const PlanJob& plan,
                         const RollingPlan::Offer& offer) const {
  const PoolId pool(static_cast<uint16_t>(offer.pool));
  Choice choice = {.pool = pool,
                   .start = At(offer.start),
                   .carbon = GramsCo2e(offer.carbon),
                   .valid = true,
                   .price = GramsCo2e(offer.price + offer.wait)};
  // The plan's own grams have the money in them.
  if (settings_.weights.money != 0) {
    choice.carbon = Goal(in).Carbon(pool, At(offer.start),
                                    At(offer.start + plan.duration)) *
                    plan.count;
    choice.price += MoneyPrice(in, plan, offer);
  }
  return choice;
}

GramsCo2e Planner::MoneyPrice(const PolicyInput& in, const PlanJob& plan,
                              const RollingPlan::Offer& offer) const {
  if (settings_.weights.money == 0) return GramsCo2e(0);
  const Money cost =
      Goal(in).Cost(PoolId(static_cast<uint16_t>(offer.pool)), At(offer.start),
                    At(offer.start + plan.duration));
  return GramsCo2e(settings_.weights.money * plan.count * cost.value());
}

Reason Planner::Explain(const PolicyInput& in, JobRef ref, int pool,
                        int64_t start) const {
  const Job& job = in.jobs[ref];
  const PlanJob plan = Describe(in, job, in.shape(ref));
  const int64_t now = Us(in.now);
  Reason reason;
  const RollingPlan::Offer chosen = plan_->Weigh(now, plan, pool, start);
  reason.chosen = ChoiceOf(in, plan, chosen);
  reason.capacity_price = GramsCo2e(chosen.price);
  reason.delay_price = GramsCo2e(chosen.wait);
  const Placement& allowed = in.placement(ref);
  const RollingPlan::Offer at_once =
      plan_->Weigh(now, plan, allowed.front().value(), now);
  reason.now = ChoiceOf(in, plan, at_once);
  RollingPlan::Offer next;
  for (const PoolId other : allowed) {
    if (static_cast<int>(other.value()) == pool && start <= now) continue;
    const RollingPlan::Offer offer =
        plan_->Weigh(now, plan, other.value(), now);
    if (next.pool < 0 || offer.cost() < next.cost()) next = offer;
  }
  if (next.pool >= 0) reason.next = ChoiceOf(in, plan, next);
  reason.money_price = MoneyPrice(in, plan, chosen);
  // What money has decided, if anything: more carbon than at once, here.
  const bool cheaper =
      settings_.weights.money != 0 && reason.chosen.carbon > reason.now.carbon;
  if (in.forecast(PoolId(static_cast<uint16_t>(pool))) == nullptr) {
    reason.code = ReasonCode::kNoData;
  } else if (start > now) {
    reason.code = cheaper ? ReasonCode::kCheaperHour
                  : next.pool >= 0 && reason.next.carbon < reason.chosen.carbon
                      ? ReasonCode::kCapacity
                      : ReasonCode::kCleanerHour;
  } else if (now >= plan.latest_start()) {
    reason.code = ReasonCode::kPromise;
  } else if (pool != allowed.front().value()) {
    reason.code = cheaper ? ReasonCode::kCheaperSite : ReasonCode::kCleanerSite;
  } else {
    reason.code = ReasonCode::kBestIsNow;
  }
  return reason;
}

std::vector<Choice> Planner::Offers(const PolicyInput& in, const Job& job,
                                    const JobShape& shape) const {
  if (plan_ == nullptr || !plan_->planned() ||
      shape.placement.value() >= plan_->placements()) {
    return Policy::Offers(in, job, shape);
  }
  const PlanJob plan = Describe(in, job, shape);
  const std::vector<RollingPlan::Offer> offers =
      plan_->Offers(Us(in.now), plan);
  if (offers.empty()) return Policy::Offers(in, job, shape);
  std::vector<Choice> choices;
  for (const RollingPlan::Offer& offer : offers) {
    choices.push_back(ChoiceOf(in, plan, offer));
    choices.back().valid = in.forecast(choices.back().pool) != nullptr;
  }
  return choices;
}

}  // namespace ccsched
