// `ccsched sim run`.
// SPDX-License-Identifier: Apache-2.0
#include "sim/command.h"

#include <atomic>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/text.h"
#include "sim/report.h"
#include "sim/results_text.h"
#include "sim/run_all.h"
#include "sim/scenario.h"
#include "sim/unused_settings.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

void PrintBadRows(const WorkloadFacts& facts, std::ostream& err) {
  if (facts.left_out > 0) {
    err << facts.left_out
        << (facts.left_out == 1 ? " row of the trace is no job to run\n"
                                : " rows of the trace are no jobs to run\n");
  }
  if (facts.bad_rows == 0) return;
  err << facts.bad_rows
      << (facts.bad_rows == 1 ? " row could not be read and was passed over:\n"
                              : " rows could not be read and were passed "
                                "over:\n");
  for (const std::string& row : facts.bad_row_samples)
    err << "  " << row << '\n';
  if (facts.bad_rows > facts.bad_row_samples.size()) err << "  ...\n";
}

}  // namespace

absl::StatusOr<int> RunSimCommand(const SimRunOptions& options,
                                  std::ostream& out, std::ostream& err) {
  if (options.output != "table" && options.output != "json" &&
      options.output != "csv") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o ", options.output, ": is not table, json or csv"));
  }
  ASSIGN_OR_RETURN(const Scenario scenario,
                   LoadScenario(options.scenario, {.set = options.set,
                                                   .policies = options.policies,
                                                   .seed = options.seed}));
  for (const std::string& unused : UnusedSettings(scenario, options.set)) {
    err << "--set " << unused << '\n';
  }
  ASSIGN_OR_RETURN(
      const auto workload,
      LoadWorkload(scenario, {.skip_bad_rows = options.skip_bad_rows}));
  PrintBadRows(workload->facts(), err);
  RunAllOptions run{.threads = options.threads,
                    .bound = options.bound,
                    .timing = options.timing,
                    .schedule_dir = options.schedule_dir};
  std::vector<ReportCollector> collected;
  if (!options.report.empty()) {
    collected.reserve(scenario.policies.size());
    for (size_t i = 0; i < scenario.policies.size(); ++i) {
      collected.emplace_back(scenario);
    }
    run.sink = [&collected](size_t i) { return &collected[i]; };
  }
  std::atomic<size_t> finished{0};
  run.progress = [&](size_t done, size_t all) {
    finished = done;
    if (!options.progress) return;
    err << "\r" << done << " of " << all << " runs done" << std::flush;
    if (done == all) err << "\r\033[K" << std::flush;
  };
  const LastWords last_words(options.on_interrupt, [&] {
    RemoveUnfinished(scenario, options.schedule_dir);
    return absl::StrCat(
        finished.load(), " of ",
        scenario.policies.size() + (options.bound ? 1 : 0),
        " runs were done; nothing is printed of them, and the same command "
        "begins anew");
  });
  ASSIGN_OR_RETURN(const std::vector<SimResult> results,
                   RunAll(scenario, *workload, run));
  if (!options.report.empty()) {
    RETURN_IF_ERROR(WriteReport(options.report, scenario, workload->facts(),
                                results, collected));
    err << "wrote " << options.report << '\n';
  }
  if (options.output == "json") {
    out << ResultsJson(scenario.name, options.seed, workload->facts(), results,
                       options.timing);
  } else if (options.output == "csv") {
    out << LinesFor(options.width > 0, ResultsCsv(results, options.timing));
  } else {
    out << ResultsTable(scenario.name, results, options.width);
  }
  return 0;
}

}  // namespace ccsched
