// Random faults, from a seed, on a whole cluster under load.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/chaos.h"

#include <signal.h>

#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {
namespace {

// More jobs than these under way would only wait, and be waited for at the end.
constexpr uint64_t kLiveMax = 40;
constexpr size_t kUnacknowledgedMax = 20;

}  // namespace

Chaos::Chaos(TestCluster& cluster, History& history, uint64_t seed)
    : cluster_(&cluster),
      history_(&history),
      random_(seed),
      agent_hurt_(cluster.agents()) {}

void Chaos::Rage(absl::Duration how_long) {
  const absl::Time end = absl::Now() + how_long;
  while (absl::Now() < end) {
    SubmitSome();
    if (random_.Below(12) == 0) CancelOne();
    if (random_.Below(4) == 0) InjectOne();
    Tend();
    HealDue(false);
    // The pace of the load, not a wait for anything.
    absl::SleepFor(absl::Milliseconds(60));
  }
}

void Chaos::TrySubmit(const std::string& key) {
  const Load& load = unacknowledged_.at(key);
  const absl::StatusOr<uint64_t> id =
      cluster_->Submit(history_->Script(key, load.seconds, load.exit_code), key,
                       load.accelerators, load.elastic);
  if (!id.ok()) return;
  history_->Acknowledged(key, *id);
  unacknowledged_.erase(key);
}

void Chaos::SubmitSome() {
  // While the scheduler is down each question costs its deadline, and each try
  // too: one is enough.
  if (!scheduler_hurt_ && next_key_ % 8 == 0) {
    live_ = cluster_->LiveJobs().value_or(live_);
  }
  if (live_ < kLiveMax && unacknowledged_.size() < kUnacknowledgedMax) {
    AddJob();
  } else {
    live_ = cluster_->LiveJobs().value_or(live_);
  }
  if (!unacknowledged_.empty()) {
    TrySubmit(std::string(unacknowledged_.begin()->first));
  }
}

void Chaos::AddJob() {
  const std::string key = absl::StrCat("job-", next_key_++);
  Load load;
  load.seconds = 0.02 + random_.Exponential(0.4);
  load.exit_code = random_.Below(8) == 0 ? 3 : 0;
  load.accelerators = 1 + random_.Below(cluster_->accelerators() + 2);
  if (random_.Below(4) == 0) {
    load.elastic = absl::StrCat("1:", cluster_->accelerators() + 2);
  }
  history_->Tried(key, load.exit_code);
  unacknowledged_[key] = load;
}

void Chaos::CancelOne() {
  const auto& acknowledged = history_->acknowledged();
  if (acknowledged.empty()) return;
  auto it = acknowledged.begin();
  std::advance(it, random_.Below(acknowledged.size()));
  // Asked is asked, whatever the answer was.
  history_->AskedToCancel(it->first);
  cluster_->Cancel(it->second).IgnoreError();
}

void Chaos::Count(const std::string& what) {
  ++faults_;
  ++counts_[what];
}

void Chaos::HealAfter(absl::Duration delay, std::function<void()> heal) {
  pending_.push_back({absl::Now() + delay, std::move(heal)});
}

void Chaos::HealDue(bool all) {
  for (size_t i = 0; i < pending_.size();) {
    if (!all && pending_[i].at > absl::Now()) {
      ++i;
      continue;
    }
    const std::function<void()> heal = std::move(pending_[i].heal);
    pending_.erase(pending_.begin() + i);
    heal();
  }
}

absl::Duration Chaos::Span(int least, int range) {
  return absl::Milliseconds(least + random_.Below(range));
}

int Chaos::AnyAgent() {
  return static_cast<int>(random_.Below(cluster_->agents()));
}

std::optional<int> Chaos::TakeAgent() {
  const int i = AnyAgent();
  if (agent_hurt_[i]) return std::nullopt;
  agent_hurt_[i] = true;
  return i;
}

bool Chaos::TakeScheduler() { return !std::exchange(scheduler_hurt_, true); }

// No clock is moved here: the shim moves what a process reads, not the clock by
// which the kernel ends its timed waits, so that gRPC would wait for hours.
// Wrong clocks are a case of named_failures_test.
const std::vector<Chaos::Kind>& Chaos::Kinds() {
  static const auto& kinds = *new std::vector<Kind>{
      {4, &Chaos::KillScheduler},     {4, &Chaos::PauseScheduler},
      {1, &Chaos::StormScheduler},    {6, &Chaos::KillSchedulerAtAnInstant},
      {3, &Chaos::SlowSchedulerDisk}, {2, &Chaos::FillSchedulerDisk},
      {6, &Chaos::KillAgent},         {6, &Chaos::PauseAgent},
      {1, &Chaos::KillAllAgents},     {10, &Chaos::KillAgentAtAnInstant},
      {4, &Chaos::SlowAgentDisk},     {4, &Chaos::FillAgentDisk},
      {4, &Chaos::CloneAgent},        {8, &Chaos::KillSupervisor},
      {4, &Chaos::KillJob},           {8, &Chaos::BlockWire},
      {8, &Chaos::CutWire},           {2, &Chaos::BlockAllWires},
      {4, &Chaos::MangleWires},       {6, &Chaos::ResizeJob}};
  return kinds;
}

void Chaos::InjectOne() {
  int all = 0;
  for (const Kind& kind : Kinds()) all += kind.weight;
  int at = static_cast<int>(random_.Below(all));
  for (const Kind& kind : Kinds()) {
    at -= kind.weight;
    if (at < 0) return (this->*kind.inject)();
  }
}

bool Chaos::Settle(absl::Duration patience) {
  HealDue(true);
  for (const auto& [i, instant] : armed_agents_) cluster_->StartAgent(i);
  armed_agents_.clear();
  if (!armed_scheduler_.empty()) cluster_->StartScheduler();
  armed_scheduler_.clear();
  scheduler_hurt_ = false;
  agent_hurt_.assign(agent_hurt_.size(), false);
  Tend();
  if (!cluster_->WaitUntilServing()) return false;
  const absl::Time deadline = absl::Now() + patience;
  while (!unacknowledged_.empty() && absl::Now() < deadline) {
    TrySubmit(std::string(unacknowledged_.begin()->first));
  }
  // A busy machine may take long for all of them, not for the next one.
  for (const auto& [key, id] : history_->acknowledged()) {
    const uint64_t job = id;
    const bool ended = Eventually(patience, [this, job] {
      const absl::StatusOr<v1::Job> state = cluster_->Get(job);
      return state.ok() && IsTerminalState(state->state());
    });
    if (!ended) return false;
  }
  return unacknowledged_.empty();
}

}  // namespace ccsched::testing
