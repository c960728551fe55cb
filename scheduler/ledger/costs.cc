// What the energy and the accelerators of each attempt cost, on record.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/costs.h"

#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/report.h"
#include "scheduler/ledger/rows.h"

namespace ccsched {
namespace {

struct CostSlice {
  int64_t attempt = 0;
  absl::Time start;
  std::optional<int64_t> electricity, accelerators, joules;
  std::string currency, accelerator_currency, site, region, user, project;
  double pue = 1;
};

std::string KeyOf(const CostSlice& c, ReportBy by) {
  switch (by) {
    case ReportBy::kUser:
      return c.user;
    case ReportBy::kProject:
      return c.project;
    case ReportBy::kSite:
      return c.site;
    case ReportBy::kRegion:
      return c.region;
    case ReportBy::kMonth: {
      const absl::CivilMonth m =
          absl::ToCivilMonth(c.start, absl::UTCTimeZone());
      return absl::StrFormat("%04d-%02d", m.year(), m.month());
    }
    case ReportBy::kJob:
      break;
  }
  return absl::StrCat(PackedJob(c.attempt).value());
}

void Add(std::optional<int64_t>& sum, std::optional<int64_t> value) {
  if (value) sum = sum.value_or(0) + *value;
}

}  // namespace

absl::Status WriteCosts(SqliteDb& db, const std::vector<CostRow>& rows) {
  if (rows.empty()) return absl::OkStatus();
  Statement& insert = db.Prepare(
      "REPLACE INTO costs (attempt, start, electricity, currency, "
      "accelerators, accelerator_currency) VALUES (?,?,?,?,?,?)");
  for (const CostRow& row : rows) {
    RETURN_IF_ERROR(insert
                        .Bind(PackedId(row.job, row.epoch), row.start,
                              row.electricity_micros, row.currency,
                              row.accelerator_micros, row.accelerator_currency)
                        .Run());
  }
  return absl::OkStatus();
}

absl::Status AddCosts(SqliteDb& db, const ReportFilter& filter,
                      std::vector<ReportRecord>& records) {
  std::map<std::string, ReportRecord*> by_key;
  for (ReportRecord& record : records) by_key[record.key] = &record;
  Statement& s = db.Prepare(
      "SELECT c.attempt, c.start, c.electricity, c.accelerators, e.joules, "
      "c.currency, c.accelerator_currency, a.site, e.region, s.user, "
      "s.project, e.pue FROM costs AS c "
      "JOIN emissions AS e ON e.attempt = c.attempt AND e.start = c.start "
      "AND e.superseded_by IS NULL "
      "JOIN attempts AS a ON a.id = c.attempt "
      "JOIN submissions AS s ON s.job = c.attempt >> 20 "
      "WHERE (?1 = '' OR s.user = ?1) AND (?2 = '' OR s.project = ?2) "
      "AND c.start >= ?3 AND c.start < ?4");
  s.Bind(filter.user, filter.project,
         filter.from.value_or(absl::InfinitePast()),
         filter.to.value_or(absl::InfiniteFuture()));
  CostSlice c;
  while (s.Next()) {
    s.Read(0, std::tie(c.attempt, c.start, c.electricity, c.accelerators,
                       c.joules, c.currency, c.accelerator_currency, c.site,
                       c.region, c.user, c.project, c.pue));
    const auto found = by_key.find(KeyOf(c, filter.by));
    if (found == by_key.end()) continue;
    ReportRecord& record = *found->second;
    if (!c.currency.empty()) {
      Add(record.costs[c.currency].electricity_micros, c.electricity);
    }
    if (!c.accelerator_currency.empty()) {
      Add(record.costs[c.accelerator_currency].accelerator_micros,
          c.accelerators);
    }
    if (!c.electricity && c.joules) {
      record.unpriced_joules += WithPue(*c.joules, c.pue);
    }
  }
  return s.status();
}

}  // namespace ccsched
