// Random faults, from a seed, on a whole cluster under load.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_CHAOS_H_
#define CCSCHED_TESTS_FAULT_CHAOS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/random.h"
#include "tests/fault/cluster.h"
#include "tests/fault/history.h"

namespace ccsched::testing {

// Submits short jobs, each under a key that is tried again until a client is
// told yes, and meanwhile kills, pauses, cuts off and deceives what it can. All
// choices come from the seed; their timing comes from the machine.
class Chaos {
 public:
  Chaos(TestCluster& cluster, History& history, uint64_t seed);

  // Load and faults for so long.
  void Rage(absl::Duration how_long);
  // Undoes every fault, delivers what was not acknowledged yet, and waits
  // until every job has ended; false if none does within `patience`.
  bool Settle(absl::Duration patience);

  int faults() const { return faults_; }
  // The faults by name, for the closing line.
  const std::map<std::string, int>& counts() const { return counts_; }

 private:
  // A kind of fault, and how often it is chosen, in parts.
  struct Kind {
    int weight;
    void (Chaos::*inject)();
  };
  static const std::vector<Kind>& Kinds();

  void SubmitSome();
  void AddJob();
  void TrySubmit(const std::string& key);
  void CancelOne();
  void InjectOne();
  void HealDue(bool all);
  void HealAfter(absl::Duration delay, std::function<void()> heal);
  // A random time, in milliseconds.
  absl::Duration Span(int least, int range);
  int AnyAgent();
  // An agent that no fault has hold of, taken for one; nothing if there is
  // none.
  std::optional<int> TakeAgent();
  bool TakeScheduler();
  // What was armed to end by itself and has: started again. So is what ended
  // because its disk was full when it started, as a service manager does.
  void Tend();
  void TendArmed();

  // scheduler:
  void KillScheduler();
  void PauseScheduler();
  void StormScheduler();
  void KillSchedulerAtAnInstant();
  void SlowSchedulerDisk();
  void FillSchedulerDisk();
  // agents:
  void KillAgent();
  void PauseAgent();
  void KillAllAgents();
  void KillAgentAtAnInstant();
  void SlowAgentDisk();
  void FillAgentDisk();
  void CloneAgent();
  void KillSupervisor();
  void KillJob();
  // wires:
  void BlockWire();
  void CutWire();
  void BlockAllWires();
  void MangleWires();
  void ResizeJob();
  void Count(const std::string& what);

  struct Pending {
    absl::Time at;
    std::function<void()> heal;
  };
  struct Load {
    double seconds;
    int exit_code;
    uint32_t accelerators;
    std::string elastic;
  };

  TestCluster* cluster_;
  History* history_;
  Random random_;
  std::vector<Pending> pending_;
  std::map<std::string, Load> unacknowledged_;
  std::vector<bool> agent_hurt_;
  bool scheduler_hurt_ = false;
  // By agent, and of the scheduler: armed to kill itself, at this instant.
  std::map<int, std::string> armed_agents_;
  std::string armed_scheduler_;
  int next_key_ = 0;
  uint64_t live_ = 0;  // jobs, as the scheduler said last
  int faults_ = 0;
  std::map<std::string, int> counts_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_CHAOS_H_
