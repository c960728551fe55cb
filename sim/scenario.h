// A scenario as it will be played: read from YAML, checked, files loaded.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(Scenario scenario, LoadScenario("philly.yaml", {}));
//   ASSIGN_OR_RETURN(Workload jobs, LoadWorkload(scenario, {}));
//   ASSIGN_OR_RETURN(SimResult result,
//                    Simulate(scenario, jobs, scenario.policies[0], {}));
#ifndef CCSCHED_SIM_SCENARIO_H_
#define CCSCHED_SIM_SCENARIO_H_

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
#include "scheduler/model/cluster.h"

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
  double elastic_exponent = 1;  // speed at k times the count: k ^ this
  double state_gb = 0;          // per accelerator
  Placement placement;          // the pools that jobs may use
};

// How the pool is made up.
struct PoolSize {
  uint32_t count = 0;      // kUnlimited: as many as one asks for
  uint32_t node_size = 0;  // 0: the pool is one node
};

// A forecast as it becomes known.
struct ForecastIssue {
  absl::Time at;
  RegionId region;
  std::shared_ptr<const Forecast> forecast;
};

// The truth about a region, and what was known of it in advance.
struct RegionData {
  StepSeries actual;  // gCO2e/kWh
  std::string file;
};

// One entry of the scenario's policies.
struct PolicyRun {
  std::string label;  // unique; the name where no other was given
  std::string name;
  PolicyParameters parameters;
  RuntimeKnowledge runtime = RuntimeKnowledge::kKnown;
};

struct Scenario {
  std::string name;
  std::string path;
  absl::Time start;
  absl::Time end = absl::InfiniteFuture();  // of submissions
  std::optional<absl::Time> horizon;
  Topology topology;
  std::vector<PoolSize> pool_sizes;  // by PoolId
  std::vector<RegionData> regions;   // by RegionId
  // In the order of their times; shared by all runs.
  std::vector<ForecastIssue> forecasts;
  WorkloadSpec jobs;
  std::vector<PolicyRun> policies;
  double network_gbit_per_s = 0;  // 0: moving takes no time
};

struct ScenarioOptions {
  std::vector<std::string> set;  // "jobs.defaults.max_delay=48h"
  // Names or labels of the list, or "name:parameter=value,..."; empty: all of
  // the list.
  std::vector<std::string> policies;
  uint64_t seed = 1;  // of forecast noise
};

// Reads, checks and loads. Relative paths are relative to the scenario's file.
// Errors: InvalidArgument or NotFound, "file:line: …", for unknown keys, values
// out of range, missing files, gaps in a series and unknown policies.
absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      const ScenarioOptions& options);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCENARIO_H_
