// Loads a scenario's regions: actual series, forecasts, prices. Internal.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SCENARIO_GRID_H_
#define CCSCHED_SIM_SCENARIO_GRID_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "ccsched/v1/scenario.pb.h"
#include "scheduler/wire/yaml.h"
#include "sim/scenario.h"

namespace ccsched {

// A path as the scenario in `file` names it.
std::string ResolvePath(const std::string& file, const std::string& path);

// Fills topology.regions, regions and forecasts of `scenario`, whose start, end
// and horizon are set. Errors: InvalidArgument "file:line: …".
absl::Status LoadRegions(const ccsched::v1::Scenario& proto,
                         const YamlSource& source, uint64_t seed,
                         Scenario& scenario);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCENARIO_GRID_H_
