// A scenario as it will be played: read from YAML, checked, files loaded.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(Scenario scenario, LoadScenario("philly.yaml", {}));
//   ASSIGN_OR_RETURN(Workload jobs, LoadWorkload(scenario, {}));
//   ASSIGN_OR_RETURN(SimResult result,
//                    Simulate(scenario, jobs, scenario.policies[0], {}));
#ifndef CCSCHED_SIM_SCENARIO_H_
#define CCSCHED_SIM_SCENARIO_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policies/policy.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/forecast.h"
#include "scheduler/carbon/price_series.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/project.h"
#include "scheduler/model/speedup.h"

namespace ccsched {

// What policies are told about how long a job runs.
enum class RuntimeKnowledge : uint8_t {
  kKnown,
  kLearned,    // nothing but what earlier jobs have shown
  kClassMean,  // the mean of the job's class over the whole trace
};

struct JobClassSpec {
  std::string name;
  absl::Duration shorter_than = absl::InfiniteDuration();
  absl::Duration max_delay = absl::InfiniteDuration();
  bool own_max_delay = false;  // it is not that of the defaults
};

// Which jobs, and what their trace does not say.
struct WorkloadSpec {
  std::string trace;  // path
  std::string format;
  std::string at;  // "file:line" where the scenario names the trace
  absl::Duration shift = absl::ZeroDuration();
  absl::Duration origin = absl::ZeroDuration();
  std::optional<absl::Duration> tick;
  absl::Duration max_delay = absl::InfiniteDuration();
  std::vector<JobClassSpec> classes;  // never empty
  bool suspendable = false;
  absl::Duration checkpoint = absl::ZeroDuration();
  absl::Duration restart = absl::ZeroDuration();
  RuntimeKnowledge runtime = RuntimeKnowledge::kKnown;
  double elastic_min = 1;  // multiples of a job's own count
  double elastic_max = 1;
  Speedup speedup;      // of elastic jobs
  double state_gb = 0;  // per accelerator
  Placement placement;  // the pools that jobs may use

  bool elastic() const { return elastic_min < 1 || elastic_max > 1; }
  // Between which a job of `count` accelerators may be resized.
  uint32_t least(uint32_t count) const {
    return std::max<uint32_t>(1, static_cast<uint32_t>(count * elastic_min));
  }
  uint32_t most(uint32_t count) const {
    return static_cast<uint32_t>(
        std::min<double>(count * elastic_max, kUnlimited));
  }
};

// How the pool is made up.
struct PoolSize {
  uint32_t count = 0;      // kUnlimited: as many as one asks for
  uint32_t node_size = 0;  // 0: the pool is one node
};

// What a site draws beyond a fixed PUE.
struct SitePower {
  // Where the PUE is hourly: itself, and PUE × intensity. Empty: topology's.
  StepSeries pue, carbon;
  std::string file;
};

// Nodes fail, each on its own: see sim/faults.h.
struct FaultSpec {
  absl::Duration node_mtbf;  // of one node
  absl::Duration repair;
  uint64_t seed = 1;
};

// A forecast as it becomes known.
struct ForecastIssue {
  absl::Time at;
  RegionId region;
  std::shared_ptr<const Forecast> forecast;
};

// Prices as they become known.
struct PriceIssue {
  absl::Time at;
  RegionId region;
  std::shared_ptr<const PriceSeries> prices;
};

// The truth about a region, and what was known of it in advance.
struct RegionData {
  StepSeries actual;      // gCO2e/kWh
  bool foreseen = false;  // all of it is forecast: there is nothing to learn
  std::string basis;      // see GridColumn; "": the file does not say
  std::string file;
  std::shared_ptr<const PriceSeries> price;  // of electricity; null: unknown
};

// One entry of the scenario's policies.
struct PolicyRun {
  std::string label;  // unique; the name where no other was given
  std::string name;
  PolicyParameters parameters;
  RuntimeKnowledge runtime = RuntimeKnowledge::kKnown;
  bool own_runtime = false;  // it is not that of the jobs
};

struct Scenario {
  std::string name;
  std::string path;
  std::vector<std::string> files;  // others that it is made of
  absl::Time start;
  absl::Time end = absl::InfiniteFuture();  // of submissions
  std::optional<absl::Time> horizon;
  Topology topology;
  std::vector<PoolSize> pool_sizes;   // by PoolId
  std::vector<RegionData> regions;    // by RegionId
  std::vector<SitePower> site_power;  // by SiteId
  // In the order of their times; shared by all runs.
  std::vector<ForecastIssue> forecasts;
  std::vector<PriceIssue> prices;
  WorkloadSpec jobs;
  std::vector<PolicyRun> policies;
  std::optional<FaultSpec> faults;
  std::vector<ProjectTerms> projects;  // without symbols
  std::optional<FairShareOptions> shares;
  double network_gbit_per_s = 0;  // 0: moving takes no time
  // Of moved state, half of it drawn at either end, no PUE.
  double network_kwh_per_gb = 0;
  std::optional<Money> network_price_per_gb;  // in the topology's currency
};

struct ScenarioOptions {
  std::vector<std::string> set;   // "jobs.defaults.max_delay=48h"
  std::vector<std::string> vary;  // the same, after these; a sweep's
  // Names or labels of the list, or "name:parameter=value,..."; empty: all of
  // the list.
  std::vector<std::string> policies;
  uint64_t seed = 1;  // of forecast noise and node failures
};

// "name" or "name:parameter=value,parameter=value". Errors: InvalidArgument for
// what is not so written, and for a policy that can't be made of it.
absl::StatusOr<PolicyRun> ParsePolicy(const std::string& text,
                                      RuntimeKnowledge runtime);

// Reads, checks and loads. Relative paths are relative to the scenario's file.
// Errors: InvalidArgument or NotFound, "file:line: …", for unknown keys, values
// out of range, missing files, gaps in a series and unknown policies.
absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      const ScenarioOptions& options);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCENARIO_H_
