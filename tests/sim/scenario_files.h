// Small scenarios written into a temporary folder, and runs of them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_SIM_SCENARIO_FILES_H_
#define CCSCHED_TESTS_SIM_SCENARIO_FILES_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/command.h"
#include "tests/temporary_folder.h"

namespace ccsched::testing {

struct SmallScenario {
  int jobs = 400;
  double days = 3;
  uint64_t seed = 1;
  int accelerators = 24;  // a site
  int node_size = 0;
  bool suspendable = false;
  std::string runtime = "known";
  std::string max_delay = "12h";
  std::string forecast = "perfect";
  std::string defaults;  // more of them: "elastic: 0.5:2, state_gb: 10"
  std::string site;      // more of each site: "cap_watts: 5000"
  std::string pue = "pue: 1.2";
  std::string more;  // lines at the end
};
// Three sites on synthetic grids, synthetic jobs of at most 16 accelerators.
// Returns the scenario's path.
std::string WriteSmallScenario(const TemporaryFolder& folder,
                               const SmallScenario& small);

// All of a run: its exit status, what it printed, its error.
struct Ran {
  bool ok = false;
  std::string error;
  std::string out;
  nlohmann::json json;  // of -o json
};
Ran RunScenario(SimRunOptions options);

// The folder of the real traces, or "" where it is not there.
std::string TracesFolder();
// A scenario of the contract, or "".
std::string ContractScenario(const std::string& name);

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_SIM_SCENARIO_FILES_H_
