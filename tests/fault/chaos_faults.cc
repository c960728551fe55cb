// The faults that chaos chooses from, each with how it is undone.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/fault/chaos.h"

namespace ccsched::testing {
namespace {

// scheduler/base/failpoint.h: where each process can be made to die.
constexpr const char* kSchedulerInstants[] = {
    "scheduler.stepped", "scheduler.committed", "scheduler.answered"};
constexpr const char* kAgentInstants[] = {"agent.accepted", "agent.spawned",
                                          "agent.ended", "agent.recorded",
                                          "agent.acknowledged"};
// Armed by the agent's environment, passed on to all of its supervisors.
constexpr const char* kSupervisorInstants[] = {
    "supervisor.born", "supervisor.known", "supervisor.started",
    "supervisor.ended", "supervisor.recorded"};

template <typename Names>
std::string AnyOf(const Names& names, Random& random) {
  return names[random.Below(std::size(names))];
}

}  // namespace

void Chaos::KillScheduler() {
  if (!TakeScheduler()) return;
  Count("scheduler kill -9");
  cluster_->scheduler().Kill();
  HealAfter(Span(0, 1500), [this] {
    cluster_->StartScheduler();
    cluster_->WaitUntilServing();
    scheduler_hurt_ = false;
  });
}

void Chaos::PauseScheduler() {
  if (!TakeScheduler()) return;
  Count("scheduler paused");
  cluster_->scheduler().Signal(SIGSTOP);
  HealAfter(Span(200, 2000), [this] {
    cluster_->scheduler().Signal(SIGCONT);
    scheduler_hurt_ = false;
  });
}

void Chaos::StormScheduler() {
  if (!TakeScheduler()) return;
  for (int i = 0; i < 6; ++i) {
    Count("scheduler kill -9, in a storm");
    cluster_->StartScheduler();
    // Somewhere in its start, or just after.
    absl::SleepFor(Span(0, 250));
    cluster_->scheduler().Kill();
  }
  cluster_->StartScheduler();
  cluster_->WaitUntilServing();
  scheduler_hurt_ = false;
}

void Chaos::KillSchedulerAtAnInstant() {
  if (!TakeScheduler()) return;
  armed_scheduler_ = AnyOf(kSchedulerInstants, random_);
  cluster_->scheduler().Kill();
  cluster_->StartScheduler(
      absl::StrCat(armed_scheduler_, "=kill@", 1 + random_.Below(40)));
  cluster_->WaitUntilServing(absl::Seconds(2));
}

void Chaos::KillAgentAtAnInstant() {
  const std::optional<int> i = TakeAgent();
  if (!i) return;
  const bool supervisors = random_.Below(2) == 0;
  const std::string instant = supervisors ? AnyOf(kSupervisorInstants, random_)
                                          : AnyOf(kAgentInstants, random_);
  cluster_->agent(*i).Kill();
  if (!supervisors) {
    armed_agents_[*i] = instant;
    cluster_->StartAgent(*i,
                         absl::StrCat(instant, "=kill@", 1 + random_.Below(8)));
    return;
  }
  Count(absl::StrCat("some supervisors die at ", instant));
  cluster_->StartAgent(*i, absl::StrCat(instant, "=kill%3"));
  HealAfter(Span(1000, 4000), [this, i = *i] {
    cluster_->agent(i).Kill();
    cluster_->StartAgent(i);
    agent_hurt_[i] = false;
  });
}

void Chaos::Tend() {
  cluster_->ReapOrphans();
  TendArmed();
  if (!scheduler_hurt_ && !cluster_->scheduler().running()) {
    cluster_->StartScheduler();
    cluster_->WaitUntilServing(absl::Seconds(2));
  }
  for (int i = 0; i < cluster_->agents(); ++i) {
    if (!agent_hurt_[i] && !cluster_->agent(i).running()) {
      cluster_->StartAgent(i);
    }
  }
}

void Chaos::TendArmed() {
  if (!armed_scheduler_.empty() && !cluster_->scheduler().running()) {
    Count(absl::StrCat("killed at ", std::exchange(armed_scheduler_, "")));
    cluster_->StartScheduler();
    cluster_->WaitUntilServing();
    scheduler_hurt_ = false;
  }
  for (auto it = armed_agents_.begin(); it != armed_agents_.end();) {
    const auto [i, instant] = *it;
    if (cluster_->agent(i).running()) {
      ++it;
      continue;
    }
    Count(absl::StrCat("killed at ", instant));
    cluster_->StartAgent(i);
    agent_hurt_[i] = false;
    it = armed_agents_.erase(it);
  }
}

void Chaos::SlowSchedulerDisk() {
  Count("scheduler's disk is slow");
  ShimState& shim = cluster_->scheduler_shim();
  shim.sync_delay_us = 20'000 + static_cast<int64_t>(random_.Below(400'000));
  HealAfter(Span(500, 3000), [&shim] { shim.sync_delay_us = 0; });
}

void Chaos::SlowAgentDisk() {
  Count("agent's disk is slow");
  ShimState& shim = cluster_->agent_shim(AnyAgent());
  shim.sync_delay_us = 20'000 + static_cast<int64_t>(random_.Below(400'000));
  shim.write_delay_us = static_cast<int64_t>(random_.Below(50'000));
  HealAfter(Span(500, 4000), [&shim] {
    shim.sync_delay_us = 0;
    shim.write_delay_us = 0;
  });
}

void Chaos::FillSchedulerDisk() {
  Count("scheduler's disk is full");
  ShimState& shim = cluster_->scheduler_shim();
  shim.disk_full = 1;
  HealAfter(Span(300, 2500), [&shim] { shim.disk_full = 0; });
}

void Chaos::FillAgentDisk() {
  Count("agent's disk is full");
  ShimState& shim = cluster_->agent_shim(AnyAgent());
  shim.disk_full = 1;
  HealAfter(Span(300, 4000), [&shim] { shim.disk_full = 0; });
}

void Chaos::KillAgent() {
  const std::optional<int> i = TakeAgent();
  if (!i) return;
  Count("agent kill -9");
  cluster_->agent(*i).Kill();
  HealAfter(Span(0, 6000), [this, i = *i] {
    cluster_->StartAgent(i);
    agent_hurt_[i] = false;
  });
}

void Chaos::PauseAgent() {
  const std::optional<int> i = TakeAgent();
  if (!i) return;
  Count("agent paused");
  cluster_->agent(*i).Signal(SIGSTOP);
  HealAfter(Span(200, 6000), [this, i = *i] {
    cluster_->agent(i).Signal(SIGCONT);
    agent_hurt_[i] = false;
  });
}

void Chaos::KillAllAgents() {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < cluster_->agents(); ++i) {
      if (agent_hurt_[i]) continue;
      Count("agent kill -9, with all others");
      cluster_->agent(i).Kill();
      cluster_->StartAgent(i);
    }
    absl::SleepFor(Span(50, 400));
  }
}

// By the same wire, with a copy of its state: the scheduler hears two agents of
// one name, and the copy has jobs on record that are not its own.
void Chaos::CloneAgent() {
  const int i = AnyAgent();
  Count("clone of an agent");
  auto clone = std::make_shared<Process>(cluster_->StartCloneOf(i));
  HealAfter(Span(500, 4000), [clone] { clone->Kill(); });
}

void Chaos::KillSupervisor() {
  const auto pids = cluster_->SupervisorsOf(AnyAgent());
  if (pids.empty()) return;
  Count("supervisor kill -9");
  cluster_->KillMeant(pids[random_.Below(pids.size())]);
}

void Chaos::KillJob() {
  const auto pids = cluster_->JobsOf(AnyAgent());
  if (pids.empty()) return;
  Count("job kill -9");
  cluster_->KillMeant(pids[random_.Below(pids.size())]);
}

void Chaos::BlockWire() {
  const std::optional<int> i = TakeAgent();
  if (!i) return;
  const uint64_t which = random_.Below(3);
  const bool up = which != 0;
  const bool down = which != 1;
  Count(up && down ? "partition both ways"
        : up       ? "partition towards the scheduler"
                   : "partition towards the agent");
  cluster_->wire(*i).Block(up, down);
  HealAfter(Span(200, 7000), [this, i = *i] {
    cluster_->wire(i).Block(false, false);
    agent_hurt_[i] = false;
  });
}

void Chaos::BlockAllWires() {
  Count("all agents silent at once");
  for (int i = 0; i < cluster_->agents(); ++i) {
    cluster_->wire(i).Block(true, true);
  }
  HealAfter(Span(1000, 8000), [this] {
    for (int i = 0; i < cluster_->agents(); ++i) {
      cluster_->wire(i).Block(false, false);
    }
  });
}

void Chaos::CutWire() {
  Count("connection cut");
  cluster_->wire(AnyAgent()).Cut();
}

// Some of those that may run. The job's shell ends by the signal that
// asks it to save its state, and starts from the beginning at the new width.
void Chaos::ResizeJob() {
  const auto& acknowledged = history_->acknowledged();
  uint64_t newest = 0;
  for (const auto& [key, id] : acknowledged) newest = std::max(newest, id);
  if (newest == 0) return;
  Count("resize of a job");
  // Few of the live ones run, those that came first.
  const uint64_t back = 8 + random_.Below(live_ + 1);
  const uint64_t first = newest > back ? newest - back : 1;
  for (uint64_t id = first; id <= std::min(newest, first + 8); ++id) {
    cluster_->Resize(id, 1 + random_.Below(cluster_->accelerators()))
        .IgnoreError();
  }
}

void Chaos::MangleWires() {
  Mangler* const mangler = cluster_->mangler(AnyAgent());
  if (mangler == nullptr) return;
  Count("messages doubled and reordered");
  mangler->Mangle(2 + static_cast<int>(random_.Below(6)));
  HealAfter(Span(1000, 6000), [mangler] { mangler->Mangle(0); });
}

}  // namespace ccsched::testing
