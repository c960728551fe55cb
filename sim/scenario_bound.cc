// The certified bound of a scenario.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_bound.h"

#include <deque>
#include <utility>

#include "scheduler/base/status.h"
#include "sim/bound.h"
#include "sim/forecasts.h"

namespace ccsched {

absl::StatusOr<GramsCo2e> ScenarioBound(const Scenario& scenario,
                                        const Workload& workload) {
  const WorkloadSpec& spec = scenario.jobs;
  const Topology& topology = scenario.topology;
  BoundInstance instance;
  std::deque<Forecast> actuals;
  const absl::Time until =
      scenario.horizon ? *scenario.horizon : absl::InfiniteFuture();
  for (const RegionData& region : scenario.regions) {
    actuals.emplace_back(scenario.start,
                         Cut(region.actual, scenario.start, until));
  }
  for (uint16_t i = 0; i < topology.pools.size(); ++i) {
    const PoolId pool(i);
    instance.pools.push_back(
        {.grid_power = topology.GridPower(pool, 1),
         .capacity = scenario.pool_sizes[i].count,
         .intensity = &actuals[topology.region(pool).value()]});
  }
  if (scenario.horizon) instance.horizon = *scenario.horizon;
  instance.jobs.reserve(workload.facts().jobs);
  ASSIGN_OR_RETURN(const auto source, workload.Open());
  for (;;) {
    ASSIGN_OR_RETURN(const SimJob* job, source->Next());
    if (job == nullptr) break;
    BoundJob b;
    b.release = absl::FromUnixMicros(job->submit_us);
    b.runtime = absl::Microseconds(job->duration_us);
    if (job->deadline_us() != kForeverUs) {
      b.latest_end = absl::FromUnixMicros(job->deadline_us());
    }
    b.count = job->count;
    if (spec.elastic_max > 1) {
      b.max_count = static_cast<uint32_t>(job->count * spec.elastic_max);
    }
    for (const PoolId pool : spec.placement) {
      if (CouldHold(scenario.pool_sizes[pool.value()], job->count)) {
        b.pools.push_back(pool.value());
      }
    }
    b.suspendable = spec.suspendable;
    b.checkpoint = spec.checkpoint;
    b.restart = spec.restart;
    instance.jobs.push_back(std::move(b));
  }
  ASSIGN_OR_RETURN(const BoundResult bound, CarbonBound(instance, {}));
  return bound.carbon;
}

}  // namespace ccsched
