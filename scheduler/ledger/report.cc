// Sums the ledger's energy and emissions by user, site, month and so on.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/report.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/known_sum.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/market.h"
#include "scheduler/ledger/rows.h"

namespace ccsched {
namespace {

struct AttemptSpan {
  int64_t id = 0;
  std::string site, user, project;
  uint32_t count = 0;
  std::optional<absl::Time> started, ended;
};

absl::Time MonthAfter(absl::Time t) {
  return absl::FromCivil(absl::ToCivilMonth(t, absl::UTCTimeZone()) + 1,
                         absl::UTCTimeZone());
}

std::string MonthOf(absl::Time t) {
  const absl::CivilMonth month = absl::ToCivilMonth(t, absl::UTCTimeZone());
  return absl::StrFormat("%04d-%02d", month.year(), month.month());
}

// What a row of emissions cost, where that is on record.
struct SliceCost {
  std::optional<int64_t> electricity, accelerators;
  std::optional<std::string> currency, accelerator_currency;  // or ""

  void AddTo(const EnergySlice& slice, ReportRecord& record) const {
    if (!currency) return;
    if (!currency->empty()) {
      AddKnown(record.costs[*currency].electricity_micros, electricity);
    }
    if (!accelerator_currency->empty()) {
      AddKnown(record.costs[*accelerator_currency].accelerator_micros,
               accelerators);
    }
    if (!electricity && slice.joules) {
      record.unpriced_joules += WithPue(*slice.joules, slice.pue);
    }
  }
};

// The part of one job in one record; and the sum of all, in which whatever is
// in several records counts once.
struct Part {
  ReportRecord sums;
  int64_t attempt = -1;         // the last one counted in `sums`
  int64_t unknown_energy = -1;  // the last one counted as such
  int64_t unknown_carbon = -1;
};

class Reporter {
 public:
  Reporter(SqliteDb& db, const ReportFilter& filter)
      : db_(db),
        filter_(filter),
        from_(filter.from.value_or(absl::InfinitePast())),
        to_(filter.to.value_or(absl::InfiniteFuture())) {}

  // Adds the jobs' records and their total to `report`.
  absl::Status Run(const MarketBook& market, LedgerReport& report) {
    market_ = &market;
    RETURN_IF_ERROR(ReadLastStep());
    if (filter_.by == ReportBy::kRegion) RETURN_IF_ERROR(ReadRegions());
    Statement& attempts = db_.Prepare(
        "SELECT id, site, count, started, ended, user, project "
        "FROM attempts JOIN submissions ON submissions.job = id >> 20 "
        "WHERE (?1 = '' OR user = ?1) AND (?2 = '' OR project = ?2) "
        "ORDER BY id");
    attempts.Bind(filter_.user, filter_.project);
    emissions_ = &db_.Prepare(
        "SELECT attempt, start, \"end\", joules, milligrams, pue, intensity, "
        "grid_share, marginal, embodied, method, site, region, "
        "intensity_estimated, revision, recorded, electricity, currency, "
        "accelerators, accelerator_currency "
        "FROM emissions LEFT JOIN costs USING (attempt, start) "
        "WHERE " CCSCHED_STANDS " ORDER BY attempt, start");
    emissions_->Bind(filter_.as_of);
    NextSlice();
    while (attempts.Next()) {
      AttemptSpan a;
      attempts.Read(0, std::tie(a.id, a.site, a.count, a.started, a.ended,
                                a.user, a.project));
      if (filter_.as_of && a.started && *a.started > *filter_.as_of) {
        a.started.reset();
      }
      if (PackedJob(a.id) != job_) RETURN_IF_ERROR(FinishJob());
      job_ = PackedJob(a.id);
      AddAttempt(a);
    }
    RETURN_IF_ERROR(attempts.status());
    RETURN_IF_ERROR(FinishJob());
    // The rest belongs to nobody asked for.
    RETURN_IF_ERROR(emissions_->status());
    Finish(report);
    return absl::OkStatus();
  }

 private:
  // A running attempt is counted up to the last thing that the ledger saw.
  absl::Status ReadLastStep() {
    Statement& step =
        db_.Prepare("SELECT now FROM steps ORDER BY sequence DESC LIMIT 1");
    if (step.Bind().Next()) last_step_ = step.Column<absl::Time>(0);
    if (filter_.as_of) last_step_ = std::min(last_step_, *filter_.as_of);
    return step.status();
  }

  // An attempt knows its site only; the region stands with the energy. Of one
  // without any it is the newest that its site was in.
  absl::Status ReadRegions() {
    Statement& sites =
        db_.Prepare("SELECT site, max(region) FROM emissions GROUP BY site");
    sites.Bind();
    while (sites.Next()) {
      regions_.emplace(sites.Column<std::string>(0),
                       sites.Column<std::string>(1));
    }
    return sites.status();
  }

  void NextSlice() {
    more_ = emissions_->Next();
    if (!more_) return;
    emissions_->Read(
        0, std::tie(slice_.owner, slice_.start, slice_.end, slice_.joules,
                    slice_.milligrams, slice_.pue, slice_.intensity,
                    slice_.grid_share, slice_.marginal, slice_.embodied,
                    slice_.method, slice_.site, slice_.region, slice_.estimated,
                    slice_.revision, slice_.recorded, cost_.electricity,
                    cost_.currency, cost_.accelerators,
                    cost_.accelerator_currency));
  }

  bool InRange(absl::Time t) const { return t >= from_ && t < to_; }

  void AddAttempt(const AttemptSpan& a) {
    while (more_ && slice_.owner < a.id) NextSlice();
    const bool sliced = more_ && slice_.owner == a.id;
    if (a.started) {
      const auto known = regions_.find(a.site);
      const std::string region = sliced                    ? slice_.region
                                 : known == regions_.end() ? ""
                                                           : known->second;
      AddRun(a, region, *a.started, sliced);
    }
    for (; more_ && slice_.owner == a.id; NextSlice()) AddSlice(a);
  }

  void AddRun(const AttemptSpan& a, const std::string& region, absl::Time start,
              bool sliced) {
    absl::Time end = a.ended ? *a.ended : std::max(start, last_step_);
    if (filter_.as_of) end = std::min(end, *filter_.as_of);
    if (InRange(start)) {
      Part& part = PartOf(a, region, start);
      // No record of its energy at all: unknown, unless it took no time.
      if (!sliced && end > start) UnknownEnergy(part, a.id);
    }
    absl::Time last = std::min(end, to_);
    for (absl::Time t = std::max(start, from_); t < last;) {
      absl::Time stop =
          filter_.by == ReportBy::kMonth ? std::min(last, MonthAfter(t)) : last;
      PartOf(a, region, t).sums.accelerator_hours +=
          a.count * absl::ToDoubleHours(stop - t);
      t = stop;
    }
  }

  void AddSlice(const AttemptSpan& a) {
    if (slice_.joules) job_joules_ += WithPue(*slice_.joules, slice_.pue);
    if (!InRange(slice_.start)) return;
    Part& part = PartOf(a, slice_.region, slice_.start);
    if (!slice_.joules) {
      UnknownEnergy(part, a.id);
    } else if (!slice_.milligrams) {
      Once(part.unknown_carbon, a.id, part.sums.unknown_carbon_attempts);
      Once(total_.unknown_carbon, a.id, total_.sums.unknown_carbon_attempts);
    }
    market_->Add(slice_, part.sums);
    cost_.AddTo(slice_, part.sums);
  }

  static void Once(int64_t& last, int64_t attempt, uint64_t& count) {
    if (last != attempt) ++count;
    last = attempt;
  }
  void UnknownEnergy(Part& part, int64_t attempt) {
    for (Part* const p : {&part, &total_}) {
      Once(p->unknown_energy, attempt, p->sums.unknown_energy_attempts);
    }
  }

  // The job's part that `t` of this attempt belongs to; counts the attempt.
  Part& PartOf(const AttemptSpan& a, const std::string& region, absl::Time t) {
    Part& part = parts_[KeyOf(a, region, t)];
    for (Part* const p : {&part, &total_}) {
      Once(p->attempt, a.id, p->sums.attempts);
    }
    return part;
  }

  std::string KeyOf(const AttemptSpan& a, const std::string& region,
                    absl::Time t) const {
    switch (filter_.by) {
      case ReportBy::kUser:
        return a.user;
      case ReportBy::kProject:
        return a.project;
      case ReportBy::kSite:
        return a.site;
      case ReportBy::kRegion:
        return region;
      case ReportBy::kMonth:
        return MonthOf(t);
      case ReportBy::kJob:
        break;
    }
    return absl::StrCat(PackedJob(a.id).value());
  }

  // Adds the job's parts to the records, its baseline shared out by energy.
  absl::Status FinishJob() {
    if (!parts_.empty()) {
      ASSIGN_OR_RETURN(const std::optional<int64_t> baseline, Baseline());
      if (baseline) ShareBaseline(*baseline);
    }
    for (auto& [key, part] : parts_) {
      uint64_t order = filter_.by == ReportBy::kJob ? job_.value() : 0;
      ReportRecord& record = records_[{order, key}];
      AddSums(part.sums, record);
      AddSums(part.sums, total_.sums);
      record.attempts += part.sums.attempts;
      record.unknown_energy_attempts += part.sums.unknown_energy_attempts;
      record.unknown_carbon_attempts += part.sums.unknown_carbon_attempts;
      ++record.jobs;
    }
    if (!parts_.empty()) ++total_.sums.jobs;
    parts_.clear();
    job_joules_ = 0;
    return absl::OkStatus();
  }

  // What stood as the job's baseline.
  absl::StatusOr<std::optional<int64_t>> Baseline() {
    Statement& s = db_.Prepare(
        "SELECT milligrams FROM baselines "
        "WHERE job = ?2 AND (?1 IS NULL OR recorded <= ?1) UNION ALL "
        "SELECT milligrams FROM baselines_past "
        "WHERE job = ?2 AND recorded <= ?1 AND replaced > ?1");
    std::optional<int64_t> baseline;
    if (s.Bind(filter_.as_of, job_).Next()) {
      baseline = s.Column<std::optional<int64_t>>(0);
    }
    RETURN_IF_ERROR(s.status());
    return baseline;
  }

  // Rounds the running sum, so that the shares add up to the whole.
  void ShareBaseline(int64_t baseline) {
    int64_t seen = 0, given = 0;
    for (auto& [key, part] : parts_) {
      if (!part.sums.joules) continue;
      seen += *part.sums.joules;
      double share = job_joules_ == 0 ? 1.0
                                      : static_cast<double>(seen) /
                                            static_cast<double>(job_joules_);
      int64_t upto = std::llround(static_cast<double>(baseline) * share);
      part.sums.baseline_milligrams = upto - given;
      part.sums.compared_milligrams = part.sums.milligrams;
      given = upto;
    }
  }

  void Finish(LedgerReport& report) {
    report.rows.reserve(records_.size());
    for (auto& [key, record] : records_) {
      record.key = key.second;
      report.rows.push_back(std::move(record));
    }
    total_.sums.key = "total";
    report.total = std::move(total_.sums);
  }

  SqliteDb& db_;
  const ReportFilter& filter_;
  const absl::Time from_, to_;
  absl::Time last_step_ = absl::InfinitePast();
  Statement* emissions_ = nullptr;
  EnergySlice slice_;  // the next one, while more_
  SliceCost cost_;     // of it
  bool more_ = false;
  JobId job_;
  int64_t job_joules_ = 0;  // PUE included, in and out of the range
  const MarketBook* market_ = nullptr;
  std::map<std::string, Part> parts_;
  Part total_;
  std::map<std::string, std::string> regions_;  // by site
  std::map<std::pair<uint64_t, std::string>, ReportRecord> records_;
};

// What the nodes' meters say that is no job's.
absl::Status AddUnallocated(SqliteDb& db, const ReportFilter& filter,
                            const MarketBook& market, LedgerReport& report) {
  if (!filter.user.empty() || !filter.project.empty()) return absl::OkStatus();
  Statement& s = db.Prepare(
      "SELECT node, start, \"end\", unallocated, milligrams, pue, intensity, "
      "grid_share, marginal, method, site, region, intensity_estimated, "
      "revision, recorded, metered FROM node_energy "
      "WHERE " CCSCHED_STANDS " AND start >= ?2 AND start < ?3");
  s.Bind(filter.as_of, filter.from.value_or(absl::InfinitePast()),
         filter.to.value_or(absl::InfiniteFuture()));
  std::map<std::string, ReportRecord> records;
  EnergySlice slice;
  while (s.Next()) {
    int64_t metered = 0;
    s.Read(0, std::tie(slice.owner, slice.start, slice.end, slice.joules,
                       slice.milligrams, slice.pue, slice.intensity,
                       slice.grid_share, slice.marginal, slice.method,
                       slice.site, slice.region, slice.estimated,
                       slice.revision, slice.recorded, metered));
    const std::string key = filter.by == ReportBy::kSite     ? slice.site
                            : filter.by == ReportBy::kRegion ? slice.region
                            : filter.by == ReportBy::kMonth
                                ? MonthOf(slice.start)
                                : "";
    ReportRecord& record = records[key];
    market.Add(slice, record);
    record.metered_joules += WithPue(metered, slice.pue);
  }
  RETURN_IF_ERROR(s.status());
  for (auto& [key, record] : records) {
    record.key = key;
    AddSums(record, report.unallocated_total);
    report.unallocated.push_back(std::move(record));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LedgerReport> MakeReport(SqliteDb& db,
                                        const ReportFilter& filter) {
  LedgerReport report;
  report.unallocated_total.key = "total";
  ASSIGN_OR_RETURN(const MarketBook market, MarketBook::Read(db, filter));
  RETURN_IF_ERROR(Reporter(db, filter).Run(market, report));
  RETURN_IF_ERROR(AddUnallocated(db, filter, market, report));
  return report;
}

}  // namespace ccsched
