// A second policy beside the live one: the same events, carried out on paper.
// SPDX-License-Identifier: Apache-2.0
//
//   Shadow shadow(setup, std::move(policy), factory);
//   shadow.Follow(step);          // after each step of the live engine
//   ShadowSummary s = shadow.Summary();
//
// It is an engine of its own whose effects go nowhere: starts, ends and
// suspensions are played here. How long a job runs is taken from the live
// cluster as soon as it ended there; until then the shadow believes what its
// policy would have believed. Pure and deterministic, like the engine.
#ifndef CCSCHED_SCHEDULER_CORE_SHADOW_H_
#define CCSCHED_SCHEDULER_CORE_SHADOW_H_

#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/core/engine.h"

namespace ccsched {

// The live cluster when the shadow begins.
struct ShadowSetup {
  Topology topology;
  std::optional<FairShareOptions> shares;
  std::unique_ptr<RuntimeBeliefs> beliefs;  // null: what each spec says
  std::vector<Placement> placements;        // all so far, in their order
  std::vector<RestoredNode> nodes;
  std::vector<NodeId> silent;
  std::vector<RestoredJob> jobs;
  GridView grid;
  std::vector<ProjectTerms> terms;
  absl::Time now;
};
// One step of the live engine.
struct ShadowStep {
  absl::Time now;
  std::vector<Event> events;          // those that were not refused
  std::vector<Placement> placements;  // new ones
  std::vector<StartAttempt> starts;
};

// A job's first start, here and there.
struct ShadowPlacement {
  JobId job;
  std::optional<std::pair<PoolId, absl::Time>> live, shadow;
};
struct ShadowSide {
  GramsCo2e co2e;       // predicted: power at work by the forecasts so far;
                        // of jobs of which it is known on both sides
  absl::Duration wait;  // summed
};
struct ShadowSummary {
  absl::Time since, until;
  // Jobs submitted since that ended on both sides; how many started at the same
  // place within a minute.
  uint64_t compared = 0, agreed = 0;
  uint64_t unknown = 0;                 // CO2e, of those compared
  ShadowSide live, shadow;              // of those compared
  uint64_t waiting = 0, running = 0;    // in the shadow, now
  std::vector<ShadowPlacement> latest;  // starts of the shadow, newest first
};

class Shadow {
 public:
  Shadow(ShadowSetup setup, std::unique_ptr<Policy> policy,
         PolicyFactory factory);

  // REQUIRES: steps in their order.
  void Follow(const ShadowStep& step);
  ShadowSummary Summary() const;

 private:
  // A stretch of running.
  struct Stretch {
    PoolId pool;
    uint32_t count = 0;
    absl::Time start, end;
  };
  struct Side {
    std::optional<std::pair<PoolId, absl::Time>> first;
    std::vector<Stretch> stretches;
    bool running = false;
    bool ended = false;
    absl::Time ended_at;
  };
  struct Watched {
    bool counted = false;  // submitted since the shadow began
    absl::Time submitted;
    absl::Duration executed;                // live, in earlier attempts
    std::optional<absl::Duration> runtime;  // once it ended in the live cluster
    Outcome outcome = Outcome::kSucceeded;
    bool cancelled = false;
    Side live, shadow;
    // Of the shadow's attempt.
    Epoch epoch;
    absl::Duration overhead;
    absl::Duration done;  // useful work of earlier attempts
    absl::Time due;       // its end, as it stands
    std::optional<Outcome> stopping;
  };

  void TakeLive(const ShadowStep& step);
  void LiveEnded(const AttemptEnded& e);
  void StepTo(absl::Time now, absl::Span<const Event> events);
  void Carry(absl::Time now, const Effects& effects);
  void AskToStop(JobId id, StopWhy why, absl::Time now);
  void SetDue(JobId id, Watched& job, absl::Time due);
  absl::Time DueOf(const Watched& job, JobId id, absl::Time now) const;
  // Ends what is due by `now`; appends what the engine is to be told.
  void EndDue(absl::Time now, std::vector<Event>& events);
  void SettleIfDone(JobId id);
  // Absent: a grid that it ran on is not known.
  std::optional<GramsCo2e> Predicted(const Side& side) const;

  Engine engine_;
  absl::flat_hash_map<JobId, Watched> jobs_;
  std::set<std::pair<absl::Time, JobId>> due_;
  std::deque<JobId> latest_;  // for Summary
  absl::flat_hash_map<JobId, ShadowPlacement> placements_;
  absl::Time wake_ = absl::InfiniteFuture();
  ShadowSummary summary_;
  uint64_t running_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_SHADOW_H_
