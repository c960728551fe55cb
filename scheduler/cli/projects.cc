// `ccsched projects`: budgets and shares, and how they stand.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"

namespace ccsched {
namespace {

Record ProjectRecord(const v1::ProjectStatus& p) {
  const v1::BudgetStatus& b = p.budget();
  const auto in_budget = [&p](auto value) {
    return p.has_budget() ? std::optional(value) : std::nullopt;
  };
  Record r;
  r.Add("project", p.name());
  r.Add("budget_co2e_g", in_budget(b.limit_g()));
  r.Add("budget_period", b.period());
  r.Add("budget_action", b.action());
  r.Add("used_co2e_g", in_budget(b.used_g()));
  r.Add("expected_co2e_g", in_budget(b.expected_g()));
  r.Add("left_co2e_g", in_budget(b.limit_g() - b.used_g() - b.expected_g()));
  r.Add("jobs_held", in_budget(b.jobs_held()));
  r.AddTime("period_start", b.has_period_start(), b.period_start());
  r.AddTime("period_end", b.has_period_end(), b.period_end());
  r.Add("share", CCSCHED_OPTIONAL(p, share));
  r.Add("charged_accelerator_hours",
        CCSCHED_OPTIONAL(p, charged_accelerator_hours));
  r.Add("accelerators", CCSCHED_OPTIONAL(p, accelerators));
  return r;
}

void PrintTable(const v1::ProjectsResponse& response, Context& context) {
  Table table({{"PROJECT"},
               {"BUDGET", Align::kRight},
               {"USED", Align::kRight},
               {"EXPECTED", Align::kRight, 2},
               {"LEFT", Align::kRight},
               {"UNTIL"},
               {"ACTION", Align::kLeft, 1},
               {"HELD", Align::kRight},
               {"SHARE", Align::kRight},
               {"CHARGED", Align::kRight, 3},
               {"RUNNING", Align::kRight, 4}});
  for (const v1::ProjectStatus& p : response.projects()) {
    const v1::BudgetStatus& b = p.budget();
    const bool has = p.has_budget();
    const double left = b.limit_g() - b.used_g() - b.expected_g();
    const auto grams = [has](double g) {
      return CarbonText(has ? std::optional(g) : std::nullopt);
    };
    table.Add(
        {p.name(),
         has ? absl::StrCat(CarbonText(b.limit_g()), "/", b.period()) : "-",
         grams(b.used_g()),
         grams(b.expected_g()),
         {grams(left), has && left <= 0 ? Style::kRed : Style::kGreen},
         has ? ShortTime(true, b.period_end()) : "-",
         has ? b.action() : "-",
         has ? std::to_string(b.jobs_held()) : "-",
         p.has_share() ? absl::StrFormat("%g", p.share()) : "-",
         p.has_share()
             ? absl::StrFormat("%.1f acc-h", p.charged_accelerator_hours())
             : "-",
         p.has_share() ? std::to_string(p.accelerators()) : "-"});
  }
  ShowTable(table, context);
}

int RunProjects(Context& context, const std::string& format) {
  const auto response = context.client().Projects();
  if (!response.ok()) return context.Fail(response.status());
  if (format == "table") {
    if (response->projects().empty()) {
      context.out << "No project has a budget or a share; cluster.yaml sets "
                     "them, under `projects`.\n";
      return kExitDone;
    }
    PrintTable(*response, context);
    return kExitDone;
  }
  std::vector<Record> records;
  for (const v1::ProjectStatus& p : response->projects()) {
    records.push_back(ProjectRecord(p));
  }
  if (format == "csv") {
    PrintCsv(context, ProjectRecord({}), records);
    return kExitDone;
  }
  Record head;
  head.AddTime("now", response->has_now(), response->now());
  PrintJson(context.out, "projects", head, "projects", records);
  return kExitDone;
}

}  // namespace

void AddProjects(Command& root, Context& context) {
  auto format = std::make_shared<std::string>("table");
  Command& c = root.Sub(
      "projects", "show projects' carbon budgets and shares",
      "  ccsched projects\n  ccsched projects -o json\n"
      "\nUSED is what the ledger has for the budget's period, EXPECTED what "
      "jobs that wait\nor run will still emit by forecast. CHARGED is "
      "contested capacity used, fading;\nthe less of it for its SHARE, the "
      "sooner a project's jobs get their turn. Both\nare set in cluster.yaml, "
      "under `projects`, and read again on SIGHUP.");
  AddFormat(c, format.get());
  c.OnRun([format, &context] { return RunProjects(context, *format); });
}

}  // namespace ccsched
