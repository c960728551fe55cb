// The scheduler as a pure state machine: one step.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/engine.h"

#include <algorithm>
#include <utility>

#include "scheduler/core/beliefs.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {

Engine::State::State(Topology topology, std::unique_ptr<Policy> policy,
                     PolicyFactory factory, EngineOptions options)
    : topology_(std::move(topology)),
      policy_(std::move(policy)),
      factory_(std::move(factory)),
      options_(std::move(options)),
      beliefs_(options_.beliefs != nullptr ? std::move(options_.beliefs)
                                           : std::make_unique<SpecBeliefs>()),
      shares_(options_.shares ? std::make_optional<FairShare>(
                                    *options_.shares, topology_.pools.size())
                              : std::nullopt),
      queue_(jobs_, shapes_, shares_ ? &*shares_ : nullptr),
      pools_(topology_.pools.size()),
      packers_(topology_.pools.size()),
      running_(topology_.pools.size()),
      wanted_(topology_.pools.size()),
      input_(Input()) {
  learns_ = beliefs_->Learns();
  grid_.forecasts.resize(topology_.regions.size());
  grid_.observed.resize(topology_.regions.size());
  grid_.prices.resize(topology_.regions.size());
  grid_.horizon = options_.horizon;
}

Engine::Engine(Topology topology, std::unique_ptr<Policy> policy,
               PolicyFactory factory, EngineOptions options)
    : state_(std::make_unique<State>(std::move(topology), std::move(policy),
                                     std::move(factory), std::move(options))) {}

Engine::~Engine() = default;

// Each step: (1) jobs that ended in the last one go; (2) the events are
// applied in order; (3) deferrals that are over end, and so do holds for which
// there is room in a budget; (4) the policy decides; (5) the next wake-up is
// named.
const Effects& Engine::Step(absl::Time now, absl::Span<const Event> events) {
  State& s = *state_;
  s.EvictEnded();
  s.effects_.Clear();
  s.now_ = std::max(now, s.now_);
  s.stepped_ = true;
  if (s.learns_) s.beliefs_->Advance(s.now_);
  // Ranks in the queue are times.
  s.queue_.KeysAbove(absl::ToUnixMicros(s.now_) - 1);
  if (s.shares_) s.shares_->SetNow(s.now_);
  for (uint32_t i = 0; i < events.size(); ++i) {
    absl::Status status =
        std::visit([&s](const auto& e) { return s.Apply(e); }, events[i]);
    if (!status.ok()) {
      s.effects_.refusals.push_back({i, std::move(status)});
    }
  }
  s.WakeDeferred();
  s.ReleaseWithinBudgets();
  if (s.shares_) s.shares_->Weigh();
  s.Decide();
  if (s.shares_) s.WeighContention();
  while (!s.timers_.empty() && !s.StillStands(s.timers_.top())) s.timers_.Pop();
  s.effects_.wake = std::min(s.policy_wake_, s.budgets_.NextRelease());
  if (!s.timers_.empty()) {
    s.effects_.wake = std::min<absl::Time>(
        s.effects_.wake, PackedTime::FromUnixMicros(s.timers_.top().at_us()));
  }
  for (const JobRef ref : s.changed_) s.jobs_[ref].dirty = false;
  s.changed_.clear();
  return s.effects_;
}

void Engine::State::EvictEnded() {
  for (const JobRef ref : ended_) {
    if (!after_.empty()) after_.erase(jobs_[ref].spec.id);
    jobs_.Erase(ref);
  }
  ended_.clear();
}

bool Engine::State::StillStands(const DueHeap::Entry& entry) const {
  // A slot outlives its job: then it holds another one, or none.
  const Job& job = jobs_[entry.slot()];
  return job.state == JobState::kDeferred && job.wake.us() == entry.at_us() &&
         static_cast<uint32_t>(job.spec.id.value()) == entry.job();
}

void Engine::State::WakeDeferred() {
  if (timers_.empty()) return;
  const int64_t now_us = absl::ToUnixMicros(now_);
  while (!timers_.empty() && timers_.top().at_us() <= now_us) {
    const DueHeap::Entry entry = timers_.top();
    timers_.Pop();
    if (!timers_.empty()) jobs_.Prefetch(timers_.top().slot());
    if (!StillStands(entry)) continue;
    const JobRef ref = entry.slot();
    Move(ref, Trigger::kWake);
    Enqueue(ref);
    woken_.push_back(ref);
  }
}

void Engine::State::Decide() {
  while (!suspended_.empty() && !policy_->TakesUpSuspended()) {
    QueueSuspended(suspended_.back());
  }
  // Jobs may have left the queue again within this step.
  const auto left = [this](JobRef ref) { return !queue_.Contains(ref); };
  if (!ready_.empty()) std::erase_if(ready_, left);
  if (!woken_.empty()) std::erase_if(woken_, left);
  const auto before = [this](JobRef a, JobRef b) {
    return queue_.Before(a, b);
  };
  if (ready_.size() > 1) std::sort(ready_.begin(), ready_.end(), before);
  if (policy_wake_ <= now_) policy_wake_ = absl::InfiniteFuture();
  input_.now = now_;
  input_.suspended = suspended_;
  input_.ready = ready_;
  input_.woken = woken_;
  input_.gone = gone_;
  input_.capacity_freed = capacity_freed_;
  input_.forecast_changed = forecast_changed_;
  input_.cold = cold_;
  deciding_ = true;
  policy_->Decide(input_, *this);
  deciding_ = false;
  ready_.clear();
  woken_.clear();
  gone_.clear();
  capacity_freed_ = forecast_changed_ = cold_ = false;
}

PolicyInput Engine::State::Input() const {
  return {.now = now_,
          .topology = topology_,
          .placements = placements_,
          .shapes = shapes_,
          .jobs = jobs_,
          .queue = queue_,
          .runs = runs_,
          .pools = pools_,
          .running = running_,
          .suspended = suspended_,
          .grid = grid_,
          .runtimes = *beliefs_,
          .ready = ready_,
          .woken = woken_,
          .gone = gone_,
          .capacity_freed = capacity_freed_,
          .forecast_changed = forecast_changed_,
          .cold = cold_};
}

void Engine::Prefetch(JobId id) const {
  const JobRef ref = state_->jobs_.Find(id);
  if (ref != kNoJob) state_->jobs_.Prefetch(ref);
}

void Engine::PrefetchRun(JobId id) const {
  const JobRef ref = state_->jobs_.Find(id);
  if (ref == kNoJob) return;
  const RunRef run = state_->jobs_[ref].run;
  if (run != kNoRun) state_->runs_.Prefetch(run);
}

PlacementId Engine::InternPlacement(const Placement& placement) {
  return state_->placements_.Intern(placement);
}

const Job* Engine::job(JobId id) const {
  const JobRef ref = state_->jobs_.Find(id);
  return ref == kNoJob ? nullptr : &state_->jobs_[ref];
}

const JobShape& Engine::shape(const Job& job) const {
  return state_->shapes_[job.shape];
}

const Run* Engine::run(const Job& job) const {
  return job.run == kNoRun ? nullptr : &state_->runs_[job.run];
}

const Placement& Engine::placement(const Job& job) const {
  return state_->placements_[shape(job).placement];
}

std::vector<JobId> Engine::dependencies(JobId id) const {
  const auto found = state_->after_.find(id);
  return found == state_->after_.end() ? std::vector<JobId>() : found->second;
}

const Topology& Engine::topology() const { return state_->topology_; }
absl::Span<const PoolUse> Engine::pools() const { return state_->pools_; }
const GridView& Engine::grid() const { return state_->grid_; }
const RuntimeBeliefs& Engine::runtimes() const { return *state_->beliefs_; }
size_t Engine::live_jobs() const {
  return state_->jobs_.size() - state_->ended_.size();
}

bool Engine::CouldEverFit(const JobShape& shape) const {
  return state_->CouldEverFit(shape);
}

std::vector<Choice> Engine::Offers(absl::Time now, const JobSpec& spec,
                                   const JobShape& shape) const {
  Job job;
  job.spec = spec;
  PolicyInput input = state_->Input();
  input.now = now;
  return state_->policy_->Offers(input, job, shape);
}

}  // namespace ccsched
