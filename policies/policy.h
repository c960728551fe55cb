// What a policy sees and what it may say. Everything that decides, live and
// simulated, is behind this interface.
// SPDX-License-Identifier: Apache-2.0
//
//   class Greedy : public Policy {
//     void Decide(const PolicyInput& in, Actions& actions) override {
//       for (JobRef job : in.ready) {
//         for (PoolId pool : in.placement(job)) {
//           if (actions.Start(job, pool, {.code = ReasonCode::kFirstFit}))
//           break;
//         }
//       }
//     }
//   };
//
// A policy is deterministic: it has no clock, no randomness but seeded, and
// depends on no order but those named here. It may remember (prices, plans),
// but must give a correct answer from a cold start. Deciding costs what
// changed, not what exists: PolicyInput refers to indexed state, and says what
// has changed since the last call.
#ifndef CCSCHED_POLICIES_POLICY_H_
#define CCSCHED_POLICIES_POLICY_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/carbon/forecast.h"
#include "scheduler/carbon/price_series.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/intern.h"
#include "scheduler/model/job.h"
#include "scheduler/model/job_table.h"
#include "scheduler/model/ready_queue.h"
#include "scheduler/model/reason.h"

namespace ccsched {

// How much is in use at one pool. Silent, lost and drained nodes count in
// neither number.
struct PoolUse {
  uint32_t total = 0;  // accelerators that may be used
  uint32_t free = 0;   // of them, unoccupied
};

// What is known of the grids: one forecast a region, null where there is none,
// and its electricity prices, null where none are known.
struct GridView {
  std::vector<std::shared_ptr<const Forecast>> forecasts;
  std::vector<std::shared_ptr<const PriceSeries>> prices;
  // Nothing may run beyond it (a simulation with a horizon).
  std::optional<absl::Time> horizon;

  // What intensity was in the last weeks, as far as it was told; null where it
  // was not. A forecast's errors show beside it.
  std::vector<std::shared_ptr<const StepSeries>> observed;

  const Forecast* forecast(RegionId region) const {
    return region.value() < forecasts.size() ? forecasts[region.value()].get()
                                             : nullptr;
  }
  const PriceSeries* price(RegionId region) const {
    return region.value() < prices.size() ? prices[region.value()].get()
                                          : nullptr;
  }
};

// How long a job will still run, as far as anybody can tell.
struct RuntimeBelief {
  absl::Duration mean;
  absl::Duration p50;
  absl::Duration p90;
  bool known = false;     // exact
  bool informed = false;  // from the user or history, not a mere default
};

// What may be left of a job, and how likely that is.
struct RuntimeShare {
  absl::Duration left;
  double share = 0;
};

class RuntimeBeliefs {
 public:
  virtual ~RuntimeBeliefs() = default;
  // What is left of a job that has done `executed` of its work already.
  virtual RuntimeBelief Remaining(const Job& job, const JobShape& shape,
                                  absl::Duration executed) const = 0;
  // The same as a distribution: some tens of lengths, in no order, whose shares
  // sum to one. By default all of it at the mean.
  virtual void Spread(const Job& job, const JobShape& shape,
                      absl::Duration executed,
                      std::vector<RuntimeShare>& shares) const {
    shares.assign(1, {Remaining(job, shape, executed).mean, 1});
  }
  // Whether it learns from what follows; if not, that may be left out.
  virtual bool Learns() const { return true; }
  // A job ended after `runtime` of work: by itself if `completed`, else cut
  // short (it would have run longer). What a learner learns from.
  virtual void Observe(const Job& job, const JobShape& shape,
                       absl::Duration runtime, bool completed) {
    static_cast<void>(job), static_cast<void>(shape);
    static_cast<void>(runtime), static_cast<void>(completed);
  }
  // An attempt does useful work from `at` on, beside what the job has executed.
  virtual void Began(const Job& job, const JobShape& shape, absl::Time at) {
    static_cast<void>(job), static_cast<void>(shape), static_cast<void>(at);
  }
  // An attempt ended before the job did, which has executed so much by now.
  virtual void Paused(const Job& job, const JobShape& shape) {
    static_cast<void>(job), static_cast<void>(shape);
  }
  // It is `now`. Called before anything else of a step is.
  virtual void Advance(absl::Time now) { static_cast<void>(now); }
};

// A read-only view of now. All references are valid during one Decide.
struct PolicyInput {
  absl::Time now;
  const Topology& topology;
  const PlacementTable& placements;
  const ShapeTable& shapes;
  const JobTable& jobs;
  const ReadyQueue& queue;  // the jobs in state kQueued
  const Slab<Run>& runs;
  // Of each pool: its use, and the attempts that hold some of it.
  absl::Span<const PoolUse> pools;
  absl::Span<const std::vector<RunRef>> running;
  // Suspended jobs, by id; none where the policy does not take them up.
  absl::Span<const JobRef> suspended;
  const GridView& grid;
  const RuntimeBeliefs& runtimes;

  // What has changed since the last Decide:
  absl::Span<const JobRef> ready;  // entered the queue, in queue order
  absl::Span<const JobRef> woken;  // of these, those whose deferral is over
  absl::Span<const JobId> gone;   // ended, cancelled or held: not to be planned
  bool capacity_freed = false;    // somewhere there is more room than before
  bool forecast_changed = false;  // or prices
  bool cold = false;              // the first call: everything is new

  const JobShape& shape(JobRef job) const { return shapes[jobs[job].shape]; }
  const Placement& placement(JobRef job) const {
    return placements[shape(job).placement];
  }
  const Forecast* forecast(PoolId pool) const {
    return grid.forecast(topology.region(pool));
  }
  const PriceSeries* price(PoolId pool) const {
    return grid.price(topology.region(pool));
  }
  RuntimeBelief remaining(JobRef job) const {
    const Job& j = jobs[job];
    return runtimes.Remaining(j, shapes[j.shape], j.executed);
  }
  // The latest start of a rigid job, or resumption of a suspended one, that
  // keeps its promise if it then runs for `remaining` without a pause.
  // InfiniteFuture where nothing was promised.
  absl::Time LatestStart(JobRef job, absl::Duration remaining) const;
  // The same for what is `believed` of its runtime (&RuntimeBelief::mean). That
  // takes long to find out, and is asked for only where a promise depends on
  // it.
  template <typename Believed>
  absl::Time LatestStart(JobRef job, Believed believed) const {
    const bool depends = jobs[job].spec.finish_by < absl::InfiniteFuture();
    return LatestStart(job, depends ? std::invoke(believed, remaining(job))
                                    : absl::ZeroDuration());
  }
};

// What a policy may do. Each call is checked and done at once, so that the
// next call and the next look at PolicyInput::pools see its result. A job that
// gets no call stays as it is: queued, running or suspended.
class Actions {
 public:
  virtual ~Actions() = default;
  // Whether `count` accelerators (the job's own count if 0) are free for the
  // job at `pool`, packed on nodes as it needs.
  virtual bool Fits(JobRef job, PoolId pool, uint32_t count = 0) const = 0;
  // Whether the pool could hold the job if it were empty.
  virtual bool CouldFit(JobRef job, PoolId pool, uint32_t count = 0) const = 0;
  // Starts a queued job, or takes up a suspended one, at an allowed pool.
  // Returns whether it fitted; if not, nothing has happened.
  virtual bool Start(JobRef job, PoolId pool, const Reason& reason,
                     uint32_t count = 0) = 0;
  // Takes a queued job out of the queue until `until`, meaning to run it at
  // `pool` then. REQUIRES: until > now.
  virtual void Defer(JobRef job, absl::Time until, PoolId pool,
                     const Reason& reason) = 0;
  // Says why a queued job waits; only for explanations.
  virtual void Wait(JobRef job, const Reason& reason) = 0;
  // Asks a running, suspendable job to save its state and stop.
  virtual void Suspend(JobRef job, const Reason& reason) = 0;
  // Asks a running, elastic job to go on with `count` accelerators.
  virtual void Resize(JobRef job, uint32_t count, const Reason& reason) = 0;
  // Asks to be called again at `t` at the latest.
  virtual void WakeAt(absl::Time t) = 0;
  // Whether anybody keeps the reasons; if not, what is weighed only for them
  // may be left out.
  virtual bool Explains() const { return true; }
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual void Decide(const PolicyInput& input, Actions& actions) = 0;
  // Whether it starts suspended jobs again by itself. Under one that does not,
  // jobs that another policy suspended queue again.
  virtual bool TakesUpSuspended() const { return false; }
  // Where the policy would now run this job, its choice first, then the best
  // start of each other allowed pool; changes nothing. The default weighs
  // starting now against the start of least forecast emission at each pool,
  // within the promise. For `--dry-run` and `why`.
  virtual std::vector<Choice> Offers(const PolicyInput& input, const Job& job,
                                     const JobShape& shape) const;
};

struct ParameterSpec {
  std::string name;
  std::string unit;  // "" for a plain number
  double default_value = 0;
  double min = 0;
  double max = 0;
  std::string doc;
  std::string source;
};
using PolicyParameters = std::map<std::string, double>;

// What the registry knows of a policy.
struct PolicySpec {
  std::string name;
  std::string summary;  // one line
  std::string doc;      // what it does, and where it was published
  std::vector<ParameterSpec> parameters;
  // Published for jobs whose length is given: where a simulation tells policies
  // the mean length of a job's class, it tells this one the job's own. Changes
  // nothing where runtimes are learnt or all known.
  bool given_lengths = false;
  // Gets every parameter, defaults filled in and ranges checked.
  std::function<std::unique_ptr<Policy>(const PolicyParameters&)> make;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_POLICY_H_
