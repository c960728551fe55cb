// Simulates one scenario by one policy and prints its main figures.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_sim SCENARIO.yaml POLICY[:parameter=value,...] [BOUND_TONNES]
//       [--set path=value]...
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

int Main(int argc, char** argv) {
  std::vector<std::string> words;
  ScenarioOptions options;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--set" && i + 1 < argc) {
      options.set.push_back(argv[++i]);
    } else {
      words.push_back(argv[i]);
    }
  }
  if (words.size() < 2) return 2;
  options.policies = {words[1]};
  const auto scenario = LoadScenario(words[0], options);
  if (!scenario.ok()) {
    std::fprintf(stderr, "%s\n", scenario.status().ToString().c_str());
    return 2;
  }
  const auto workload = LoadWorkload(*scenario, {});
  if (!workload.ok()) {
    std::fprintf(stderr, "%s\n", workload.status().ToString().c_str());
    return 2;
  }
  const auto result =
      Simulate(*scenario, **workload, scenario->policies[0], {});
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    return 1;
  }
  const double tonnes = result->co2e.value() / 1e6;
  const double bound = words.size() > 2 ? std::stod(words[2]) : 0;
  std::printf(
      "%s: %.7g t, gap %.2f %%, unfinished %d, late %d, wait %.2f h, "
      "suspended %d, moves %d, steps %d, decide %.1f s, cpu %.1f s\n",
      words[1].c_str(), tonnes, bound > 0 ? 100 * (tonnes / bound - 1) : 0.0,
      static_cast<int>(result->unfinished),
      static_cast<int>(result->promises_broken),
      absl::ToDoubleHours(result->wait_mean),
      static_cast<int>(result->suspensions), static_cast<int>(result->moves),
      static_cast<int>(result->steps),
      absl::ToDoubleSeconds(result->decide_cpu),
      absl::ToDoubleSeconds(result->cpu));
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
