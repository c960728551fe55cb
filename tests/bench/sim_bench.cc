// How many jobs a second the simulator plays, beside other simulators.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched-bench-sim [JOBS]
//
// CPU time of one thread, policies included, everything through the engine.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/status.h"
#include "sim/command.h"
#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/synthetic.h"

namespace ccsched {
namespace {

constexpr double kDays = 365;
// Source: the limit of a bare event loop on two such cores; GAIA's artefact
// on its year of 90,000 to 100,000 jobs.
constexpr char kPeers[] =
    "beside it: a bare event loop 14,000,000/s, with an hourly carbon hold "
    "2,600,000/s; GAIA's simulator 151/s\n";

absl::StatusOr<Scenario> FourSites(const std::filesystem::path& folder) {
  std::ostringstream err;
  std::string regions, sites;
  for (const char* profile : {"gas", "wind", "solar", "nuclear"}) {
    const std::string file = folder / absl::StrCat(profile, ".csv");
    RETURN_IF_ERROR(RunSimGenCommand({.kind = "grid",
                                      .profile = profile,
                                      .days = kDays + 60,
                                      .file = file},
                                     err, err)
                        .status());
    absl::StrAppend(&regions, "  - {name: ", profile, ", intensity: ", file,
                    "}\n");
    absl::StrAppend(&sites, "  - {name: at-", profile, ", region: ", profile,
                    ", pools: [{accelerator: x, count: 100000, active_watts: "
                    "300}]}\n");
  }
  const std::string path = folder / "bench.yaml";
  std::ofstream(path) << "version: 1\nstart: 2021-10-03T00:00:00Z\n"
                         "jobs:\n  trace: none\n  format: relative\n"
                         "  defaults: {max_delay: 24h}\nregions:\n"
                      << regions << "sites:\n"
                      << sites << "policies: [fcfs, lowest-window]\n";
  return LoadScenario(path, {});
}

absl::Status Bench(uint64_t jobs) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "ccsched-bench-sim";
  std::filesystem::create_directories(folder);
  ASSIGN_OR_RETURN(const Scenario scenario, FourSites(folder));
  ASSIGN_OR_RETURN(
      const auto workload,
      SyntheticWorkload(scenario,
                        {.profile = "pai", .jobs = jobs, .days = kDays}));
  const absl::Duration before = ThreadCpuTime();
  ASSIGN_OR_RETURN(const auto source, workload->Open());
  uint64_t drawn = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const SimJob* job, source->Next());
    if (job == nullptr) break;
    ++drawn;
  }
  const double draw = absl::ToDoubleSeconds(ThreadCpuTime() - before);
  std::cout << absl::StrFormat(
      "%d generated jobs, four sites (drawing them: %.2f s, not counted)\n",
      drawn, draw);
  for (const PolicyRun& policy : scenario.policies) {
    ASSIGN_OR_RETURN(const SimResult result,
                     Simulate(scenario, *workload, policy, {}));
    const double cpu = absl::ToDoubleSeconds(result.cpu) - draw;
    std::cout << absl::StrFormat(
        "%-14s %6.2f CPU s  %10.0f jobs/s  (deciding %.2f s, %d steps, wait "
        "%.2f h)\n",
        result.policy, cpu, static_cast<double>(jobs) / cpu,
        absl::ToDoubleSeconds(result.decide_cpu), result.steps,
        absl::ToDoubleHours(result.wait_mean));
  }
  std::cout << kPeers;
  std::filesystem::remove_all(folder);
  return absl::OkStatus();
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  const uint64_t jobs =
      argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const absl::Status status = ccsched::Bench(jobs);
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
