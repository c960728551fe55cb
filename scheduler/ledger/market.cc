// What is under contract on record, matched hour by hour to what sites used.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/market.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "scheduler/base/known_sum.h"
#include "scheduler/base/status.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/matching.h"
#include "scheduler/ledger/report.h"

namespace ccsched {
namespace {

constexpr absl::Duration kHour = absl::Hours(1);

int64_t HourIndex(absl::Time t) {
  return absl::Floor(t - absl::UnixEpoch(), kHour) / kHour;
}
absl::Time HourStart(int64_t hour) { return absl::UnixEpoch() + kHour * hour; }

// The part of [start, end) in each hour, as a share of the whole.
template <typename F>
void EachHour(absl::Time start, absl::Time end, F f) {
  if (start >= end) return f(HourIndex(start), 1.0);
  for (absl::Time t = start; t < end;) {
    const int64_t hour = HourIndex(t);
    const absl::Time until = std::min(end, HourStart(hour + 1));
    f(hour, absl::FDivDuration(until - t, end - start));
    t = until;
  }
}

// Energy of the contract that falls within the hour.
double KwhIn(const ContractRow& row, int64_t hour) {
  const absl::Time from = HourStart(hour), to = from + kHour;
  if (row.step == absl::ZeroDuration()) {
    const absl::Time a = std::max(from, row.start), b = std::min(to, row.end);
    return a < b ? row.kwh[0] * absl::FDivDuration(b - a, kHour) : 0;
  }
  double kwh = 0;
  const auto size = static_cast<int64_t>(row.kwh.size());
  int64_t i =
      std::max<int64_t>(0, absl::Floor(from - row.start, row.step) / row.step);
  for (; i < size; ++i) {
    const absl::Time start = row.start + row.step * i;
    const absl::Time a = std::max(from, start);
    const absl::Time b = std::min(to, start + row.step);
    if (start >= to) break;
    if (a < b) kwh += row.kwh[i] * absl::FDivDuration(b - a, row.step);
  }
  return kwh;
}

void AddMilligrams(std::optional<int64_t>& sum, double grams) {
  sum = sum.value_or(0) + std::llround(grams * 1000);
}

}  // namespace

absl::StatusOr<ContractSet> ReadContracts(SqliteDb& db, absl::Time as_of) {
  Statement& s = db.Prepare(
      "SELECT recorded, region, site, name, start, \"end\", step, kwh, "
      "residual, loss "
      "FROM contracts WHERE version = (SELECT max(version) FROM contracts "
      "WHERE recorded <= ?) ORDER BY rowid");
  s.Bind(as_of);
  ContractSet set;
  set.recorded = absl::InfinitePast();
  while (s.Next()) {
    ContractRow row;
    s.Read(0, std::tie(set.recorded, row.region, row.site, row.name, row.start,
                       row.end, row.step));
    if (row.region.empty()) continue;  // a set without any
    const auto kwh = s.Column<std::string>(7);
    row.kwh.resize(kwh.size() / sizeof(double));
    std::memcpy(row.kwh.data(), kwh.data(), row.kwh.size() * sizeof(double));
    row.residual = s.Column<std::optional<double>>(8);
    row.loss = s.Column<std::optional<double>>(9);
    set.rows.push_back(std::move(row));
  }
  RETURN_IF_ERROR(s.status());
  return set;
}

absl::StatusOr<MarketBook> MarketBook::Read(SqliteDb& db,
                                            const ReportFilter& filter) {
  MarketBook book;
  ASSIGN_OR_RETURN(
      book.contracts_,
      ReadContracts(db, filter.as_of.value_or(absl::InfiniteFuture())));
  if (book.contracts_.rows.empty()) return book;
  for (const ContractRow& row : book.contracts_.rows) {
    const size_t region = book.RegionOf(row.region);
    if (row.residual) book.residuals_[region] = row.residual;
    if (row.loss) book.losses_[region] = row.loss;
    if (!row.site.empty()) book.SiteOf(row.site, row.region);
    book.market_ = book.market_ || row.residual || !row.kwh.empty();
  }
  if (!book.market_) return book;
  RETURN_IF_ERROR(book.ReadLoads(db, filter));
  book.Settle();
  return book;
}

size_t MarketBook::RegionOf(const std::string& region) {
  const auto [it, added] = region_ids_.emplace(region, residuals_.size());
  if (added) residuals_.emplace_back(), losses_.emplace_back();
  return it->second;
}

size_t MarketBook::SiteOf(const std::string& site, const std::string& region) {
  const auto [it, added] = site_ids_.emplace(site, sites_.size());
  if (added) sites_.push_back({site, RegionOf(region)});
  return it->second;
}

absl::Status MarketBook::ReadLoads(SqliteDb& db, const ReportFilter& filter) {
  absl::Time from = filter.from.value_or(absl::InfinitePast());
  absl::Time to = filter.to.value_or(absl::InfiniteFuture());
  if (filter.from) from = HourStart(HourIndex(from));
  if (filter.to) to = HourStart(HourIndex(to - absl::Microseconds(1)) + 1);
  Statement& jobs = db.Prepare(
      "SELECT site, region, start, \"end\", joules, pue FROM emissions "
      "WHERE " CCSCHED_STANDS
      " AND start >= ?2 AND start < ?3 "
      "AND joules IS NOT NULL");
  Statement& nodes = db.Prepare(
      "SELECT site, region, start, \"end\", unallocated, pue FROM node_energy "
      "WHERE " CCSCHED_STANDS " AND start >= ?2 AND start < ?3");
  for (Statement* s : {&jobs, &nodes}) {
    s->Bind(filter.as_of, from, to);
    EnergySlice row;
    while (s->Next()) {
      s->Read(0, std::tie(row.site, row.region, row.start, row.end, row.joules,
                          row.pue));
      const size_t site = SiteOf(row.site, row.region);
      const double kwh =
          static_cast<double>(*row.joules) * row.pue / kJoulesPerKwh;
      EachHour(row.start, row.end, [&](int64_t hour, double part) {
        load_kwh_[{site, hour}] += kwh * part;
      });
    }
    RETURN_IF_ERROR(s->status());
  }
  return absl::OkStatus();
}

// Matches hour by hour, region by region.
void MarketBook::Settle() {
  std::map<std::pair<int64_t, size_t>, std::vector<size_t>> hours;
  for (const auto& [key, kwh] : load_kwh_) {
    hours[{key.second, sites_[key.first].region}].push_back(key.first);
  }
  for (auto& [key, sites] : hours) {
    const auto& [hour, region] = key;
    std::sort(sites.begin(), sites.end());
    std::vector<SiteHour> loads;
    for (const size_t site : sites) {
      loads.push_back({KilowattHours(load_kwh_[{site, hour}]), {}});
    }
    KilowattHours shared;
    for (const ContractRow& row : contracts_.rows) {
      if (row.kwh.empty() || region_ids_[row.region] != region) continue;
      const KilowattHours kwh(KwhIn(row, hour));
      if (row.site.empty()) {
        shared += kwh;
        continue;
      }
      for (size_t i = 0; i < sites.size(); ++i) {
        if (sites_[sites[i]].name == row.site) loads[i].own += kwh;
      }
    }
    const std::vector<double> shares = UncoveredShares(loads, shared);
    for (size_t i = 0; i < sites.size(); ++i) {
      uncovered_[{sites[i], hour}] = shares[i];
    }
  }
}

double MarketBook::Uncovered(const EnergySlice& slice) const {
  const auto site = site_ids_.find(slice.site);
  if (site == site_ids_.end()) return 1;
  double uncovered = 0;
  EachHour(slice.start, slice.end, [&](int64_t hour, double part) {
    const auto found = uncovered_.find(SiteHourKey(site->second, hour));
    uncovered += part * (found == uncovered_.end() ? 1 : found->second);
  });
  return uncovered;
}

void MarketBook::Add(const EnergySlice& slice, ReportRecord& record) const {
  AddKnown(record.milligrams, slice.milligrams);
  AddKnown(record.embodied_milligrams, slice.embodied);
  if (slice.milligrams && slice.estimated) record.estimated = true;
  if (slice.revision > 0) {
    ++record.restated;
    record.restated_last =
        std::max(record.restated_last.value_or(slice.recorded), slice.recorded);
  }
  if (!slice.joules) return;
  const int64_t joules = WithPue(*slice.joules, slice.pue);
  const double kwh = static_cast<double>(joules) / kJoulesPerKwh;
  AddKnown(record.joules, std::optional(joules));
  if (slice.method == "measured") record.measured_joules += joules;
  if (slice.marginal) {
    AddMilligrams(record.marginal_milligrams, kwh * *slice.marginal);
  }
  const auto region = region_ids_.find(slice.region);
  if (region != region_ids_.end() && losses_[region->second]) {
    // Generated is used / (1 - loss).
    const double lost =
        *losses_[region->second] / (1 - *losses_[region->second]);
    AddKnown(record.lost_joules, std::optional<int64_t>(std::llround(
                                     static_cast<double>(joules) * lost)));
    if (slice.intensity) {
      AddMilligrams(record.lost_milligrams, kwh * lost * *slice.intensity);
    }
  }
  const double uncovered = market_ ? Uncovered(slice) : 1;
  if (slice.grid_share || uncovered == 0) {
    record.score_joules += joules;
    record.carbon_free_joules +=
        static_cast<double>(joules) *
        (1 - uncovered + uncovered * slice.grid_share.value_or(0));
  }
  if (!market_) return;
  std::optional<double> rest = slice.intensity;
  if (region != region_ids_.end() && residuals_[region->second]) {
    rest = residuals_[region->second];
  }
  if (uncovered == 0) rest = 0;
  if (rest) {
    AddMilligrams(record.net_milligrams, kwh * uncovered * *rest);
  }
}

}  // namespace ccsched
