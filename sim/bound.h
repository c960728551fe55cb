// A certified lower bound on the carbon of any schedule of an instance.
// SPDX-License-Identifier: Apache-2.0
//
//   BoundInstance instance;
//   instance.pools.push_back({.grid_power = topology.GridPower(pool, 1),
//                             .capacity = 300, .intensity = &actual});
//   instance.jobs.push_back({.release = t, .runtime = absl::Hours(3), ...});
//   ASSIGN_OR_RETURN(BoundResult bound, CarbonBound(instance, {}));
//
// Lagrangian relaxation of the capacity of each (pool, hour): with any prices
// λ ≥ 0, Σ_j (cheapest plan of j under carbon + λ) − Σ λ·capacity is at most
// the carbon of the best schedule that keeps capacity and promises, when all
// is known in advance. Prices are raised where plans crowd by Polyak's steps;
// the figure returned is the best of those evaluated, each of them a bound.
// What is relaxed, so that it can only be too low: packing on nodes, moving
// bytes, and, for suspendable and elastic jobs, that a stretch be longer than
// its own overheads, and that a plan do all of the work: some plans of a job
// may do less of it, if others do more (stretch_response.h,
// elastic_response.h).
#ifndef CCSCHED_SIM_BOUND_H_
#define CCSCHED_SIM_BOUND_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/forecast.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/speedup.h"

namespace ccsched {

struct BoundPool {
  Watts grid_power;       // of one accelerator at work, PUE included
  uint32_t capacity = 0;  // accelerators; kUnlimited: no limit
  // The actual intensity. Not owned; not null.
  const Forecast* intensity = nullptr;
};

struct BoundJob {
  absl::Time release;
  absl::Duration runtime;  // useful work, at `count` accelerators
  // The promise; infinite where there is none.
  absl::Time latest_end = absl::InfiniteFuture();
  uint32_t count = 1;
  // Elastic if not 0: it has from `least` to `most` accelerators, and takes
  // another width at any time, for a checkpoint and a restart.
  uint32_t least = 0;
  uint32_t most = 0;
  const Speedup* speedup = nullptr;  // not owned; null: linear
  std::vector<uint16_t> pools;  // allowed, indices into BoundInstance::pools
  bool suspendable = false;     // it may pause, and go on elsewhere
  absl::Duration checkpoint = absl::ZeroDuration();
  absl::Duration restart = absl::ZeroDuration();

  bool elastic() const { return most > 0; }
  uint32_t widest() const { return elastic() ? most : count; }
};

struct BoundInstance {
  std::vector<BoundPool> pools;
  std::vector<BoundJob> jobs;
  // Nothing may run beyond it. Infinite: what was not promised an end may
  // wait until the end of the shortest intensity series.
  absl::Time horizon = absl::InfiniteFuture();
};

struct BoundOptions {
  int max_rounds = 1500;
  // Stop when this many rounds have raised the bound by less than
  // `tolerance` of itself.
  double tolerance = 2e-5;
  int patience = 150;
};

struct BoundResult {
  GramsCo2e carbon;
  int rounds = 0;
};

// Returns the bound. Errors: InvalidArgument naming the job's index where a
// job has no pool, a runtime that is negative or not finite, widths that don't
// hold its own, or can't keep its promise even alone; or the pool without
// intensity.
absl::StatusOr<BoundResult> CarbonBound(const BoundInstance& instance,
                                        const BoundOptions& options);

}  // namespace ccsched

#endif  // CCSCHED_SIM_BOUND_H_
