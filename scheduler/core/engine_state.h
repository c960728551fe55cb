// What the engine holds, and the steps that its files share. Internal to core.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CORE_ENGINE_STATE_H_
#define CCSCHED_SCHEDULER_CORE_ENGINE_STATE_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "scheduler/base/due_heap.h"
#include "scheduler/core/budgets.h"
#include "scheduler/core/engine.h"
#include "scheduler/core/lifecycle.h"
#include "scheduler/core/node_packer.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/job_table.h"
#include "scheduler/model/ready_queue.h"

namespace ccsched {

// The indexed state, the handlers of events (engine_events.cc) and what a
// policy may do (engine_actions.cc).
class Engine::State : public Actions {
 public:
  State(Topology topology, std::unique_ptr<Policy> policy,
        PolicyFactory factory, EngineOptions options);

  // --- engine_events.cc: each refuses what is not legal.
  absl::Status Apply(const JobSubmitted& e);
  absl::Status Apply(const JobCancelled& e);
  absl::Status Apply(const JobHeld& e);
  absl::Status Apply(const JobReleased& e);
  absl::Status Apply(const NodeJoined& e);
  absl::Status Apply(const NodeSilent& e);
  absl::Status Apply(const NodeLost& e);
  absl::Status Apply(const NodeDrained& e);
  absl::Status Apply(const AttemptStarted& e);
  absl::Status Apply(const AttemptEnded& e);
  absl::Status Apply(const ForecastIssued& e);
  absl::Status Apply(const IntensityObserved& e);
  absl::Status Apply(const PolicyChanged& e);
  absl::Status Apply(const SuspendDeclined& e);
  absl::Status Apply(const ResizeAsked& e);
  absl::Status Apply(const PricesPublished& e);
  absl::Status Apply(const ProjectsAgreed& e);
  absl::Status Apply(const EmissionsBooked& e);
  absl::Status Apply(const Tick& e);

  // --- engine_actions.cc
  bool Fits(JobRef job, PoolId pool, uint32_t count) const override;
  bool CouldFit(JobRef job, PoolId pool, uint32_t count) const override;
  bool Start(JobRef job, PoolId pool, const Reason& reason,
             uint32_t count) override;
  void Defer(JobRef job, absl::Time until, PoolId pool,
             const Reason& reason) override;
  void Wait(JobRef job, const Reason& reason) override;
  void Suspend(JobRef job, const Reason& reason) override;
  void Resize(JobRef job, uint32_t count, const Reason& reason) override;
  void WakeAt(absl::Time t) override;
  bool Explains() const override { return options_.explain; }

  // --- engine.cc
  void EvictEnded();
  void WakeDeferred();
  void Decide();
  PolicyInput Input() const;
  bool StillStands(const DueHeap::Entry& entry) const;

  // --- engine_arrays.cc: of a limited array only so many jobs are let through
  // to the queue; the others are blocked, and follow as those end.
  void JoinArray(JobId id, const ArrayLimit& limit);
  // Whether the job may enter the queue. If not, it has its place in the line.
  bool EnterArray(JobId id);
  // The job ended or is held: the next may follow.
  void LeaveArray(JobRef ref);
  // It is held by a budget: others may have its place.
  void GiveUpPlace(JobId id);
  void RestoreInArray(JobRef ref, const ArrayLimit& limit);

  // --- engine_projects.cc
  // What a job is expected to emit from `from` on at `pool`.
  GramsCo2e Expected(const Job& job, PoolId pool, absl::Time from) const;
  GramsCo2e ExpectedAtOnce(const Job& job) const;
  void Expect(JobRef ref, PoolId pool, absl::Time from);
  // Whether its project's budget has room for a job that is to queue; marks it
  // as held if not.
  bool Admit(JobRef ref);
  // A job held by a budget queues.
  void LetGo(JobRef ref);
  // It is no longer held by, nor expected in, its project's budget.
  void DropBudgetHold(JobRef ref);
  void ReleaseWithinBudgets();
  void WeighContention();
  void NoteDeferral(JobRef ref, const Reason& reason);
  void ForgetElsewhere(JobId job);

  // --- engine_restore.cc
  absl::Status RestoreNode(const RestoredNode& node);
  absl::Status RestoreJob(RestoredJob job);

  // Moves a job along the lifecycle. REQUIRES: legal.
  void Move(JobRef ref, Trigger trigger);
  absl::Status TryMove(JobRef ref, Trigger trigger);
  void MarkChanged(JobRef ref);
  // A key of 0: by how long it has queued so far.
  void Enqueue(JobRef ref, uint64_t key = 0);
  // Takes a waiting job out of wherever it waits. Its state is not touched.
  void Unlink(JobRef ref);
  // The same, keeping in its key for how long it has queued.
  void SetAside(JobRef ref);
  // Frees what the job holds. Returns its run as it was.
  Run ReleaseRun(JobRef ref);
  // The job holds what `run` says. REQUIRES: its nodes are taken.
  void AttachRun(JobRef ref, RunRef run);
  void Finish(JobRef ref);  // it is terminal: dependants, eviction
  void SettleDependants(JobId id, bool succeeded);
  // The running attempt is over: the job queues again (or is cancelled or
  // held, where that was wanted).
  void Requeue(JobRef ref);
  // Whether the job, which has just stopped, was to be held; if so, it is.
  bool HoldIfWanted(JobRef ref);
  // The same after an attempt that was lost, having run for `ran`.
  void RequeueLost(JobRef ref, PoolId pool, absl::Duration ran);
  void Suspended(JobRef ref);
  // A suspended job waits in the queue instead, where it stood before it ran.
  void QueueSuspended(JobRef ref);
  void LearnCheckpoint(Job& job, absl::Duration cost);
  bool AskToSuspend(JobRef ref, uint32_t resize_to);
  void GoOnResized(JobRef ref, const Run& before);
  absl::StatusOr<JobRef> FindJob(JobId id) const;
  // The job, if it holds capacity in this epoch.
  absl::StatusOr<JobRef> FindAttempt(JobId id, Epoch epoch) const;
  // With `count` accelerators; 0: its own.
  static Demand DemandOf(const JobShape& shape, uint32_t count) {
    return {.count = count != 0 ? count : shape.count,
            .nodes = shape.nodes,
            .container = shape.container};
  }
  PoolId BaselinePool(const JobShape& shape) const;
  absl::Status CheckSubmission(const JobSubmitted& e) const;
  bool CouldEverFit(const JobShape& shape) const;
  void Record(JobRef ref, DecisionKind kind, const Reason& reason,
              absl::Time until = absl::InfiniteFuture());

  Topology topology_;
  std::unique_ptr<Policy> policy_;
  PolicyFactory factory_;
  EngineOptions options_;
  std::unique_ptr<RuntimeBeliefs> beliefs_;
  bool learns_ = false;

  PlacementTable placements_;
  ShapeTable shapes_;
  JobTable jobs_;
  Slab<Run> runs_;
  std::optional<FairShare> shares_;
  ReadyQueue queue_;
  DueHeap timers_;  // of deferred jobs
  std::vector<PoolUse> pools_;
  std::vector<NodePacker> packers_;
  std::vector<std::vector<RunRef>> running_;
  std::vector<JobRef> suspended_;  // by id
  // Where projects have shares: jobs that were put off with room claimed, and
  // those put off because a pool is full, by job and how many by pool.
  absl::flat_hash_map<JobId, FairShare::Claimed> claims_;
  absl::flat_hash_map<JobId, PoolId> elsewhere_;
  std::vector<uint32_t> wanted_;
  Budgets budgets_;
  absl::flat_hash_map<NodeId, PoolId> node_pools_;
  absl::flat_hash_map<JobId, std::vector<JobId>> after_;  // still unmet
  absl::flat_hash_map<JobId, std::vector<JobId>> dependants_;
  struct LimitedArray {
    uint32_t at_most = 0;
    uint32_t members = 0;  // live ones
    uint32_t inside = 0;   // of them, let through
    absl::btree_set<JobId> line;
  };
  struct ArrayMember {
    JobId array;
    bool inside = false;
  };
  absl::flat_hash_map<JobId, LimitedArray> arrays_;  // by the array's id
  absl::flat_hash_map<JobId, ArrayMember> in_array_;
  GridView grid_;

  absl::Time now_ = absl::InfinitePast();
  absl::Time policy_wake_ = absl::InfiniteFuture();
  bool stepped_ = false;
  bool cold_ = true;
  // What changed in this step, for the policy.
  bool deciding_ = false;
  std::vector<JobRef> ready_, woken_;
  std::vector<JobId> gone_;
  bool capacity_freed_ = false;
  bool forecast_changed_ = false;
  std::vector<JobRef> ended_;    // evicted at the next step
  std::vector<JobRef> changed_;  // those of Effects::changed
  Effects effects_;
  PolicyInput input_;  // of Decide; what it refers to stands above
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_ENGINE_STATE_H_
