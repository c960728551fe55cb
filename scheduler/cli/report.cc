// `ccsched report`: energy and CO2e from the ledger.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/report_export.h"
#include "scheduler/cli/table.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

struct ReportOptions {
  std::string by = "site";
  std::string from, to, user, project;
  std::string format = "table";
};

std::optional<double> SavedShare(const v1::ReportRow& row) {
  if (!row.has_co2e_g() || !row.has_baseline_co2e_g() ||
      row.baseline_co2e_g() <= 0) {
    return std::nullopt;
  }
  return 1 - row.co2e_g() / row.baseline_co2e_g();
}

Record RowRecord(const std::string& by, const v1::ReportRow& row) {
  Record r;
  r.Add(by, row.key());
  r.Add("jobs", row.jobs());
  r.Add("attempts", row.attempts());
  r.Add("accelerator_hours", row.accelerator_hours());
  r.Add("energy_kwh", CCSCHED_OPTIONAL(row, energy_kwh));
  r.Add("co2e_g", CCSCHED_OPTIONAL(row, co2e_g));
  r.Add("baseline_co2e_g", CCSCHED_OPTIONAL(row, baseline_co2e_g));
  r.Add("saved_share", SavedShare(row));
  r.Add("measured_share", row.measured_share());
  r.Add("estimated", row.estimated());
  r.Add("unknown_energy_attempts", row.unknown_energy_attempts());
  return r;
}

void PrintTable(const v1::ReportResponse& response, const std::string& by,
                Context& context) {
  std::string head = by;
  for (char& c : head) c = static_cast<char>(std::toupper(c));
  Table table({{head},
               {"JOBS", Align::kRight},
               {"ACCELERATOR-H", Align::kRight},
               {"ENERGY", Align::kRight},
               {"CO2E", Align::kRight},
               {"BASELINE", Align::kRight},
               {"SAVED", Align::kRight},
               {"MEASURED", Align::kRight},
               {"NOTES"}});
  const auto add = [&](const v1::ReportRow& row, const std::string& key,
                       Style style) {
    std::string notes = row.estimated() ? "some intensity is forecast" : "";
    if (row.unknown_energy_attempts() > 0) {
      absl::StrAppend(
          &notes, notes.empty() ? "" : "; ", "energy unknown of ",
          row.unknown_energy_attempts(),
          row.unknown_energy_attempts() == 1 ? " attempt" : " attempts");
    }
    const auto saved = SavedShare(row);
    table.Add({{key, style},
               {std::to_string(row.jobs()), style},
               {absl::StrFormat("%.2f", row.accelerator_hours()), style},
               {EnergyText(CCSCHED_OPTIONAL(row, energy_kwh)), style},
               {CarbonText(CCSCHED_OPTIONAL(row, co2e_g)), style},
               {CarbonText(CCSCHED_OPTIONAL(row, baseline_co2e_g)), style},
               {saved ? absl::StrFormat("%.1f %%", *saved * 100) : "-",
                saved && *saved < 0 ? Style::kRed : Style::kGreen},
               {absl::StrFormat("%.0f %%", row.measured_share() * 100), style},
               {notes, Style::kDim}});
  };
  for (const v1::ReportRow& row : response.rows()) {
    add(row, row.key().empty() ? "-" : row.key(), Style::kPlain);
  }
  add(response.total(), "total", Style::kBold);
  table.Print(context.out, context.out_colour);
  if (!response.baseline().empty()) {
    context.err << "Baseline: " << response.baseline() << "\n";
  }
}

absl::Status SetTime(const char* option, const std::string& text,
                     absl::Time now, google::protobuf::Timestamp* out) {
  const auto t = ParseTimeSpec(text, now, absl::LocalTimeZone());
  if (!t.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", t.status().message()));
  }
  *out = ToProto(*t);
  return absl::OkStatus();
}

absl::StatusOr<v1::ReportRequest> MakeRequest(const ReportOptions& o,
                                              Context& context) {
  v1::ReportRequest request;
  request.set_by(o.by);
  request.set_user(o.user);
  request.set_project(o.project);
  absl::Time now;
  if ((!o.from.empty() && IsRelativeTime(o.from)) ||
      (!o.to.empty() && IsRelativeTime(o.to))) {
    ASSIGN_OR_RETURN(const v1::StatusResponse status,
                     context.client().Status());
    now = FromProto(status.now());
  }
  if (!o.from.empty()) {
    RETURN_IF_ERROR(SetTime("--from", o.from, now, request.mutable_from()));
  }
  if (!o.to.empty()) {
    RETURN_IF_ERROR(SetTime("--to", o.to, now, request.mutable_to()));
  }
  if (request.has_from() && request.has_to() &&
      FromProto(request.from()) >= FromProto(request.to())) {
    return absl::InvalidArgumentError("--from must be before --to");
  }
  return request;
}

int RunReport(Context& context, const ReportOptions& o) {
  const auto request = MakeRequest(o, context);
  if (!request.ok()) return context.Fail(request.status());
  if (o.format != "table" && o.format != "json" && o.format != "csv") {
    const auto text = ExportReport(context.client(), o.format, *request);
    if (!text.ok()) return context.Fail(text.status());
    context.out << *text;
    return kExitDone;
  }
  const auto response = context.client().Report(*request);
  if (!response.ok()) return context.Fail(response.status());
  if (o.format == "table") {
    PrintTable(*response, o.by, context);
    return kExitDone;
  }
  std::vector<Record> records;
  for (const v1::ReportRow& row : response->rows()) {
    records.push_back(RowRecord(o.by, row));
  }
  if (o.format == "csv") {
    PrintCsv(context.out, RowRecord(o.by, {}), records);
    return kExitDone;
  }
  Record head;
  head.Add("by", o.by);
  head.AddTime("from", response->has_from(), response->from());
  head.AddTime("to", response->has_to(), response->to());
  head.Add("baseline", response->baseline());
  head.AddRecord("total", RowRecord("total", response->total()));
  PrintJson(context.out, "report", head, "rows", records);
  return kExitDone;
}

}  // namespace

void AddReport(Command& root, Context& context) {
  auto o = std::make_shared<ReportOptions>();
  Command& c = root.Sub(
      "report", "report energy and CO2e from the ledger",
      "  ccsched report --by project --from 2026-01-01 --to 2026-02-01\n"
      "  ccsched report --by job --format csv > jobs.csv\n"
      "\nCO2e is gross (location-based), PUE included. SAVED is against the "
      "baseline that\nwas frozen when each job was submitted: run at once at "
      "the first site with room.\nIt may be negative. What was not measured "
      "is modelled; what is unknown is '-'.");
  c.Choice("--by", &o->by,
           {"user", "project", "site", "region", "job", "month"},
           "a row for each");
  c.Text("--from", "TIME", &o->from, "energy used from then on");
  c.Text("--to", "TIME", &o->to, "and before then");
  c.Text("-u,--user", "USER", &o->user, "of this user's jobs");
  c.Text("--project", "NAME", &o->project, "of this project's jobs");
  c.Choice("-o,--format", &o->format,
           {"table", "json", "csv", "codecarbon", "huggingface", "ghg",
            "mlperf", "impact-framework"},
           "how to print it; from codecarbon on one entry an ended job, ghg by "
           "--by");
  c.OnRun([o, &context] { return RunReport(context, *o); });
}

}  // namespace ccsched
