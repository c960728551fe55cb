// `ccsched sim replay`.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/wire/time.h"
#include "sim/command.h"
#include "sim/replay.h"

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

}  // namespace

absl::StatusOr<int> RunSimReplayCommand(const SimReplayOptions& options,
                                        std::ostream& out, std::ostream& err) {
  static_cast<void>(err);
  if (options.output != "table" && options.output != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o ", options.output, ": is not table or json"));
  }
  if (!options.policies.empty()) {
    return absl::UnimplementedError(
        "what another policy would have emitted is not there yet; leave "
        "--policy out");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<LedgerReader> reader,
                   OpenSqliteLedgerReader(options.state_dir + "/ledger.db"));
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
