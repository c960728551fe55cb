// The scheduler as a pure state machine: projects, their shares and budgets.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {

absl::Status Engine::State::Apply(const ProjectsAgreed& e) {
  if (shares_) shares_->ResetShares();
  for (const ProjectTerms& terms : e.terms) {
    if (!shares_) break;
    if (terms.share) shares_->SetShare(terms.symbol, *terms.share);
    if (terms.charged > 0) shares_->Restore(terms.symbol, terms.charged);
  }
  budgets_.Agree(e.terms, now_);
  std::vector<JobRef> free;
  jobs_.ForEach([&](JobRef ref, const Job& job) {
    if (IsTerminal(job.state)) return;
    const Symbol project = job.spec.project;
    if (job.budget_held) {
      if (budgets_.Find(project) == nullptr) free.push_back(ref);
      budgets_.SetHeld(job.spec.id, project, true);
    } else if (job.state != JobState::kHeld &&
               job.state != JobState::kBlocked) {
      Expect(ref, job.run != kNoRun ? runs_[job.run].pool : job.planned_pool,
             now_);
    }
  });
  std::sort(free.begin(), free.end(), [this](JobRef a, JobRef b) {
    return jobs_[a].spec.id < jobs_[b].spec.id;
  });
  for (const JobRef ref : free) LetGo(ref);
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const EmissionsBooked& e) {
  budgets_.Book(e.project, e.job, e.at, e.co2e);
  return absl::OkStatus();
}

GramsCo2e Engine::State::Expected(const Job& job, PoolId pool,
                                  absl::Time from) const {
  const Forecast* const forecast = grid_.forecast(topology_.region(pool));
  if (forecast == nullptr) return GramsCo2e();
  const JobShape& shape = shapes_[job.shape];
  absl::Duration done = job.executed;
  uint32_t count = shape.count;
  if (job.run != kNoRun) {
    const Run& run = runs_[job.run];
    done += run.WorkDone(shape, now_);
    count = run.count;
  }
  const absl::Duration left =
      beliefs_->Remaining(job, shape, done).mean / shape.SpeedAt(count);
  return forecast->PerKilowatt(from, from + left) *
         (topology_.GridPower(pool, count).value() / 1000);
}

void Engine::State::Expect(JobRef ref, PoolId pool, absl::Time from) {
  const Job& job = jobs_[ref];
  if (budgets_.Find(job.spec.project) == nullptr) return;
  // A job that waits and is planned nowhere: as if it started at once.
  if (job.run == kNoRun && job.state != JobState::kDeferred) {
    pool = BaselinePool(shapes_[job.shape]);
  }
  budgets_.Expect(job.spec.id, job.spec.project, Expected(job, pool, from));
}

GramsCo2e Engine::State::ExpectedAtOnce(const Job& job) const {
  return Expected(job, BaselinePool(shapes_[job.shape]), now_);
}

bool Engine::State::Admit(JobRef ref) {
  Job& job = jobs_[ref];
  if (budgets_.Find(job.spec.project) == nullptr) return true;
  budgets_.Forget(job.spec.id);  // it may have waited in an array's line
  const GramsCo2e expected = ExpectedAtOnce(job);
  if (budgets_.HasRoom(job.spec.project, expected)) {
    budgets_.Expect(job.spec.id, job.spec.project, expected);
    return true;
  }
  job.budget_held = true;
  budgets_.SetHeld(job.spec.id, job.spec.project, true);
  Record(ref, DecisionKind::kWait, {.code = ReasonCode::kBudget});
  return false;
}

void Engine::State::LetGo(JobRef ref) {
  Job& job = jobs_[ref];
  job.budget_held = false;
  budgets_.SetHeld(job.spec.id, job.spec.project, false);
  if (!EnterArray(job.spec.id)) {
    Move(ref, Trigger::kReleaseBlocked);
    return;
  }
  Move(ref, Trigger::kRelease);
  Enqueue(ref);
}

void Engine::State::DropBudgetHold(JobRef ref) {
  Job& job = jobs_[ref];
  budgets_.Forget(job.spec.id);
  if (!job.budget_held) return;
  job.budget_held = false;
  budgets_.SetHeld(job.spec.id, job.spec.project, false);
}

// In the order of their submission; one that is too large lets others pass.
void Engine::State::ReleaseWithinBudgets() {
  if (budgets_.empty()) return;
  budgets_.SetNow(now_);
  if (!budgets_.TakeLoosened()) return;
  std::vector<JobRef> free;
  for (const Budgets::Account& account : budgets_.accounts()) {
    for (const JobId id : account.held) {
      if (account.over()) break;  // there is room for none
      const JobRef ref = jobs_.Find(id);
      const Job& job = jobs_[ref];
      const GramsCo2e expected =
          Expected(job, BaselinePool(shapes_[job.shape]), now_);
      if (!budgets_.HasRoom(job.spec.project, expected)) continue;
      budgets_.Expect(id, job.spec.project, expected);
      free.push_back(ref);
    }
  }
  for (const JobRef ref : free) LetGo(ref);
  budgets_.TakeLoosened();
}

// Contested: somebody waits for the pool and does not fit there.
void Engine::State::WeighContention() {
  std::vector<bool> contested(pools_.size());
  for (const ShapeId shape : queue_.shapes()) {
    const JobShape& s = shapes_[shape];
    const Demand demand = DemandOf(s, s.count);
    for (const PoolId pool : placements_[s.placement]) {
      const size_t p = pool.value();
      contested[p] = contested[p] || !packers_[p].Fits(demand, pools_[p]);
    }
  }
  for (size_t p = 0; p < pools_.size(); ++p) {
    shares_->SetContested(PoolId(static_cast<uint16_t>(p)),
                          contested[p] || wanted_[p] > 0);
  }
}

void Engine::State::ForgetElsewhere(JobId job) {
  const auto found = elsewhere_.find(job);
  if (found == elsewhere_.end()) return;
  --wanted_[found->second.value()];
  elsewhere_.erase(found);
}

// The job is put off although it may fit somewhere now: what it gives up.
void Engine::State::NoteDeferral(JobRef ref, const Reason& reason) {
  const Job& job = jobs_[ref];
  const JobShape& shape = shapes_[job.shape];
  if (reason.code == ReasonCode::kCapacity && reason.next.valid) {
    if (elsewhere_.try_emplace(job.spec.id, reason.next.pool).second) {
      ++wanted_[reason.next.pool.value()];
    }
    return;
  }
  if (claims_.contains(job.spec.id)) return;
  const Demand demand = DemandOf(shape, shape.count);
  for (const PoolId pool : placements_[shape.placement]) {
    const size_t p = pool.value();
    if (!packers_[p].Fits(demand, pools_[p])) continue;
    const absl::Duration length =
        beliefs_->Remaining(job, shape, job.executed).mean;
    if (!shares_->Claim(pool, shape.count, pools_[p].free, length)) continue;
    claims_[job.spec.id] = {.valid = true, .pool = pool, .at = now_};
    return;
  }
}

GramsCo2e Engine::ExpectedAtOnce(const Job& job) const {
  return state_->ExpectedAtOnce(job);
}

std::vector<ProjectStanding> Engine::Projects(
    absl::Span<const Symbol> projects) const {
  const State& s = *state_;
  std::vector<ProjectStanding> standings;
  for (const Symbol project : projects) {
    ProjectStanding& standing = standings.emplace_back();
    standing.project = project;
    if (s.shares_) standing.share = 1;
    if (const auto account =
            s.shares_ ? s.shares_->Find(project) : std::nullopt) {
      standing.share = s.shares_->share(*account);
      standing.load = s.shares_->Load(*account);
      standing.charged = s.shares_->Charged(*account);
      standing.held = s.shares_->held(*account);
    }
    if (const Budgets::Account* const account = s.budgets_.Find(project)) {
      standing.budget = account->terms.budget;
      standing.used = account->used;
      standing.expected = account->expected;
      standing.period_start = account->period_start;
      standing.period_end = account->period_end;
      standing.jobs_held = account->held.size();
    }
  }
  return standings;
}

}  // namespace ccsched
