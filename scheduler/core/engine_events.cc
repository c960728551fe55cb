// The scheduler as a pure state machine: what each event does.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {
namespace {

// At least so much of the past is kept, if it was told.
constexpr absl::Duration kObserved = absl::Hours(24 * 15);

}  // namespace

absl::StatusOr<JobRef> Engine::State::FindJob(JobId id) const {
  const JobRef ref = jobs_.Find(id);
  if (ref == kNoJob || IsTerminal(jobs_[ref].state)) {
    return absl::NotFoundError(
        absl::StrCat("job ", id.value(), " is not live"));
  }
  return ref;
}

absl::StatusOr<JobRef> Engine::State::FindAttempt(JobId id, Epoch epoch) const {
  ASSIGN_OR_RETURN(const JobRef ref, FindJob(id));
  const Job& job = jobs_[ref];
  if (job.epoch != epoch || job.run == kNoRun) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", id.value(), " is in epoch ", job.epoch.value(),
                     ", not in ", epoch.value()));
  }
  return ref;
}

void Engine::State::MarkChanged(JobRef ref) {
  Job& job = jobs_[ref];
  if (job.dirty) return;
  job.dirty = true;
  effects_.changed.push_back(job.spec.id);
  changed_.push_back(ref);
}

absl::Status Engine::State::TryMove(JobRef ref, Trigger trigger) {
  Job& job = jobs_[ref];
  const std::optional<JobState> next = NextState(job.state, trigger);
  if (!next.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "job ", job.spec.id.value(), " is ", ToAbsl(ToString(job.state)),
        ": can't ", ToAbsl(ToString(trigger)), " it"));
  }
  if (job.state == JobState::kDeferred && !elsewhere_.empty()) {
    ForgetElsewhere(job.spec.id);
  }
  job.state = *next;
  MarkChanged(ref);
  return absl::OkStatus();
}

void Engine::State::Move(JobRef ref, Trigger trigger) {
  const absl::Status status = TryMove(ref, trigger);
  // Callers have checked; anything else is a broken invariant.
  if (!status.ok()) std::abort();
}

void Engine::State::Enqueue(JobRef ref, uint64_t key) {
  const int64_t queued_us = static_cast<int64_t>(jobs_[ref].queue_key);
  if (key == 0 && queued_us > 0) {
    key = std::max<int64_t>(1, absl::ToUnixMicros(now_) - queued_us);
  }
  queue_.Push(ref, key);
  ready_.push_back(ref);
}

void Engine::State::Unlink(JobRef ref) {
  const Job& job = jobs_[ref];
  if (queue_.Contains(ref)) {
    queue_.Remove(ref);
  } else if (job.state == JobState::kSuspended) {
    suspended_.erase(std::find(suspended_.begin(), suspended_.end(), ref));
  }
}

void Engine::State::SetAside(JobRef ref) {
  Job& job = jobs_[ref];
  const bool queued = queue_.Contains(ref);
  const bool away =
      job.state == JobState::kDeferred || job.state == JobState::kHeld;
  Unlink(ref);
  if (away) return;
  const int64_t rank = static_cast<int64_t>(job.queue_key);
  job.queue_key =
      queued ? std::max<int64_t>(0, absl::ToUnixMicros(now_) - rank) : 0;
}

Run Engine::State::ReleaseRun(JobRef ref) {
  Job& job = jobs_[ref];
  Run run = std::move(runs_[job.run]);
  const uint32_t pool = run.pool.value();
  if (shares_) {
    const auto claim = claims_.find(job.spec.id);
    shares_->End(shapes_[job.shape].account, run.pool, run.count, run.start,
                 claim == claims_.end() ? FairShare::Claimed() : claim->second);
    // It was for one run; what follows is charged as it comes.
    if (claim != claims_.end()) claims_.erase(claim);
  }
  packers_[pool].Release(DemandOf(shapes_[job.shape], run.count), run.nodes,
                         pools_[pool]);
  std::vector<RunRef>& list = running_[pool];
  list[run.index] = list.back();
  runs_[list[run.index]].index = run.index;
  list.pop_back();
  runs_.Erase(job.run);
  job.run = kNoRun;
  capacity_freed_ = true;
  return run;
}

void Engine::State::Finish(JobRef ref) {
  const Job& job = jobs_[ref];
  gone_.push_back(job.spec.id);
  ended_.push_back(ref);
  DropBudgetHold(ref);
  if (shares_) claims_.erase(job.spec.id);
  if (!dependants_.empty()) {
    SettleDependants(job.spec.id, job.state == JobState::kSucceeded);
  }
  LeaveArray(ref);
}

void Engine::State::SettleDependants(JobId id, bool succeeded) {
  const auto found = dependants_.find(id);
  if (found == dependants_.end()) return;
  const std::vector<JobId> waiting = std::move(found->second);
  dependants_.erase(found);
  for (const JobId dependant : waiting) {
    const JobRef ref = jobs_.Find(dependant);
    if (ref == kNoJob || IsTerminal(jobs_[ref].state)) continue;
    if (!succeeded) {
      Move(ref, Trigger::kDependencyFailed);
      Finish(ref);
      continue;
    }
    std::vector<JobId>& unmet = after_[dependant];
    unmet.erase(std::find(unmet.begin(), unmet.end(), id));
    if (!unmet.empty()) {
      MarkChanged(ref);  // what it waits for is less
      continue;
    }
    after_.erase(dependant);
    if (jobs_[ref].state != JobState::kBlocked) continue;
    if (EnterArray(dependant)) {
      Move(ref, Trigger::kDependenciesMet);
      if (Admit(ref)) {
        Enqueue(ref);
      } else {
        Move(ref, Trigger::kHold);
        GiveUpPlace(dependant);
      }
    } else {
      MarkChanged(ref);  // it waits for something else now
    }
  }
}

bool Engine::State::CouldEverFit(const JobShape& shape) const {
  const Demand demand = DemandOf(shape, shape.min_count);
  for (const PoolId pool : placements_[shape.placement]) {
    const NodePacker& packer = packers_[pool.value()];
    // Nodes that have not joined yet may be as large as need be.
    if (packer.empty() || packer.CouldFit(demand)) return true;
  }
  return false;
}

absl::Status Engine::State::CheckSubmission(const JobSubmitted& e) const {
  const uint64_t id = e.spec.id.value();
  const JobShape& s = e.shape;
  if (jobs_.Find(e.spec.id) != kNoJob) {
    return absl::AlreadyExistsError(absl::StrCat("job ", id, " exists"));
  }
  if (s.count == 0 || s.min_count == 0 || s.min_count > s.max_count ||
      s.count < s.min_count || s.count > s.max_count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", id, " asks for ", s.count, " accelerators, between ",
        s.min_count, " and ", s.max_count));
  }
  if (s.nodes > 0 && s.count % s.nodes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", id, " asks for ", s.count, " accelerators on ",
                     s.nodes, " nodes: not divisible"));
  }
  if (placements_[s.placement].empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", id, " is allowed at no pool"));
  }
  if (!CouldEverFit(s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", id, " asks for ", s.min_count,
                     " accelerators: no site that it may use has so many"));
  }
  for (const JobId parent : e.after) {
    RETURN_IF_ERROR(FindJob(parent).status());
  }
  return absl::OkStatus();
}

PoolId Engine::State::BaselinePool(const JobShape& shape) const {
  const Placement& allowed = placements_[shape.placement];
  const Demand demand = DemandOf(shape, shape.count);
  for (const PoolId pool : allowed) {
    if (packers_[pool.value()].Fits(demand, pools_[pool.value()])) return pool;
  }
  for (const PoolId pool : allowed) {
    if (packers_[pool.value()].CouldFit(demand)) return pool;
  }
  return allowed.front();
}

absl::Status Engine::State::Apply(const JobSubmitted& e) {
  RETURN_IF_ERROR(CheckSubmission(e));
  const JobRef ref = jobs_.Add(e.spec.id);
  Job& job = jobs_[ref];
  job.spec = e.spec;
  if (shares_) {
    JobShape shape = e.shape;
    shape.account = shares_->Account(e.spec.project);
    job.shape = shapes_.Intern(shape);
  } else {
    job.shape = shapes_.Intern(e.shape);
  }
  if (e.limit.at_most > 0) JoinArray(e.spec.id, e.limit);
  job.state = e.spec.held             ? JobState::kHeld
              : !e.after.empty()      ? JobState::kBlocked
              : EnterArray(e.spec.id) ? JobState::kQueued
                                      : JobState::kBlocked;
  MarkChanged(ref);
  if (options_.baselines) {
    effects_.baselines.push_back({e.spec.id, BaselinePool(e.shape)});
  }
  if (!e.after.empty()) {
    std::vector<JobId> parents = e.after;
    std::sort(parents.begin(), parents.end());
    parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
    for (const JobId parent : parents) {
      dependants_[parent].push_back(e.spec.id);
    }
    after_.emplace(e.spec.id, std::move(parents));
  }
  if (job.state != JobState::kQueued) return absl::OkStatus();
  if (Admit(ref)) {
    Enqueue(ref);
  } else {
    job.state = JobState::kHeld;
    GiveUpPlace(e.spec.id);
  }
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const JobCancelled& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindJob(e.job));
  Job& job = jobs_[ref];
  if (HoldsCapacity(job.state)) {
    if (job.cancel_wanted) return absl::OkStatus();
    RETURN_IF_ERROR(TryMove(ref, Trigger::kAskStop));
    job.cancel_wanted = true;
    effects_.stops.push_back({e.job, job.epoch, StopWhy::kCancel});
    return absl::OkStatus();
  }
  Unlink(ref);
  RETURN_IF_ERROR(TryMove(ref, Trigger::kCancel));
  Finish(ref);
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const JobHeld& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindJob(e.job));
  Job& job = jobs_[ref];
  if (HoldsCapacity(job.state)) {
    if (!shapes_[job.shape].suspendable) {
      return absl::FailedPreconditionError(
          absl::StrCat("job ", e.job.value(),
                       " runs and is not suspendable: it can't be held"));
    }
    if (job.state != JobState::kSuspending) {
      RETURN_IF_ERROR(TryMove(ref, Trigger::kAskSuspend));
      effects_.stops.push_back({e.job, job.epoch, StopWhy::kSuspend});
    }
    runs_[job.run].resize_to = 0;
    job.hold_wanted = true;
    MarkChanged(ref);
    return absl::OkStatus();
  }
  // A hold by a budget becomes one by whoever asks.
  const bool by_budget = job.budget_held;
  DropBudgetHold(ref);
  if (job.state == JobState::kHeld) {
    if (by_budget) MarkChanged(ref);
    return absl::OkStatus();
  }
  SetAside(ref);
  gone_.push_back(e.job);
  RETURN_IF_ERROR(TryMove(ref, Trigger::kHold));
  LeaveArray(ref);
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const JobReleased& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindJob(e.job));
  Job& job = jobs_[ref];
  if (job.hold_wanted) {
    job.hold_wanted = false;
    runs_[job.run].resize_to = runs_[job.run].count;  // goes on as it was
    MarkChanged(ref);
    return absl::OkStatus();
  }
  if (job.state != JobState::kHeld) return TryMove(ref, Trigger::kRelease);
  if (job.budget_held) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", e.job.value(),
                     " is held by its project's carbon budget: it goes on when "
                     "that has room"));
  }
  if (after_.contains(e.job) || !EnterArray(e.job)) {
    return TryMove(ref, Trigger::kReleaseBlocked);
  }
  if (!Admit(ref)) {
    GiveUpPlace(e.job);
    MarkChanged(ref);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(TryMove(ref, Trigger::kRelease));
  Enqueue(ref);
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const AttemptStarted& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindAttempt(e.job, e.epoch));
  Job& job = jobs_[ref];
  Run& run = runs_[job.run];
  if (run.confirmed) return absl::OkStatus();
  RETURN_IF_ERROR(TryMove(ref, Trigger::kConfirm));
  run.confirmed = true;
  run.start = std::max<absl::Time>(e.at, run.start);
  return absl::OkStatus();
}

bool Engine::State::HoldIfWanted(JobRef ref) {
  Job& job = jobs_[ref];
  if (!job.hold_wanted) return false;
  job.hold_wanted = false;
  job.queue_key = 0;
  Move(ref, Trigger::kHold);
  DropBudgetHold(ref);  // its project owes nothing for it while it is held
  LeaveArray(ref);
  return true;
}

void Engine::State::Requeue(JobRef ref) {
  Job& job = jobs_[ref];
  const uint64_t key = job.queue_key;
  if (job.cancel_wanted) {
    if (job.state != JobState::kStopping) Move(ref, Trigger::kAskStop);
    Move(ref, Trigger::kStopped);
    Finish(ref);
    return;
  }
  Move(ref, Trigger::kRequeue);
  if (HoldIfWanted(ref)) return;
  Enqueue(ref, key);
}

absl::Status Engine::State::Apply(const AttemptEnded& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindAttempt(e.job, e.epoch));
  Job& job = jobs_[ref];
  const Run run = ReleaseRun(ref);
  const auto observe = [&](bool completed) {
    if (!learns_) return;
    const JobShape& shape = shapes_[job.shape];
    beliefs_->Observe(job, shape, job.executed + run.WorkDone(shape, e.at),
                      completed);
  };
  switch (e.outcome) {
    case Outcome::kSucceeded:
    case Outcome::kFailed:
    case Outcome::kTimedOut:
      observe(e.outcome != Outcome::kTimedOut);
      Move(ref, e.outcome == Outcome::kSucceeded ? Trigger::kSucceed
                : e.outcome == Outcome::kFailed  ? Trigger::kFail
                                                 : Trigger::kTimeOut);
      Finish(ref);
      break;
    case Outcome::kSuspended:
      job.executed += e.work;
      beliefs_->Paused(job, shapes_[job.shape]);
      if (job.cancel_wanted) {
        Requeue(ref);  // ends it
        break;
      }
      job.losses = 0;
      LearnCheckpoint(job, e.checkpoint);
      Suspended(ref);
      if (run.resize_to != 0) GoOnResized(ref, run);
      break;
    case Outcome::kLost:
      beliefs_->Paused(job, shapes_[job.shape]);
      RequeueLost(ref, run.pool, run.TimeAtWork(e.at));
      break;
    case Outcome::kStopped:
    case Outcome::kRefused:
      if (job.cancel_wanted) {
        observe(false);
      } else {
        beliefs_->Paused(job, shapes_[job.shape]);
      }
      Requeue(ref);
      break;
  }
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const ForecastIssued& e) {
  if (e.region.value() >= grid_.forecasts.size() || e.forecast == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no region ", e.region.value()));
  }
  std::shared_ptr<const Forecast>& known = grid_.forecasts[e.region.value()];
  known = known == nullptr
              ? e.forecast
              : std::make_shared<const Forecast>(known->Overlay(*e.forecast));
  forecast_changed_ = true;
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const IntensityObserved& e) {
  if (e.region.value() >= grid_.observed.size() || e.series == nullptr ||
      e.series->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no region ", e.region.value(), ", or no value is told"));
  }
  std::shared_ptr<const StepSeries>& known = grid_.observed[e.region.value()];
  const StepSeries& more = *e.series;
  if (known == nullptr || known->step() != more.step() ||
      known->end() != more.start()) {
    known = e.series;
    return absl::OkStatus();
  }
  // Half of what is kept goes at once, so that most calls only append.
  const int64_t most = kObserved / more.step();
  const int64_t old = static_cast<int64_t>(known->values().size());
  const int64_t drop = old > 2 * most ? old - most : 0;
  std::vector<double> values(known->values().begin() + drop,
                             known->values().end());
  values.insert(values.end(), more.values().begin(), more.values().end());
  ASSIGN_OR_RETURN(StepSeries series,
                   StepSeries::Create(known->start() + known->step() * drop,
                                      more.step(), std::move(values)));
  known = std::make_shared<const StepSeries>(std::move(series));
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const PricesPublished& e) {
  if (e.region.value() >= grid_.prices.size() || e.prices == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no region ", e.region.value()));
  }
  grid_.prices[e.region.value()] = e.prices;
  forecast_changed_ = true;
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const PolicyChanged& e) {
  ASSIGN_OR_RETURN(policy_, factory_(e.name, e.parameters));
  policy_wake_ = absl::InfiniteFuture();
  cold_ = true;
  // What the old policy deferred, the new one has not weighed yet.
  while (!timers_.empty()) {
    const DueHeap::Entry entry = timers_.top();
    timers_.Pop();
    if (!StillStands(entry)) continue;
    Move(entry.slot(), Trigger::kWake);
    Enqueue(entry.slot());
  }
  ready_.clear();
  for (const ShapeId shape : queue_.shapes()) {
    for (JobRef ref = queue_.Front(shape); ref != kNoJob;
         ref = jobs_[ref].next) {
      ready_.push_back(ref);
    }
  }
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const Tick&) { return absl::OkStatus(); }

}  // namespace ccsched
