// `ccsched report`: energy and CO2e from the ledger.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/status.h"
#include "scheduler/base/units.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/report_export.h"
#include "scheduler/cli/time_options.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

struct ReportOptions {
  std::string by = "site";
  std::string from, to, as_of, user, project;
  std::string format = "table";
  std::string training_type = "pre-training";
};

// What the baseline is to be compared with: jobs that run have none yet. An
// older scheduler does not say.
std::optional<double> Compared(const v1::ReportRow& row) {
  if (row.has_compared_co2e_g()) return row.compared_co2e_g();
  return CCSCHED_OPTIONAL(row, co2e_g);
}

std::optional<double> SavedShare(const v1::ReportRow& row) {
  const std::optional<double> compared = Compared(row);
  if (!compared || !row.has_baseline_co2e_g() || row.baseline_co2e_g() <= 0) {
    return std::nullopt;
  }
  return 1 - *compared / row.baseline_co2e_g();
}

// Of energy of which nothing is known, nothing is known to be measured.
std::optional<double> MeasuredShare(const v1::ReportRow& row) {
  if (!row.has_energy_kwh()) return std::nullopt;
  return row.measured_share();
}

// Projects' budgets by name; empty unless it is projects that are reported.
using Budgets = std::map<std::string, v1::BudgetStatus>;

double BudgetLeft(const v1::BudgetStatus& b) {
  return b.limit_g() - b.used_g() - b.expected_g();
}

void AddBudget(const std::string& by, const std::string& project,
               const Budgets& budgets, Record& r) {
  if (by != "project") return;
  const auto found = budgets.find(project);
  const v1::BudgetStatus b =
      found == budgets.end() ? v1::BudgetStatus() : found->second;
  const auto known = [&](double grams) {
    return found == budgets.end() ? std::nullopt : std::optional(grams);
  };
  r.Add("budget_co2e_g", known(b.limit_g()));
  r.Add("budget_used_co2e_g", known(b.used_g()));
  r.Add("budget_left_co2e_g", known(BudgetLeft(b)));
  r.Add("budget_period", b.period());
}

// Money as numbers, for CSV: of a row that has one currency, as most have.
void AddMoney(const v1::ReportRow& row, Record& r) {
  std::string currencies;
  for (const v1::ReportCost& c : row.cost()) {
    absl::StrAppend(&currencies, currencies.empty() ? "" : " ", c.currency());
  }
  const v1::ReportCost cost =
      row.cost_size() == 1 ? row.cost(0) : v1::ReportCost();
  r.Add("electricity_cost", CCSCHED_OPTIONAL(cost, electricity));
  r.Add("accelerator_cost", CCSCHED_OPTIONAL(cost, accelerators));
  r.Add("currency", currencies);
}

Record RowRecord(const std::string& by, const v1::ReportRow& row,
                 const Budgets& budgets) {
  Record r;
  r.Add(by, row.key());
  r.Add("jobs", row.jobs());
  r.Add("attempts", row.attempts());
  r.Add("accelerator_hours", row.accelerator_hours());
  r.Add("energy_kwh", CCSCHED_OPTIONAL(row, energy_kwh));
  r.Add("co2e_g", CCSCHED_OPTIONAL(row, co2e_g));
  r.Add("baseline_co2e_g", CCSCHED_OPTIONAL(row, baseline_co2e_g));
  r.Add("saved_share", SavedShare(row));
  r.Add("measured_share", MeasuredShare(row));
  r.Add("estimated", row.estimated());
  r.Add("unknown_energy_attempts", row.unknown_energy_attempts());
  r.Add("unknown_carbon_attempts", row.unknown_carbon_attempts());
  r.Add("net_co2e_g", CCSCHED_OPTIONAL(row, net_co2e_g));
  r.Add("cfe_score", CCSCHED_OPTIONAL(row, cfe_score));
  r.Add("cfe_known_share", row.cfe_known_share());
  r.Add("marginal_co2e_g", CCSCHED_OPTIONAL(row, marginal_co2e_g));
  r.Add("embodied_co2e_g", CCSCHED_OPTIONAL(row, embodied_co2e_g));
  r.Add("transmission_loss_kwh", CCSCHED_OPTIONAL(row, transmission_loss_kwh));
  r.Add("transmission_loss_co2e_g",
        CCSCHED_OPTIONAL(row, transmission_loss_co2e_g));
  r.Add("restated_slices", row.restated_slices());
  r.AddTime("restated_last", row.has_restated_last(), row.restated_last());
  std::vector<Record> costs;
  for (const v1::ReportCost& c : row.cost()) {
    Record& cost = costs.emplace_back();
    cost.Add("currency", c.currency());
    cost.Add("electricity", CCSCHED_OPTIONAL(c, electricity));
    cost.Add("accelerators", CCSCHED_OPTIONAL(c, accelerators));
  }
  r.AddRecords("cost", costs);
  r.Add("unpriced_kwh", CCSCHED_OPTIONAL(row, unpriced_kwh));
  r.Add("compared_co2e_g", CCSCHED_OPTIONAL(row, compared_co2e_g));
  AddBudget(by, row.key(), budgets, r);
  return r;
}

std::string NotesOf(const v1::ReportRow& row) {
  std::vector<std::string> notes;
  if (row.estimated()) notes.push_back("some intensity is estimated");
  const std::string compared = CarbonText(Compared(row));
  if (row.has_baseline_co2e_g() &&
      compared != CarbonText(CCSCHED_OPTIONAL(row, co2e_g))) {
    notes.push_back(absl::StrCat("saved: of the ", compared, " of ended jobs"));
  }
  const auto unknown = [&](const char* what, uint64_t attempts) {
    if (attempts == 0) return;
    notes.push_back(absl::StrCat(what, " unknown of ", attempts,
                                 attempts == 1 ? " attempt" : " attempts"));
  };
  unknown("energy", row.unknown_energy_attempts());
  unknown("grid", row.unknown_carbon_attempts());
  if (row.has_cfe_score() && row.cfe_known_share() < 0.9995) {
    notes.push_back(absl::StrFormat("CFE of %.0f %% of the energy",
                                    row.cfe_known_share() * 100));
  }
  if (row.unpriced_kwh() > 0) {
    notes.push_back(
        absl::StrCat("no price of ", EnergyText(row.unpriced_kwh())));
  }
  return absl::StrJoin(notes, "; ");
}

// The columns beyond the ones that every report has are shown where any row
// has something in them.
class ReportTable {
 public:
  ReportTable(const v1::ReportResponse& response, const std::string& by,
              const Budgets& budgets)
      : response_(response), by_(by), budgets_(budgets) {
    const auto any = [&](auto has) {
      return has(response.total()) || has(response.unallocated_total());
    };
    net_ = any([](const v1::ReportRow& r) { return r.has_net_co2e_g(); });
    cfe_ = any([](const v1::ReportRow& r) { return r.has_cfe_score(); });
    marginal_ =
        any([](const v1::ReportRow& r) { return r.has_marginal_co2e_g(); });
    embodied_ =
        any([](const v1::ReportRow& r) { return r.has_embodied_co2e_g(); });
    lost_ = any([](const v1::ReportRow& r) {
      return r.has_transmission_loss_co2e_g();
    });
    priced_ = any([](const v1::ReportRow& r) { return r.cost_size() > 0; });
  }

  void Print(Context& context) {
    Table table(Columns());
    for (const v1::ReportRow& row : response_.rows()) {
      table.Add(Cells(row, row.key().empty() ? "-" : row.key(), Style::kPlain,
                      /*jobs=*/true));
    }
    table.Add(Cells(response_.total(), "total", Style::kBold, /*jobs=*/true));
    for (const v1::ReportRow& row : response_.unallocated()) {
      table.Add(Cells(row,
                      row.key().empty() ? std::string("idle")
                                        : absl::StrCat("idle ", row.key()),
                      Style::kDim, /*jobs=*/false));
    }
    ShowTable(table, context);
  }

 private:
  std::vector<Column> Columns() const {
    std::string head = by_;
    for (char& c : head) c = static_cast<char>(std::toupper(c));
    std::vector<Column> columns = {{head},
                                   {"JOBS", Align::kRight},
                                   {"ACCELERATOR-H", Align::kRight, 6},
                                   {"ENERGY", Align::kRight},
                                   {net_ ? "GROSS" : "CO2E", Align::kRight}};
    if (net_) columns.push_back({"NET", Align::kRight});
    columns.push_back({"BASELINE", Align::kRight, 4});
    columns.push_back({"SAVED", Align::kRight});
    if (cfe_) columns.push_back({"CFE", Align::kRight, 3});
    if (marginal_) columns.push_back({"MARGINAL", Align::kRight, 8});
    if (embodied_) columns.push_back({"EMBODIED", Align::kRight, 7});
    if (lost_) columns.push_back({"GRID LOSS", Align::kRight, 9});
    if (priced_) columns.push_back({"COST", Align::kRight, 2});
    columns.push_back({"MEASURED", Align::kRight, 5});
    if (!budgets_.empty()) {
      columns.push_back({"BUDGET", Align::kRight});
      columns.push_back({"LEFT", Align::kRight});
    }
    columns.push_back({"NOTES", Align::kLeft, 1});
    return columns;
  }

  std::vector<Cell> Cells(const v1::ReportRow& row, const std::string& key,
                          Style style, bool jobs) const {
    const auto saved = SavedShare(row);
    const auto percent = [](std::optional<double> share, int digits) {
      if (!share) return std::string("-");
      // Not "-0.0 %".
      const double scale = std::pow(10, digits);
      const double rounded = std::round(*share * 100 * scale) / scale + 0.0;
      return absl::StrFormat("%.*f %%", digits, rounded);
    };
    std::vector<Cell> cells = {
        {key, style},
        {jobs ? std::to_string(row.jobs()) : "-", style},
        {jobs ? absl::StrFormat("%.2f", row.accelerator_hours()) : "-", style},
        {EnergyText(CCSCHED_OPTIONAL(row, energy_kwh)), style},
        {CarbonText(CCSCHED_OPTIONAL(row, co2e_g)), style}};
    if (net_) {
      cells.push_back({CarbonText(CCSCHED_OPTIONAL(row, net_co2e_g)), style});
    }
    cells.push_back(
        {CarbonText(CCSCHED_OPTIONAL(row, baseline_co2e_g)), style});
    cells.push_back({percent(saved, 1),
                     saved && *saved < -.0005 ? Style::kRed : Style::kGreen});
    if (cfe_) {
      cells.push_back({percent(CCSCHED_OPTIONAL(row, cfe_score), 1), style});
    }
    if (marginal_) {
      cells.push_back(
          {CarbonText(CCSCHED_OPTIONAL(row, marginal_co2e_g)), style});
    }
    if (embodied_) {
      cells.push_back(
          {CarbonText(CCSCHED_OPTIONAL(row, embodied_co2e_g)), style});
    }
    if (lost_) {
      cells.push_back(
          {CarbonText(CCSCHED_OPTIONAL(row, transmission_loss_co2e_g)), style});
    }
    if (priced_) cells.push_back({CostText(row), style});
    cells.push_back({percent(MeasuredShare(row), 0), style});
    if (!budgets_.empty()) AddBudgetCells(row.key(), cells);
    cells.push_back({NotesOf(row), Style::kDim});
    return cells;
  }

  void AddBudgetCells(const std::string& project,
                      std::vector<Cell>& cells) const {
    const auto found = budgets_.find(project);
    if (found == budgets_.end()) {
      cells.push_back("-");
      cells.push_back("-");
      return;
    }
    const v1::BudgetStatus& b = found->second;
    cells.push_back(absl::StrCat(CarbonText(b.limit_g()), "/", b.period()));
    cells.push_back({CarbonText(BudgetLeft(b)),
                     BudgetLeft(b) < 0 ? Style::kRed : Style::kPlain});
  }

  const v1::ReportResponse& response_;
  const std::string by_;
  const Budgets& budgets_;
  bool net_, cfe_, marginal_, embodied_, lost_, priced_;
};

// What a reader must know of the figures, on standard error.
void PrintRemarks(const v1::ReportResponse& response, Context& context) {
  if (!response.baseline().empty()) {
    context.err << "Baseline: " << response.baseline() << "\n";
  }
  if (response.has_metered_kwh()) {
    context.err << "Meters: " << EnergyText(response.metered_kwh())
                << " = jobs "
                << EnergyText(CCSCHED_OPTIONAL(response.total(), energy_kwh))
                << " + idle "
                << EnergyText(CCSCHED_OPTIONAL(response.unallocated_total(),
                                               energy_kwh));
    const double rest = response.unmetered_kwh();
    if (std::abs(rest) * kJoulesPerKwh >= 1) {
      context.err << (rest > 0 ? " - " : " + ") << EnergyText(std::abs(rest))
                  << (rest > 0 ? " not metered (yet)" : " not on record (yet)");
    }
    context.err << "\n";
  }
  if (response.has_as_of()) {
    context.err << "As known at " << ShortTime(true, response.as_of(), true)
                << "\n";
    return;
  }
  const uint64_t restated = response.total().restated_slices() +
                            response.unallocated_total().restated_slices();
  if (restated == 0) return;
  const v1::ReportRow& last =
      FromProto(response.total().restated_last()) <
              FromProto(response.unallocated_total().restated_last())
          ? response.unallocated_total()
          : response.total();
  context.err << "Restated on data that came later: " << restated
              << (restated == 1 ? " stretch" : " stretches") << ", last "
              << ShortTime(true, last.restated_last(), true)
              << "; --as-of TIME shows what was known before\n";
}

absl::StatusOr<v1::ReportRequest> MakeRequest(const ReportOptions& o,
                                              Context& context) {
  v1::ReportRequest request;
  request.set_by(o.by);
  request.set_user(o.user);
  request.set_project(o.project);
  TimeOptions times(context);
  const auto set = [&times](const char* option, const std::string& text,
                            auto field) -> absl::Status {
    if (text.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const absl::Time time, times.Read(option, text));
    *field() = ToProto(time);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(
      set("--from", o.from, [&] { return request.mutable_from(); }));
  RETURN_IF_ERROR(set("--to", o.to, [&] { return request.mutable_to(); }));
  RETURN_IF_ERROR(
      set("--as-of", o.as_of, [&] { return request.mutable_as_of(); }));
  if (request.has_from() && request.has_to() &&
      FromProto(request.from()) >= FromProto(request.to())) {
    return absl::InvalidArgumentError("--from must be before --to");
  }
  return request;
}

absl::StatusOr<Budgets> ReadBudgets(const std::string& by, Context& context) {
  Budgets budgets;
  if (by != "project") return budgets;
  ASSIGN_OR_RETURN(const v1::ProjectsResponse response,
                   context.client().Projects());
  for (const v1::ProjectStatus& p : response.projects()) {
    if (p.has_budget()) budgets[p.name()] = p.budget();
  }
  return budgets;
}

int RunReport(Context& context, const ReportOptions& o) {
  const auto request = MakeRequest(o, context);
  if (!request.ok()) return context.Fail(request.status());
  if (o.format != "table" && o.format != "json" && o.format != "csv") {
    auto text =
        ExportReport(context.client(), o.format, *request, o.training_type);
    if (!text.ok()) return context.Fail(text.status());
    context.out << LinesFor(context.out_terminal, *std::move(text));
    return kExitDone;
  }
  const auto response = context.client().Report(*request);
  if (!response.ok()) return context.Fail(response.status());
  const auto budgets = ReadBudgets(o.by, context);
  if (!budgets.ok()) return context.Fail(budgets.status());
  if (o.format == "table") {
    ReportTable(*response, o.by, *budgets).Print(context);
    PrintRemarks(*response, context);
    return kExitDone;
  }
  const bool csv = o.format == "csv";
  const auto record = [&](const v1::ReportRow& row) {
    Record r = RowRecord(o.by, row, *budgets);
    if (csv) AddMoney(row, r);
    return r;
  };
  std::vector<Record> records;
  for (const v1::ReportRow& row : response->rows()) {
    records.push_back(record(row));
  }
  if (csv) {
    PrintCsv(context, record({}), records);
    return kExitDone;
  }
  Record head;
  head.Add("by", o.by);
  head.AddTime("from", response->has_from(), response->from());
  head.AddTime("to", response->has_to(), response->to());
  head.Add("baseline", response->baseline());
  head.AddTime("as_of", response->has_as_of(), response->as_of());
  head.AddRecord("total", RowRecord("total", response->total(), *budgets));
  std::vector<Record> idle;
  for (const v1::ReportRow& row : response->unallocated()) {
    idle.push_back(RowRecord(o.by, row, *budgets));
  }
  head.AddRecords("unallocated", idle);
  head.Add("metered_kwh", CCSCHED_OPTIONAL(*response, metered_kwh));
  head.Add("unmetered_kwh", CCSCHED_OPTIONAL(*response, unmetered_kwh));
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
      "  ccsched report --from 2026-01-01 --to 2026-02-01 --as-of 2026-02-03\n"
      "\nCO2e and GROSS are location-based, PUE included; NET is market-based: "
      "less the clean\nenergy under contract (cluster.yaml), matched hour by "
      "hour, where a surplus earns\nnothing. SAVED is against the baseline "
      "that was frozen when each job was submitted:\nrun at once at the first "
      "site with room. It is of jobs that have ended, and may be\nnegative; of "
      "a job that ran beyond --from or --to, its baseline counts by the part\n"
      "of its energy in between. CFE is the 24/7 carbon-free score. MARGINAL, "
      "EMBODIED and\nGRID LOSS (what was generated and lost on the way, Scope "
      "3) stand apart and are in\nno other figure.\n"
      "The idle rows are what nodes used for no job, so that all adds up to "
      "the meters.\nWhat was not measured is modelled; what is unknown is '-'. "
      "When actual grid data\nreplace forecasts, figures are restated; "
      "--as-of TIME gives those of then. By\nproject, BUDGET and LEFT are of "
      "the budget's current period, whatever --from and\n--to say.");
  c.Choice("--by", &o->by,
           {"user", "project", "site", "region", "job", "month"},
           "a row for each");
  c.Text("--from", "TIME", &o->from, "energy used from then on");
  c.Text("--to", "TIME", &o->to, "and before then");
  c.Text("--as-of", "TIME", &o->as_of, "the figures as they were known then");
  c.Text("-u,--user", "USER", &o->user, "of this user's jobs");
  c.Text("--project", "NAME", &o->project, "of this project's jobs");
  c.Choice("--training-type", &o->training_type,
           {"pre-training", "fine-tuning"}, "what a huggingface card says");
  c.Choice("-o,--format", &o->format,
           {"table", "json", "csv", "codecarbon", "huggingface", "ghg",
            "mlperf", "impact-framework"},
           "how to print it; from codecarbon on one entry an ended job, ghg by "
           "--by");
  c.OnRun([o, &context] { return RunReport(context, *o); });
}

}  // namespace ccsched
