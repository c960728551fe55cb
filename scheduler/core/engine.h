// The scheduler as a pure state machine: state, now and events in, effects out.
// SPDX-License-Identifier: Apache-2.0
//
//   Engine engine(topology, policy_factory);
//   const Effects& effects = engine.Step(now, events);
//
// The live scheduler and the simulator run this same entry point; they differ
// only in who feeds it events and who carries out its effects. It has no
// clock, thread, file, socket, global or randomness of its own: the same
// construction and the same calls give the same effects, on every machine.
#ifndef CCSCHED_SCHEDULER_CORE_ENGINE_H_
#define CCSCHED_SCHEDULER_CORE_ENGINE_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "policies/policy.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/effect.h"
#include "scheduler/model/event.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/intern.h"
#include "scheduler/model/job.h"
#include "scheduler/model/project.h"

namespace ccsched {

// Makes a policy of this name; what PolicyChanged is carried out with.
using PolicyFactory = std::function<absl::StatusOr<std::unique_ptr<Policy>>(
    std::string_view name, const PolicyParameters& parameters)>;

// A live job as recorded, for a restart. `nodes`, `pool` and so on are set if
// it held capacity; then its node must have been restored too.
struct RestoredJob {
  JobSpec spec;
  JobShape shape;
  JobState state = JobState::kQueued;
  Epoch epoch;
  uint64_t queue_key = 0;
  absl::Time wake;
  PoolId planned_pool;
  absl::Duration executed;
  bool hold_wanted = false;
  bool cancel_wanted = false;
  uint8_t losses = 0;
  bool budget_held = false;
  std::vector<JobId> after;
  ArrayLimit limit;
  // Of the running attempt:
  PoolId pool;
  uint32_t count = 0;
  absl::Time start;
  bool confirmed = false;
  std::vector<NodeShare> nodes;
};
struct RestoredNode {
  NodeId node;
  PoolId pool;
  uint32_t count = 0;
  bool drained = false;
  // As last known. Restore does not rely on it: nothing starts at a node before
  // it has joined again and said so.
  bool containers = false;
};

struct EngineOptions {
  // What policies believe of runtimes; null: what each job's spec says.
  std::unique_ptr<RuntimeBeliefs> beliefs;
  std::optional<absl::Time> horizon;  // nothing may run beyond it
  bool explain = true;                // fill Effects::decisions
  bool baselines = true;              // fill Effects::baselines
  // A running job that takes another width is asked to suspend, and starts anew
  // at that width, at once. If this is true, one whose checkpoint and restart
  // take no time goes on as it runs instead: where time is simulated that is
  // the same, but for the instant in between.
  bool resize_in_place = true;
  // Whether projects have shares of scarce capacity; see FairShare.
  std::optional<FairShareOptions> shares;
};

// How a project stands, for people.
struct ProjectStanding {
  Symbol project;
  // Where projects have shares:
  std::optional<double> share;
  double load = 0, charged = 0;  // accelerator-seconds
  uint32_t held = 0;             // accelerators
  // Where it has a budget:
  std::optional<CarbonBudget> budget;
  GramsCo2e used, expected;
  absl::Time period_start, period_end;
  size_t jobs_held = 0;
};

class Engine {
 public:
  // REQUIRES: `policy` is not null.
  Engine(Topology topology, std::unique_ptr<Policy> policy,
         PolicyFactory factory, EngineOptions options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes up recorded state; nothing is decided, no effect comes of it. Nodes
  // are silent until they join. Errors: FailedPrecondition after the first
  // Step; InvalidArgument for what does not fit together.
  absl::Status Restore(absl::Span<const RestoredNode> nodes,
                       std::vector<RestoredJob> jobs);

  // Applies the events in order, then lets the policy decide once. An event
  // that is not legal is refused (Effects::refusals) and changes nothing.
  // The result is valid until the next Step. REQUIRES: now >= the last now.
  const Effects& Step(absl::Time now, absl::Span<const Event> events);

  // Brings near what the end of this job's running attempt will go through, for
  // whoever knows that it is about to come; what a job refers to needs a call
  // of its own, once the job is there. No job, no effect: only speed.
  void Prefetch(JobId id) const;
  void PrefetchRun(JobId id) const;

  // The pools that a job of these sites, regions and types may use: interned.
  PlacementId InternPlacement(const Placement& placement);

  // A job, live or ended in the last Step; null if there is none.
  const Job* job(JobId id) const;
  const JobShape& shape(const Job& job) const;
  const Run* run(const Job& job) const;  // null unless it holds capacity
  const Placement& placement(const Job& job) const;
  std::vector<JobId> dependencies(JobId id) const;
  // The limit that a blocked job waits for: of its array as many as may be
  // under way are.
  std::optional<ArrayLimit> waits_for(JobId id) const;

  const Topology& topology() const;
  absl::Span<const PoolUse> pools() const;
  const GridView& grid() const;
  const RuntimeBeliefs& runtimes() const;
  size_t live_jobs() const;
  std::vector<ProjectStanding> Projects(
      absl::Span<const Symbol> projects) const;
  // What a waiting job would emit if it started at once, as its project's
  // budget counts it before it is admitted; 0 without a forecast.
  GramsCo2e ExpectedAtOnce(const Job& job) const;

  // What a second engine needs to go on from here: all live jobs, by id; and
  // the placements interned so far, from number `from` on.
  std::vector<RestoredJob> LiveJobs() const;
  std::vector<Placement> Placements(size_t from) const;

  // Whether a job of this shape could ever run on the nodes that have joined.
  bool CouldEverFit(const JobShape& shape) const;
  // What the policy offers for a job that is not submitted, or that waits.
  std::vector<Choice> Offers(absl::Time now, const JobSpec& spec,
                             const JobShape& shape) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_ENGINE_H_
