// `ccsched footprint`: options for providers/footprint_command.h.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/step_series.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/output.h"
#include "scheduler/providers/footprint_command.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

// What one answer holds.
constexpr absl::Duration kHoursMost = absl::Hours(24 * 366);

// From the running scheduler's sites and the grid data in its ledger.
absl::StatusOr<KnownSite> AskForSite(Client& client, const std::string& name,
                                     absl::Time start, absl::Time end) {
  ASSIGN_OR_RETURN(const v1::SitesResponse sites, client.Sites());
  const v1::SiteStatus* site = nullptr;
  std::vector<std::string> known;
  for (const v1::SiteStatus& s : sites.sites()) {
    known.push_back(s.name());
    if (s.name() == name) site = &s;
  }
  if (site == nullptr) {
    return absl::NotFoundError(absl::StrCat("site: there is no \"", name, "\"",
                                            DidYouMean(name, known)));
  }
  if (end - start > kHoursMost) {
    return absl::InvalidArgumentError(absl::StrCat(
        "days: ", absl::ToDoubleHours(end - start) / 24,
        ": the scheduler is asked for at most 366; give gross_g_per_kwh or "
        "grid"));
  }
  v1::GetForecastRequest request;
  request.set_region(site->region());
  *request.mutable_start() = ToProto(start);
  *request.mutable_horizon() = ToProto(end - start);
  ASSIGN_OR_RETURN(const v1::GetForecastResponse response,
                   client.GetForecast(request));
  if (response.regions_size() != 1) {
    return absl::InternalError("the scheduler gave no series");
  }
  const v1::GridSeries& grid = response.regions(0);
  ASSIGN_OR_RETURN(
      const StepSeries series,
      StepSeries::Create(FromProto(grid.start()), FromProto(grid.step()),
                         {grid.intensity().begin(), grid.intensity().end()}));
  if (!series.Covers(start, end)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "site: the ledger knows nothing of the grid of ", name, " at ",
        FormatRfc3339(series.empty() ? start : series.end())));
  }
  KnownSite out;
  out.intensity = GramsPerKwh(series.IntegralHours(start, end) /
                              absl::ToDoubleHours(end - start));
  out.pue = site->pue();
  for (const bool estimated : grid.estimated()) {
    out.estimated = out.estimated || estimated;
  }
  return out;
}

}  // namespace

void AddFootprint(Command& root, Context& context) {
  auto o = std::make_shared<FootprintOptions>();
  Command& c = root.Sub(
      "footprint", "energy and CO2e of a described training run",
      "  ccsched footprint                  # the systems of the paper\n"
      "  ccsched footprint GPT-3 -o json\n"
      "  ccsched footprint GPT-3 --what-if GShard-600B\n"
      "  ccsched footprint T5 --what-if 'datacenter=Google Iowa' --what-if "
      "pue=1.1\n"
      "  ccsched footprint --file runs.yaml\n"
      "\nruns.yaml:\n"
      "  version: 1\n"
      "  runs:\n"
      "    - {name: mine, chips: 64, days: 3, watts: 330, pue: 1.1, "
      "gross_g_per_kwh: 380}\n"
      "    - {name: here, chips: 64, days: 3, watts: 330, site: oslo, start: "
      "2026-01-05T00:00:00Z}\n"
      "The second takes PUE and the grid's hours from the running "
      "scheduler.\n"
      "\nA CHANGE is datacenter=, accelerator=, model=, pue=, chips=, days=, "
      "watts=, gross= or\nnet= (g/kWh), or the name of a run: all of it, step "
      "by step.\n"
      "\nSource: Patterson et al. 2021, Carbon Emissions and Large Neural "
      "Network Training,\narXiv 2104.10350v3.");
  c.Arguments("NAME", &o->names, false, "runs by name (default: all)");
  c.Text("--file", "RUNS.yaml", &o->file, "your own runs");
  c.Repeated("--what-if", "CHANGE", &o->what_if,
             "the run changed, pue=1.1 say, or into another; repeat for more");
  AddFormat(c, &o->output);
  c.OnRun([o, &context] {
    o->sites = [&context](const std::string& site, absl::Time start,
                          absl::Time end) {
      return AskForSite(context.client(), site, start, end);
    };
    if (context.out_terminal) o->width = context.out_width;
    return FootprintCommand(*o, context.out, context.err);
  });
}

}  // namespace ccsched
