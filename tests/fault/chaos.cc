// Random faults, from a seed, on a whole cluster under load.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/chaos.h"

#include <signal.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {

void Chaos::Rage(absl::Duration how_long) {
  const absl::Time end = absl::Now() + how_long;
  while (absl::Now() < end) {
    SubmitSome();
    if (random_.Below(12) == 0) CancelOne();
    if (random_.Below(4) == 0) InjectOne();
    HealDue(false);
    // The pace of the load, not a wait for anything.
    absl::SleepFor(absl::Milliseconds(60));
  }
}

void Chaos::TrySubmit(const std::string& key) {
  const Load& load = unacknowledged_.at(key);
  const absl::StatusOr<uint64_t> id =
      cluster_->Submit(history_->Script(key, load.seconds, load.exit_code), key,
                       load.accelerators);
  if (!id.ok()) return;
  history_->Acknowledged(key, *id);
  unacknowledged_.erase(key);
}

void Chaos::SubmitSome() {
  const std::string key = absl::StrCat("job-", next_key_++);
  Load load;
  load.seconds = 0.02 + random_.Exponential(0.4);
  load.exit_code = random_.Below(8) == 0 ? 3 : 0;
  load.accelerators = 1 + random_.Below(3);
  history_->Tried(key, load.exit_code);
  unacknowledged_[key] = load;
  // While the scheduler is down each try costs its deadline: one is enough.
  const std::string oldest = unacknowledged_.begin()->first;
  TrySubmit(oldest);
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

void Chaos::KillScheduler() {
  Count("scheduler kill -9");
  scheduler_hurt_ = true;
  cluster_->scheduler().Kill();
  HealAfter(absl::Milliseconds(random_.Below(1500)), [this] {
    cluster_->StartScheduler();
    cluster_->WaitUntilServing();
    scheduler_hurt_ = false;
  });
}

void Chaos::PauseScheduler() {
  Count("scheduler paused");
  scheduler_hurt_ = true;
  cluster_->scheduler().Signal(SIGSTOP);
  HealAfter(absl::Milliseconds(200 + random_.Below(2000)), [this] {
    cluster_->scheduler().Signal(SIGCONT);
    scheduler_hurt_ = false;
  });
}

void Chaos::KillAgent(int i) {
  Count("agent kill -9");
  cluster_->agent(i).Kill();
  HealAfter(absl::Milliseconds(random_.Below(6000)), [this, i] {
    cluster_->StartAgent(i);
    agent_hurt_[i] = false;
  });
}

void Chaos::PauseAgent(int i) {
  Count("agent paused");
  cluster_->agent(i).Signal(SIGSTOP);
  HealAfter(absl::Milliseconds(200 + random_.Below(6000)), [this, i] {
    cluster_->agent(i).Signal(SIGCONT);
    agent_hurt_[i] = false;
  });
}

void Chaos::BlockWire(int i) {
  const uint64_t which = random_.Below(3);
  const bool up = which != 0;
  const bool down = which != 1;
  Count(up && down ? "partition both ways" : "partition one way");
  cluster_->wire(i).Block(up, down);
  HealAfter(absl::Milliseconds(200 + random_.Below(7000)), [this, i] {
    cluster_->wire(i).Block(false, false);
    agent_hurt_[i] = false;
  });
}

void Chaos::InjectOne() {
  const uint64_t what = random_.Below(10);
  if (what < 2) {
    if (scheduler_hurt_) return;
    return what == 0 ? KillScheduler() : PauseScheduler();
  }
  const int i = static_cast<int>(random_.Below(cluster_->agents()));
  if (what < 4) {
    Count("connection cut");
    return cluster_->wire(i).Cut();
  }
  if (agent_hurt_[i]) return;
  agent_hurt_[i] = true;
  if (what < 6) return KillAgent(i);
  if (what < 8) return PauseAgent(i);
  BlockWire(i);
}

bool Chaos::Settle(absl::Duration patience) {
  HealDue(true);
  if (!cluster_->WaitUntilServing()) return false;
  const absl::Time deadline = absl::Now() + patience;
  while (!unacknowledged_.empty() && absl::Now() < deadline) {
    TrySubmit(unacknowledged_.begin()->first);
  }
  for (const auto& [key, id] : history_->acknowledged()) {
    const uint64_t job = id;
    const bool ended = Eventually(deadline - absl::Now(), [this, job] {
      const absl::StatusOr<v1::Job> state = cluster_->Get(job);
      return state.ok() && IsTerminalState(state->state());
    });
    if (!ended) return false;
  }
  return unacknowledged_.empty();
}

}  // namespace ccsched::testing
