// Which of the values set on the command line no job of a scenario uses.
// SPDX-License-Identifier: Apache-2.0
#include "sim/unused_settings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ccsched {
namespace {

bool EveryClassHasItsOwnDelay(const WorkloadSpec& jobs) {
  return std::all_of(jobs.classes.begin(), jobs.classes.end(),
                     [](const JobClassSpec& c) { return c.own_max_delay; });
}

std::string ClassDelays(const WorkloadSpec& jobs) {
  std::string paths;
  for (size_t i = 0; i < jobs.classes.size(); ++i) {
    const std::string& name = jobs.classes[i].name;
    absl::StrAppend(&paths, paths.empty() ? "" : ", ", "jobs.classes.",
                    name.empty() ? absl::StrCat(i) : name, ".max_delay");
  }
  return paths;
}

bool EveryPolicyHasItsOwnRuntime(const std::vector<PolicyRun>& policies) {
  return std::all_of(policies.begin(), policies.end(),
                     [](const PolicyRun& run) { return run.own_runtime; });
}

// Why nothing comes of the value at `path`; "" if something may.
std::string WhyUnused(const Scenario& scenario, const std::string& path) {
  const WorkloadSpec& jobs = scenario.jobs;
  const bool stopped = jobs.suspendable || jobs.elastic() || scenario.faults;
  const bool moving_costs = scenario.network_gbit_per_s > 0 ||
                            scenario.network_kwh_per_gb > 0 ||
                            scenario.network_price_per_gb.has_value();
  if (path == "jobs.defaults.max_delay" && EveryClassHasItsOwnDelay(jobs)) {
    return absl::StrCat("every class of jobs has its own; set ",
                        ClassDelays(jobs));
  }
  if ((path == "jobs.defaults.checkpoint" || path == "jobs.defaults.restart") &&
      !stopped) {
    return "jobs are not suspendable; set jobs.defaults.suspendable=true, too";
  }
  if (path == "jobs.defaults.elastic_exponent" && !jobs.elastic()) {
    return "jobs are not elastic; set jobs.defaults.elastic=0.5:2, say, too";
  }
  if (path == "jobs.defaults.state_gb" && !moving_costs) {
    return "moving takes nothing; set network.gbit_per_s or "
           "network.kwh_per_gb, too";
  }
  if (path.rfind("network.", 0) == 0 && jobs.state_gb == 0) {
    return "jobs have no state to move; set jobs.defaults.state_gb, too";
  }
  if (path == "jobs.defaults.runtime" &&
      EveryPolicyHasItsOwnRuntime(scenario.policies)) {
    return "every policy that is played has its own";
  }
  return "";
}

}  // namespace

std::vector<std::string> UnusedSettings(
    const Scenario& scenario, const std::vector<std::string>& assignments) {
  std::vector<std::string> unused;
  for (const std::string& assignment : assignments) {
    const std::string path = assignment.substr(0, assignment.find('='));
    const std::string why = WhyUnused(scenario, path);
    if (why.empty()) continue;
    std::string said = absl::StrCat(path, " changes nothing: ", why);
    if (std::find(unused.begin(), unused.end(), said) == unused.end()) {
      unused.push_back(std::move(said));
    }
  }
  return unused;
}

}  // namespace ccsched
