// `ccsched sim replay`.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/csv.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/wire/time.h"
#include "sim/command.h"
#include "sim/recorded_day.h"
#include "sim/replay.h"
#include "sim/results_text.h"
#include "sim/schedule_csv.h"
#include "sim/simulation.h"

namespace ccsched {
namespace {

using Json = nlohmann::ordered_json;

Json ReplayJson(const ReplayResult& r) {
  Json j;
  j["schema"] = "ccsched.replay/v1";
  j["steps"] = r.steps;
  j["boots"] = r.boots;
  j["jobs"] = r.jobs;
  j["decisions"] = r.decisions;
  j["from"] = r.steps == 0 ? Json(nullptr) : Json(FormatRfc3339(r.first));
  j["to"] = r.steps == 0 ? Json(nullptr) : Json(FormatRfc3339(r.last));
  j["same"] = !r.difference.has_value();
  j["difference"] = nullptr;
  if (r.difference) {
    j["difference"] = {{"step", r.difference->step},
                       {"at", FormatRfc3339(r.difference->at)},
                       {"recorded", r.difference->recorded},
                       {"replayed", r.difference->replayed}};
  }
  return j;
}

void PrintReplay(const ReplayResult& r, std::ostream& out) {
  if (r.steps == 0) {
    out << "The journal holds no steps yet.\n";
    return;
  }
  out << r.steps << " steps of " << r.jobs << " jobs, "
      << FormatRfc3339(r.first) << " to " << FormatRfc3339(r.last) << ", "
      << r.boots << (r.boots == 1 ? " boot\n" : " boots\n");
  if (!r.difference) {
    out << "All " << r.decisions << " recorded decisions came out again.\n";
    return;
  }
  out << "The first difference is in step " << r.difference->step << " at "
      << FormatRfc3339(r.difference->at)
      << ":\n  recorded: " << r.difference->recorded
      << "\n  replayed: " << r.difference->replayed << '\n';
}

Json WhatIfJson(const RecordedDay& day, const std::vector<SimResult>& runs) {
  Json j;
  j["schema"] = "ccsched.what-if/v1";
  j["from"] = FormatRfc3339(day.first);
  j["to"] = FormatRfc3339(day.last);
  j["jobs"] = day.recorded.jobs;
  j["unended"] = day.unended;
  j["cancelled"] = day.cancelled;
  j["left_out"] = day.left_out;
  j["intensity_estimated"] = day.estimated;
  j["runs"] = Json::array();
  for (const SimResult& run : runs) {
    Json r = ResultJson(run, false);
    r.erase("saved_vs_fcfs");
    r["saved_vs_recorded"] = nullptr;
    if (day.recorded.co2e > GramsCo2e(0)) {
      r["saved_vs_recorded"] = 1 - run.co2e / day.recorded.co2e;
    }
    j["runs"].push_back(std::move(r));
  }
  return j;
}

std::string WhatIfCsv(const RecordedDay& day,
                      const std::vector<SimResult>& runs) {
  std::string out =
      "policy,jobs,unfinished,promises_broken,co2e_g,saved_vs_recorded,"
      "energy_kwh,wait_mean_s,wait_p50_s,wait_p95_s,wait_p99_s\n";
  for (const SimResult& run : runs) {
    AppendCsvField(run.policy, out);
    absl::StrAppend(&out, ",", run.jobs, ",", run.unfinished, ",",
                    run.promises_broken, ",");
    AppendDouble(run.co2e.value(), out);
    out += ',';
    if (day.recorded.co2e > GramsCo2e(0)) {
      AppendDouble(1 - run.co2e / day.recorded.co2e, out);
    }
    out += ',';
    AppendDouble(run.energy.value(), out);
    for (const absl::Duration wait :
         {run.wait_mean, run.wait_p50, run.wait_p95, run.wait_p99}) {
      out += ',';
      AppendDouble(absl::ToDoubleSeconds(wait), out);
    }
    out += '\n';
  }
  return out;
}

void PrintWhatIf(const RecordedDay& day, const std::vector<SimResult>& runs,
                 size_t width, std::ostream& out) {
  out << day.recorded.jobs << " jobs, " << FormatRfc3339(day.first) << " to "
      << FormatRfc3339(day.last) << "\n\n";
  Table table({FirstColumn("policy"), Figure("CO2e"), Figure("saved", 1),
               Figure("energy", 3), Figure("wait mean", 0, "wait"),
               Figure("p95", 2), Figure("late"), Figure("unfinished")});
  for (const SimResult& run : runs) {
    const bool known = day.recorded.co2e > GramsCo2e(0);
    const double saved = known ? 1 - run.co2e / day.recorded.co2e : 0;
    table.Add({run.policy, MassText(run.co2e),
               known ? absl::StrFormat("%.2f%%", saved * 100) : "-",
               absl::StrFormat("%.2f kWh", run.energy.value()),
               WaitText(run.wait_mean), WaitText(run.wait_p95),
               std::to_string(run.promises_broken),
               std::to_string(run.unfinished)});
  }
  out << TableText(table, width) << '\n';
  if (day.unended > 0) {
    out << day.unended
        << " jobs still ran at the end of the record; they count with what "
           "they had done.\n";
  }
  if (day.cancelled > 0) {
    out << day.cancelled
        << " jobs were cancelled; they count with what they had done.\n";
  }
  if (day.left_out > 0) {
    out << day.left_out << " jobs never ran; they are left out.\n";
  }
  if (day.estimated) {
    out << "Some intensities are forecasts: no measured value is on record.\n";
  }
}

// What other policies would have made of the record.
absl::StatusOr<int> WhatIf(LedgerReader& reader,
                           const SimReplayOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordedDay> day,
                   ReadRecordedDay(reader));
  std::vector<SimResult> runs = {day->recorded};
  for (const std::string& policy : options.policies) {
    ASSIGN_OR_RETURN(const PolicyRun run,
                     ParsePolicy(policy, RuntimeKnowledge::kKnown));
    ASSIGN_OR_RETURN(SimResult result,
                     Simulate(day->scenario, *day->workload, run,
                              {.timing = false, .script = &day->script}));
    runs.push_back(std::move(result));
  }
  if (options.output == "json") {
    out << WhatIfJson(*day, runs)
               .dump(2, ' ', false, Json::error_handler_t::replace)
        << '\n';
  } else if (options.output == "csv") {
    out << WhatIfCsv(*day, runs);
  } else {
    PrintWhatIf(*day, runs, options.width, out);
  }
  return 0;
}

}  // namespace

absl::StatusOr<int> RunSimReplayCommand(const SimReplayOptions& options,
                                        std::ostream& out, std::ostream& err) {
  static_cast<void>(err);
  if (options.output != "table" && options.output != "json" &&
      options.output != "csv") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o ", options.output, ": is not table, json or csv"));
  }
  if (options.output == "csv" && options.policies.empty()) {
    return absl::InvalidArgumentError(
        "-o csv: is for policies side by side: name some by --policy, or use "
        "table or json");
  }
  for (const std::string& policy : options.policies) {
    RETURN_IF_ERROR(ParsePolicy(policy, RuntimeKnowledge::kKnown).status());
  }
  const std::string ledger = options.state_dir + "/ledger.db";
  if (std::error_code ignored; !std::filesystem::exists(ledger, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.state_dir,
        ": has no ledger.db; give the folder that a scheduler has as its "
        "--state (of a dev cluster: the folder 'state' in its own)"));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<LedgerReader> reader,
                   OpenSqliteLedgerReader(ledger));
  if (!options.policies.empty()) return WhatIf(*reader, options, out);
  Replay replay(*reader);
  ASSIGN_OR_RETURN(const ReplayResult result, replay.Play());
  if (options.output == "json") {
    out << ReplayJson(result).dump(2, ' ', false,
                                   Json::error_handler_t::replace)
        << '\n';
  } else {
    PrintReplay(result, out);
  }
  return result.difference ? 1 : 0;
}

}  // namespace ccsched
