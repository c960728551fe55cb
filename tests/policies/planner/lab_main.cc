// Measures bound, offline plan and live planner on trace instances.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_lab [key=value]... : zones=4|6, capacity=, delay=, start=, days=,
//   keep=, suspend=0|1, rounds=, mode=bound|offline|live
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>

#include "policies/planner/pricing.h"
#include "tests/policies/planner/lab_load.h"

namespace ccsched {
namespace {

double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

int Main(int argc, char** argv) {
  std::map<std::string, std::string> args = {
      {"zones", "4"},    {"capacity", "300"}, {"delay", "24"},
      {"days", "28"},    {"keep", "1"},       {"suspend", "0"},
      {"rounds", "600"}, {"mode", "bound"},   {"start", "2021-10-03"},
      {"weeks", "209"}};
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    args[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
  }
  LabSetup setup;
  const char* traces = std::getenv("CCSCHED_TRACES");
  setup.traces = traces != nullptr ? traces : "../shared/traces";
  setup.zones = {"US-MIDA-PJM", "US-TEX-ERCO", "DE", "US-CAL-CISO"};
  if (args["zones"] == "6") {
    setup.zones.push_back("GB");
    setup.zones.push_back("CA-ON");
  }
  setup.capacity = std::stod(args["capacity"]);
  setup.delay_hours = std::stod(args["delay"]);
  setup.days = std::stoi(args["days"]);
  setup.keep = std::stod(args["keep"]);
  setup.suspendable = args["suspend"] == "1";
  setup.shift_weeks = std::stoi(args["weeks"]);
  setup.start = args["start"] + "T00:00:00Z";
  const PlanInstance plan = LoadLab(setup);
  double hours = 0;
  for (const PlanJob& job : plan.jobs)
    hours += job.count * (job.duration / 3.6e9);
  std::printf("jobs %zu gpu-hours %.0f slots %d\n", plan.jobs.size(), hours,
              plan.slots);
  double before = CpuSeconds();
  Pricing pricing(plan);
  const int rounds = std::stoi(args["rounds"]);
  for (int done = 0; done < rounds; done += rounds) {
    pricing.Ascend({.rounds = rounds, .hope = 0.05, .least_hope = 1e-7});
    std::printf("rounds %d bound %.4f t  cpu %.2f s\n", pricing.rounds(),
                pricing.best_bound() / 1e6, CpuSeconds() - before);
  }
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
