// `ccsched why`: the last decision about a job, and what else there was.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/offers.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

struct WhyOptions {
  std::string job;
  std::string format = "table";
};

void PrintChoices(const v1::Reason& reason, Context& context) {
  std::vector<Column> columns = OfferColumns();
  columns.insert(columns.begin(), {"CHOICE", Align::kLeft, 0, Excess::kWrap});
  columns.push_back({"= COST", Align::kRight});
  const bool priced = reason.chosen().has_cost();
  if (priced) columns.push_back({"MONEY", Align::kRight});
  const bool noted = !absl::StrCat(reason.chosen().note(), reason.now().note(),
                                   reason.next().note())
                          .empty();
  if (noted) columns.push_back({"NOTE", Align::kLeft, 0, Excess::kWrap});
  Table table(std::move(columns));
  for (const auto& [name, given, offer] :
       {std::tuple("chosen", reason.has_chosen(), &reason.chosen()),
        std::tuple("at once, first site", reason.has_now(), &reason.now()),
        std::tuple("next best", reason.has_next(), &reason.next())}) {
    if (!given) continue;
    std::vector<Cell> cells = OfferCells(*offer);
    cells.insert(cells.begin(), name);
    cells.emplace_back(CarbonText(
        offer->has_co2e_g() ? std::optional(offer->co2e_g() + offer->price_g())
                            : std::nullopt));
    if (priced) cells.emplace_back(CostText(*offer));
    if (noted) cells.emplace_back(offer->note());
    table.Add(std::move(cells));
  }
  if (table.empty()) return;
  context.out << "\n";
  ShowTable(table, context);
}

// "is running"; of one that has ended, "has failed".
std::string Stands(v1::JobState state) {
  if (state == v1::JOB_CANCELLED) return "was ";
  return HasEnded(state) ? "has " : "is ";
}

template <typename List>
bool Allows(const List& asked, const std::string& name) {
  return asked.empty() ||
         std::find(asked.begin(), asked.end(), name) != asked.end();
}

// What a job has waited for that no policy has said anything about: room.
void PrintRoom(const v1::JobSpec& spec, Context& context) {
  const auto response = context.client().Sites();
  if (!response.ok()) return;
  Table table({{"SITE"},
               {"ACCELERATOR"},
               {"FREE", Align::kRight},
               {"TOTAL", Align::kRight},
               {"DRAINED", Align::kRight}});
  for (const v1::SiteStatus& site : response->sites()) {
    if (!Allows(spec.site(), site.name())) continue;
    if (!Allows(spec.region(), site.region())) continue;
    for (const v1::PoolStatus& pool : site.pools()) {
      if (!Allows(spec.accelerator(), pool.accelerator())) continue;
      table.Add(
          {site.name(), pool.accelerator(),
           std::to_string(pool.total() - std::min(pool.total(), pool.busy())),
           std::to_string(pool.total()), std::to_string(pool.drained())});
    }
  }
  context.out << "It needs " << AcceleratorsOf(spec)
              << "; where it may run there are now:\n\n";
  ShowTable(table, context);
}

Record HeadOf(const v1::Job& job) {
  Record record;
  record.Add("job_id", job.id());
  record.Add("state", StateName(job.state()));
  record.Add("state_note", job.state_note());
  return record;
}

// A row for each choice; one without a choice where there was none.
void PrintWhyCsv(const v1::Job& job, Context& context) {
  const v1::Reason& reason = job.reason();
  const auto row = [&](const char* choice, const v1::Offer* offer) {
    Record record = HeadOf(job);
    record.Add("reason", reason.text());
    record.Add("code", reason.code());
    record.Add("policy", reason.policy());
    record.AddTime("decided", reason.has_decided(), reason.decided());
    record.Add("choice", choice);
    if (offer != nullptr) {
      record.Append(OfferRecordOf(*offer));
    } else {
      for (const std::string& name : OfferRecordOf({}).Names()) {
        record.AddNull(name);
      }
    }
    return record;
  };
  std::vector<Record> rows;
  if (reason.has_chosen()) rows.push_back(row("chosen", &reason.chosen()));
  if (reason.has_now()) rows.push_back(row("now", &reason.now()));
  if (reason.has_next()) rows.push_back(row("next", &reason.next()));
  if (rows.empty()) rows.push_back(row("", nullptr));
  PrintCsv(context, row("", nullptr), rows);
}

int RunWhy(Context& context, const WhyOptions& o) {
  const auto id = ParseJobId(o.job);
  if (!id.ok()) return context.Fail(id.status());
  const auto job = context.client().Get(*id);
  if (!job.ok()) return context.Fail(job.status());
  const v1::Reason& reason = job->reason();
  if (o.format == "csv") {
    PrintWhyCsv(*job, context);
    return kExitDone;
  }
  if (o.format == "json") {
    Record record = HeadOf(*job);
    record.AddRecord("reason", ReasonRecordOf(reason));
    PrintJson(context.out, "why", record);
    return kExitDone;
  }
  context.out << "Job " << job->id() << " " << Stands(job->state())
              << Styled(StateName(job->state()), StateStyle(job->state()),
                        context.out_colour);
  if (!job->state_note().empty()) {
    context.out << ": " << Printable(job->state_note(), 1000);
  }
  context.out << "\n";
  if (reason.code().empty()) {
    context.out << "Nothing was decided about it"
                << (HasEnded(job->state()) ? "" : " yet") << ".\n";
    if (job->state() == v1::JOB_QUEUED) PrintRoom(job->spec(), context);
    return kExitDone;
  }
  context.out << Printable(reason.text(), 2000) << "\n";
  PrintChoices(reason, context);
  if (reason.chosen().has_co2e_g()) {
    context.out << "\nIts cost is " << CarbonText(reason.chosen().co2e_g())
                << " of carbon, " << CarbonText(reason.capacity_price_g())
                << " for the price of capacity, "
                << CarbonText(reason.money_price_g()) << " for money and "
                << CarbonText(reason.delay_price_g()) << " for delay.\n";
  }
  context.out << "\nDecided "
              << ShortTime(reason.has_decided(), reason.decided(), true)
              << " by policy " << Printable(reason.policy()) << ".\n";
  return kExitDone;
}

}  // namespace

void AddWhy(Command& root, Context& context) {
  auto o = std::make_shared<WhyOptions>();
  Command& c = root.Sub("why", "say why a job waits, or runs where it does",
                        "  ccsched why 12\n"
                        "\nIt asks only; no decision is taken by asking.");
  c.Argument("JOB", &o->job, true, "the job's number");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunWhy(context, *o); });
}

}  // namespace ccsched
