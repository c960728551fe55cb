// The certified bound of a scenario.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_bound.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "scheduler/base/status.h"
#include "sim/bound.h"
#include "sim/forecasts.h"

namespace ccsched {
namespace {

// What an hour of one accelerator at work emits at most anywhere.
GramsCo2e MostAnHour(const BoundInstance& instance) {
  GramsCo2e most(0);
  for (const BoundPool& pool : instance.pools) {
    const KilowattHours energy = pool.grid_power * absl::Hours(1);
    for (const double intensity : pool.intensity->series().values()) {
      most = std::max(most, energy * GramsPerKwh(intensity));
    }
  }
  return most;
}

// How long the job can hold an accelerator: one that may pause or change its
// width all its window, for what it saves and restores; without a promise it
// can wait for all others and run in one go.
double MostHours(const BoundJob& job) {
  const bool in_one = (!job.suspendable && !job.elastic()) ||
                      job.latest_end == absl::InfiniteFuture();
  const absl::Duration longest =
      in_one ? job.runtime : job.latest_end - job.release;
  return absl::ToDoubleHours(longest) * job.widest();
}

}  // namespace

absl::StatusOr<std::optional<GramsCo2e>> ScenarioBound(
    const Scenario& scenario, const Workload& workload) {
  const WorkloadSpec& spec = scenario.jobs;
  const Topology& topology = scenario.topology;
  BoundInstance instance;
  std::deque<Forecast> actuals;
  const absl::Time until =
      scenario.horizon ? *scenario.horizon : absl::InfiniteFuture();
  for (size_t i = 0; i < topology.pools.size(); ++i) {
    const PoolId pool(i);
    const SiteId site = topology.pools[i].site;
    const SitePower& power = scenario.site_power[site.value()];
    const bool hourly = !power.pue.empty();
    const StepSeries& series =
        hourly ? power.carbon
               : scenario.regions[topology.region(pool).value()].actual;
    actuals.emplace_back(scenario.start, Cut(series, scenario.start, until));
    instance.pools.push_back({.grid_power = hourly
                                                ? topology.pools[i].active
                                                : topology.GridPower(pool, 1),
                              .capacity = scenario.pool_sizes[i].count,
                              .intensity = &actuals.back()});
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
    const uint32_t least = spec.elastic() ? spec.least(job->count) : job->count;
    for (const PoolId pool : spec.placement) {
      if (CouldHold(scenario.pool_sizes[pool.value()], least)) {
        b.pools.push_back(pool.value());
      }
    }
    b.suspendable = spec.suspendable;
    b.checkpoint = spec.checkpoint;
    b.restart = spec.restart;
    if (spec.elastic()) {
      b.least = least;
      b.most = spec.most(job->count);
      b.speedup = &spec.speedup;
      // When it has saved its state for another width, its nodes may be gone.
      b.suspendable |= scenario.faults.has_value();
    }
    instance.jobs.push_back(std::move(b));
  }
  ASSIGN_OR_RETURN(const BoundResult bound, CarbonBound(instance, {}));
  double most_hours = 0;
  for (const BoundJob& job : instance.jobs) most_hours += MostHours(job);
  if (bound.carbon > MostAnHour(instance) * most_hours) return std::nullopt;
  return bound.carbon;
}

}  // namespace ccsched
