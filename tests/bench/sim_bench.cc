// How many jobs a second the simulator plays, beside other simulators.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched-bench-sim [JOBS] [POLICY]
//
// CPU time of one thread, policies included, everything through the engine; and
// of a bare event loop over the same jobs, in the same run.
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
#include "sim/workload.h"
#include "tests/bench/bare_loop.h"

namespace ccsched {
namespace {

constexpr double kDays = 365;
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

// GAIA's year of 100,000 jobs, where the traces are there.
absl::Status BenchGaia() {
  const char* const set = std::getenv("CCSCHED_TRACES");
  const std::filesystem::path traces =
      set != nullptr ? set : CCSCHED_SOURCE_DIR "/../shared/traces";
  const std::string trace = traces / "jobs/pai_gaia_year_100k.csv";
  if (!std::filesystem::exists(trace)) {
    std::cout << "GAIA's year is not measured: " << trace << " is not there\n";
    return absl::OkStatus();
  }
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / "ccsched-bench-gaia.yaml";
  std::ofstream(path) << absl::StrCat(
      "version: 1\nstart: 2022-01-01T00:00:00Z\nhorizon: 8760h\njobs:\n"
      "  trace: ",
      trace,
      "\n  format: relative\n"
      "  defaults: {accelerator: cpu, runtime: class-mean}\n  classes:\n"
      "  - {name: short, shorter_than: 2h, max_delay: 6h}\n"
      "  - {name: long, max_delay: 24h}\nregions:\n"
      "- {name: AU-SA, intensity: ",
      (traces / "carbon/AU-SA_2022.csv").string(),
      ", column: ci_lca}\nsites:\n- {name: adelaide, region: AU-SA, pools: "
      "[{accelerator: cpu, count: unlimited, active_watts: 1}]}\n"
      "policies: [carbon-time]\n");
  ASSIGN_OR_RETURN(const Scenario scenario, LoadScenario(path, {}));
  ASSIGN_OR_RETURN(const auto workload, LoadWorkload(scenario, {}));
  ASSIGN_OR_RETURN(
      const SimResult result,
      Simulate(scenario, *workload, scenario.policies.front(), {}));
  // Source: the artefact of GAIA (ASPLOS'24), run on such a core.
  constexpr double kGaiaSeconds = 595;
  const double cpu = absl::ToDoubleSeconds(result.cpu);
  std::cout << absl::StrFormat(
      "GAIA's year, carbon-time, %d jobs: %.3f CPU s; GAIA's own simulator "
      "%.0f CPU s (%.0f times as much)\n",
      result.jobs, cpu, kGaiaSeconds, kGaiaSeconds / cpu);
  std::filesystem::remove(path);
  return absl::OkStatus();
}

absl::Status Bench(uint64_t jobs, const std::string& only) {
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
  ASSIGN_OR_RETURN(const BareResult fcfs, BareFirstCome(scenario, *workload));
  ASSIGN_OR_RETURN(const BareResult hold, BareHourlyHold(scenario, *workload));
  for (const PolicyRun& policy : scenario.policies) {
    if (!only.empty() && policy.name != only) continue;
    const bool first_come = policy.name == "fcfs";
    const double bare = (first_come ? fcfs : hold).cpu_s - draw;
    ASSIGN_OR_RETURN(const SimResult result,
                     Simulate(scenario, *workload, policy, {}));
    const double cpu = absl::ToDoubleSeconds(result.cpu) - draw;
    std::cout << absl::StrFormat(
        "%-14s %6.2f CPU s %10.0f jobs/s, %.3f of a bare loop's %.0f jobs/s "
        "(%s)  deciding %.2f s, %d steps, wait %.2f h\n",
        result.policy, cpu, static_cast<double>(drawn) / cpu, bare / cpu,
        static_cast<double>(drawn) / bare,
        first_come ? "first come, first served" : "hourly hold",
        absl::ToDoubleSeconds(result.decide_cpu), result.steps,
        absl::ToDoubleHours(result.wait_mean));
  }
  std::filesystem::remove_all(folder);
  return only.empty() ? BenchGaia() : absl::OkStatus();
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  const uint64_t jobs =
      argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const absl::Status status = ccsched::Bench(jobs, argc > 2 ? argv[2] : "");
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
