// Which of the values set on the command line no job of a scenario uses.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_UNUSED_SETTINGS_H_
#define CCSCHED_SIM_UNUSED_SETTINGS_H_

#include <string>
#include <vector>

#include "sim/scenario.h"

namespace ccsched {

// Of `assignments` ("jobs.defaults.max_delay=48h", as in ScenarioOptions::set)
// those that change nothing in the scenario that was loaded with them, each
// with why and what would change something: "jobs.defaults.max_delay
// changes nothing: …". Who sets a value and sees the same figures would
// otherwise believe that it does not matter.
std::vector<std::string> UnusedSettings(
    const Scenario& scenario, const std::vector<std::string>& assignments);

}  // namespace ccsched

#endif  // CCSCHED_SIM_UNUSED_SETTINGS_H_
