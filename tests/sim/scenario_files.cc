// Small scenarios written into a temporary folder, and runs of them.
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scenario_files.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {

namespace {

std::string Generate(SimGenOptions options) {
  std::ostringstream out, err;
  const auto code = RunSimGenCommand(options, out, err);
  return code.ok() ? out.str() : "";
}

// Jobs wider than this are made as wide as this.
std::string Narrowed(const std::string& trace) {
  std::istringstream in(trace);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (const size_t wide = line.find(",32,"); wide != std::string::npos) {
      line.replace(wide, 4, ",16,");
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string WriteSmallScenario(const TemporaryFolder& folder,
                               const SmallScenario& small) {
  folder.Write("jobs.csv",
               Narrowed(Generate({.kind = "jobs",
                                  .jobs = static_cast<uint64_t>(small.jobs),
                                  .days = small.days,
                                  .start = "2022-03-01T00:00:00Z",
                                  .seed = small.seed})));
  std::string regions, sites;
  for (const char* profile : {"gas", "wind", "solar"}) {
    folder.Write(absl::StrCat(profile, ".csv"),
                 Generate({.kind = "grid",
                           .profile = profile,
                           .days = 90,
                           .start = "2022-02-20T00:00:00Z",
                           .seed = small.seed}));
    absl::StrAppend(&regions, "  - {name: ", profile, ", intensity: ", profile,
                    ".csv, column: ci_lca, forecast: ", small.forecast, "}\n");
    absl::StrAppend(&sites, "  - {name: at-", profile, ", region: ", profile,
                    ", ", small.pue, small.site.empty() ? "" : ", ", small.site,
                    ", pools: [{accelerator: v100, count: ", small.accelerators,
                    small.node_size > 0
                        ? absl::StrCat(", node_size: ", small.node_size)
                        : "",
                    ", idle_watts: 40, active_watts: 300}]}\n");
  }
  return folder.Write(
      "small.yaml",
      absl::StrCat("version: 1\nstart: 2022-03-01T00:00:00Z\n"
                   "end: 2022-04-01T00:00:00Z\njobs:\n  trace: jobs.csv\n"
                   "  format: philly\n  defaults: {accelerator: v100, "
                   "max_delay: ",
                   small.max_delay,
                   ", suspendable: ", small.suspendable ? "true" : "false",
                   ", checkpoint: 5m, restart: 3m, runtime: ", small.runtime,
                   small.defaults.empty() ? "" : ", ", small.defaults,
                   "}\nregions:\n", regions, "sites:\n", sites, small.more,
                   "policies: [fcfs, easy-backfill, lowest-carbon-now, "
                   "lowest-slot, lowest-window, carbon-time, wait-awhile, "
                   "ecovisor, threshold, capacity-curve, planner]\n"));
}

Ran RunScenario(SimRunOptions options) {
  std::ostringstream out, err;
  const auto code = RunSimCommand(options, out, err);
  Ran ran;
  ran.ok = code.ok();
  ran.out = out.str();
  if (!code.ok()) ran.error = std::string(code.status().message());
  if (ran.ok && options.output == "json") {
    ran.json = nlohmann::json::parse(ran.out);
  }
  return ran;
}

std::string TracesFolder() {
  const char* const set = std::getenv("CCSCHED_TRACES");
  const std::string path = set != nullptr ? std::string(set)
                                          : CCSCHED_SOURCE_DIR
                               "/../shared/traces";
  return std::filesystem::exists(path + "/carbon") ? path : "";
}

std::string ContractScenario(const std::string& name) {
  const std::string traces = TracesFolder();
  if (traces.empty()) return "";
  const std::string path = traces + "/../contracts/scenarios/" + name + ".yaml";
  return std::filesystem::exists(path) ? path : "";
}

}  // namespace ccsched::testing
