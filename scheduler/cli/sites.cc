// `ccsched sites`: sites, their pools and their grids.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

// One record a pool, with its site's fields: flat, so that CSV is too.
Record PoolRecord(const v1::SiteStatus& site, const v1::PoolStatus& pool) {
  Record r;
  r.Add("site", site.name());
  r.Add("region", site.region());
  r.Add("pue", site.pue());
  r.Add("intensity_g_per_kwh", CCSCHED_OPTIONAL(site, intensity));
  r.Add("cfe_pct", CCSCHED_OPTIONAL(site, cfe_pct));
  r.Add("data_state", site.data_state());
  r.AddTime("data_issued", site.has_data_issued(), site.data_issued());
  r.Add("basis", site.basis());
  r.Add("data_error", site.data_error());
  r.Add("accelerator", pool.accelerator());
  r.Add("nodes", pool.nodes());
  r.Add("accelerators", pool.total());
  r.Add("busy", pool.busy());
  r.Add("drained", pool.drained());
  r.Add("idle_watts", pool.idle_watts());
  r.Add("active_watts", pool.active_watts());
  return r;
}

// The site's own cells stand on its first pool's line.
std::vector<Cell> SiteCells(const v1::SiteStatus& site, bool first, bool cfe) {
  const auto once = [first](const std::string& text) {
    return first ? text : std::string();
  };
  const Style data = site.data_state() == "fresh"  ? Style::kGreen
                     : site.data_state() == "none" ? Style::kRed
                                                   : Style::kYellow;
  std::vector<Cell> cells = {
      once(site.name()), once(site.region()),
      once(absl::StrFormat("%.2f", site.pue())),
      once(site.has_intensity() ? absl::StrFormat("%.0f", site.intensity())
                                : "-")};
  if (cfe) {
    cells.push_back(once(
        site.has_cfe_pct() ? absl::StrFormat("%.0f %%", site.cfe_pct()) : "-"));
  }
  cells.push_back({once(site.data_state()), data});
  return cells;
}

void PrintTable(const v1::SitesResponse& response, Context& context) {
  bool cfe = false;
  for (const v1::SiteStatus& site : response.sites()) {
    cfe = cfe || site.has_cfe_pct();
  }
  std::vector<Column> columns = {{"SITE"},
                                 {"REGION"},
                                 {"PUE", Align::kRight, 3},
                                 {"NOW gCO2e/kWh", Align::kRight}};
  if (cfe) columns.push_back({"CFE", Align::kRight, 2});
  for (const Column& column :
       std::vector<Column>{{"DATA"},
                           {"ACCELERATOR"},
                           {"NODES", Align::kRight, 4},
                           {"TOTAL", Align::kRight},
                           {"BUSY", Align::kRight},
                           {"DRAINED", Align::kRight, 1}}) {
    columns.push_back(column);
  }
  Table table(columns);
  for (const v1::SiteStatus& site : response.sites()) {
    bool first = true;
    for (const v1::PoolStatus& pool : site.pools()) {
      std::vector<Cell> cells = SiteCells(site, first, cfe);
      for (const std::string& text :
           {pool.accelerator(), std::to_string(pool.nodes()),
            std::to_string(pool.total()), std::to_string(pool.busy()),
            pool.drained() > 0 ? std::to_string(pool.drained())
                               : std::string("-")}) {
        cells.push_back(text);
      }
      table.Add(std::move(cells));
      first = false;
    }
  }
  ShowTable(table, context);
  for (const v1::SiteStatus& site : response.sites()) {
    if (site.data_error().empty()) continue;
    context.err << site.region() << ": " << Printable(site.data_error(), 400)
                << "\n";
  }
  context.err << "It is " << ShortTime(response.has_now(), response.now(), true)
              << ".\n";
}

int RunSites(Context& context, const std::string& format) {
  const auto response = context.client().Sites();
  if (!response.ok()) return context.Fail(response.status());
  if (format == "table") {
    PrintTable(*response, context);
    return kExitDone;
  }
  std::vector<Record> records;
  for (const v1::SiteStatus& site : response->sites()) {
    for (const v1::PoolStatus& pool : site.pools()) {
      records.push_back(PoolRecord(site, pool));
    }
  }
  if (format == "csv") {
    PrintCsv(context, PoolRecord({}, {}), records);
  } else {
    Record head;
    head.AddTime("now", response->has_now(), response->now());
    PrintJson(context.out, "sites", head, "pools", records);
  }
  return kExitDone;
}

}  // namespace

void AddSites(Command& root, Context& context) {
  auto format = std::make_shared<std::string>("table");
  Command& c = root.Sub("sites", "show sites, their pools and their grids",
                        "  ccsched sites\n  ccsched sites -o json");
  AddFormat(c, format.get());
  c.OnRun([format, &context] { return RunSites(context, *format); });
}

}  // namespace ccsched
