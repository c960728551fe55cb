// Sums the ledger's energy and emissions by user, site, month and so on.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/report.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/rows.h"

namespace ccsched {
namespace {

struct Slice {
  int64_t attempt = 0;
  absl::Time start;
  std::optional<int64_t> joules, milligrams;
  double pue = 1;
  bool measured = false, estimated = false;
};

struct AttemptSpan {
  int64_t id = 0;
  std::string site, user, project;
  uint32_t count = 0;
  std::optional<absl::Time> started, ended;
};

std::string MonthOf(absl::Time t) {
  absl::CivilMonth month = absl::ToCivilMonth(t, absl::UTCTimeZone());
  return absl::StrFormat("%04d-%02d", month.year(), month.month());
}

absl::Time MonthAfter(absl::Time t) {
  return absl::FromCivil(absl::ToCivilMonth(t, absl::UTCTimeZone()) + 1,
                         absl::UTCTimeZone());
}

void Add(std::optional<int64_t>& sum, std::optional<int64_t> value) {
  if (value) sum = sum.value_or(0) + *value;
}

// The part of one job in one record.
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

  absl::StatusOr<std::vector<ReportRecord>> Run() {
    RETURN_IF_ERROR(ReadLastStep());
    if (filter_.by == ReportBy::kRegion) RETURN_IF_ERROR(ReadRegions());
    Statement& attempts = db_.Prepare(
        "SELECT id, site, count, started, ended, user, project "
        "FROM attempts JOIN submissions ON submissions.job = id >> 20 "
        "WHERE (?1 = '' OR user = ?1) AND (?2 = '' OR project = ?2) "
        "ORDER BY id");
    attempts.Bind(filter_.user, filter_.project);
    emissions_ = &db_.Prepare(
        "SELECT attempt, start, joules, milligrams, pue, method, "
        "intensity_estimated FROM emissions "
        "WHERE superseded_by IS NULL ORDER BY attempt, start");
    emissions_->Bind();
    NextSlice();
    while (attempts.Next()) {
      AttemptSpan a;
      attempts.Read(0, std::tie(a.id, a.site, a.count, a.started, a.ended,
                                a.user, a.project));
      if (PackedJob(a.id) != job_) RETURN_IF_ERROR(FinishJob());
      job_ = PackedJob(a.id);
      AddAttempt(a);
    }
    RETURN_IF_ERROR(attempts.status());
    RETURN_IF_ERROR(FinishJob());
    // The rest belongs to nobody asked for.
    RETURN_IF_ERROR(emissions_->status());
    return Finish();
  }

 private:
  // A running attempt is counted up to the last thing that the ledger saw.
  absl::Status ReadLastStep() {
    Statement& step =
        db_.Prepare("SELECT now FROM steps ORDER BY sequence DESC LIMIT 1");
    if (step.Bind().Next()) last_step_ = step.Column<absl::Time>(0);
    return step.status();
  }

  // An attempt knows its site only; the region stands with the energy.
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
    std::string method;
    emissions_->Read(
        0, std::tie(slice_.attempt, slice_.start, slice_.joules,
                    slice_.milligrams, slice_.pue, method, slice_.estimated));
    slice_.measured = method == "measured";
  }

  bool InRange(absl::Time t) const { return t >= from_ && t < to_; }

  void AddAttempt(const AttemptSpan& a) {
    while (more_ && slice_.attempt < a.id) NextSlice();
    bool sliced = more_ && slice_.attempt == a.id;
    if (a.started) AddRun(a, *a.started, sliced);
    for (; more_ && slice_.attempt == a.id; NextSlice()) AddSlice(a);
  }

  void AddRun(const AttemptSpan& a, absl::Time start, bool sliced) {
    absl::Time end = a.ended ? *a.ended : std::max(start, last_step_);
    if (InRange(start)) {
      Part& part = PartOf(a, start);
      // No record of its energy at all: unknown, unless it took no time.
      if (!sliced && end > start)
        Once(part.unknown_energy, a.id, part.sums.unknown_energy_attempts);
    }
    absl::Time last = std::min(end, to_);
    for (absl::Time t = std::max(start, from_); t < last;) {
      absl::Time stop =
          filter_.by == ReportBy::kMonth ? std::min(last, MonthAfter(t)) : last;
      PartOf(a, t).sums.accelerator_hours +=
          a.count * absl::ToDoubleHours(stop - t);
      t = stop;
    }
  }

  void AddSlice(const AttemptSpan& a) {
    std::optional<int64_t> joules = slice_.joules;
    if (joules) joules = WithPue(*joules, slice_.pue);
    job_joules_ += joules.value_or(0);
    if (!InRange(slice_.start)) return;
    Part& part = PartOf(a, slice_.start);
    if (!joules) {
      Once(part.unknown_energy, a.id, part.sums.unknown_energy_attempts);
    } else if (!slice_.milligrams) {
      Once(part.unknown_carbon, a.id, part.sums.unknown_carbon_attempts);
    }
    Add(part.sums.joules, joules);
    Add(part.sums.milligrams, slice_.milligrams);
    if (slice_.measured) part.sums.measured_joules += joules.value_or(0);
    if (slice_.milligrams && slice_.estimated) part.sums.estimated = true;
  }

  static void Once(int64_t& last, int64_t attempt, uint64_t& count) {
    if (last != attempt) ++count;
    last = attempt;
  }

  // The job's part that `t` of this attempt belongs to; counts the attempt.
  Part& PartOf(const AttemptSpan& a, absl::Time t) {
    Part& part = parts_[KeyOf(a, t)];
    Once(part.attempt, a.id, part.sums.attempts);
    return part;
  }

  std::string KeyOf(const AttemptSpan& a, absl::Time t) const {
    switch (filter_.by) {
      case ReportBy::kUser:
        return a.user;
      case ReportBy::kProject:
        return a.project;
      case ReportBy::kSite:
        return a.site;
      case ReportBy::kRegion: {
        auto region = regions_.find(a.site);
        return region == regions_.end() ? "" : region->second;
      }
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
      Statement& statement =
          db_.Prepare("SELECT milligrams FROM baselines WHERE job = ?");
      std::optional<int64_t> baseline;
      if (statement.Bind(job_).Next()) {
        baseline = statement.Column<std::optional<int64_t>>(0);
      }
      RETURN_IF_ERROR(statement.status());
      if (baseline) ShareBaseline(*baseline);
    }
    for (auto& [key, part] : parts_) {
      uint64_t order = filter_.by == ReportBy::kJob ? job_.value() : 0;
      AddPart(part.sums, records_[{order, key}]);
    }
    parts_.clear();
    job_joules_ = 0;
    return absl::OkStatus();
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
      given = upto;
    }
  }

  static void AddPart(const ReportRecord& part, ReportRecord& to) {
    ++to.jobs;
    to.attempts += part.attempts;
    to.accelerator_hours += part.accelerator_hours;
    Add(to.joules, part.joules);
    Add(to.milligrams, part.milligrams);
    Add(to.baseline_milligrams, part.baseline_milligrams);
    to.measured_joules += part.measured_joules;
    to.estimated = to.estimated || part.estimated;
    to.unknown_energy_attempts += part.unknown_energy_attempts;
    to.unknown_carbon_attempts += part.unknown_carbon_attempts;
  }

  std::vector<ReportRecord> Finish() {
    std::vector<ReportRecord> result;
    result.reserve(records_.size());
    for (auto& [key, record] : records_) {
      record.key = key.second;
      result.push_back(std::move(record));
    }
    return result;
  }

  SqliteDb& db_;
  const ReportFilter& filter_;
  const absl::Time from_, to_;
  absl::Time last_step_ = absl::InfinitePast();
  Statement* emissions_ = nullptr;
  Slice slice_;  // the next one, while more_
  bool more_ = false;
  JobId job_;
  int64_t job_joules_ = 0;  // PUE included, in and out of the range
  std::map<std::string, Part> parts_;
  std::map<std::string, std::string> regions_;  // by site
  std::map<std::pair<uint64_t, std::string>, ReportRecord> records_;
};

}  // namespace

absl::StatusOr<std::vector<ReportRecord>> MakeReport(
    SqliteDb& db, const ReportFilter& filter) {
  return Reporter(db, filter).Run();
}

}  // namespace ccsched
