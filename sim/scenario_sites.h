// Loads a scenario's sites and pools: hourly PUE and power caps. Internal.
// SPDX-License-Identifier: Apache-2.0
//
// Hourly PUE: emissions and energy are exact integrals of PUE × intensity; a
// policy is told the mean of the PUE from start to end, as an operator would
// write it down.
//
// Power cap: of a site, its cooling included. Accelerators (where a pool has a
// node_size: whole nodes) are switched off, the same share in each pool, until
// all that are left could work at once, at the worst PUE on file, without
// drawing more than the cap. What is switched off draws nothing, holds no job
// and is no part of utilisation.
#ifndef CCSCHED_SIM_SCENARIO_SITES_H_
#define CCSCHED_SIM_SCENARIO_SITES_H_

#include "absl/status/status.h"
#include "ccsched/v1/scenario.pb.h"
#include "scheduler/wire/yaml.h"
#include "sim/scenario.h"

namespace ccsched {

// Fills topology.sites, topology.pools, pool_sizes and site_power of
// `scenario`, whose regions are loaded. Errors: InvalidArgument "file:line: …".
absl::Status LoadSites(const ccsched::v1::Scenario& proto,
                       const YamlSource& source, Scenario& scenario);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCENARIO_SITES_H_
