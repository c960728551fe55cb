// Ended jobs as entries of the report formats that others read.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/report_export.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

const v1::SiteStatus* FindSite(const v1::SitesResponse& sites,
                               const std::string& name) {
  for (const v1::SiteStatus& site : sites.sites()) {
    if (site.name() == name) return &site;
  }
  return nullptr;
}

// The weaker of two ways to know an energy.
std::string Weaker(const std::string& a, const std::string& b) {
  for (const char* method : {"estimated", "modelled"}) {
    if (a == method || b == method) return method;
  }
  return a.empty() ? b : a;
}

void AddAttempt(const v1::Attempt& a, ReportEntry* entry) {
  if (!a.has_started() || !a.has_ended()) return;
  ReportInterval i;
  i.start = FromProto(a.started());
  i.end = FromProto(a.ended());
  if (i.end <= i.start) return;
  entry->running += i.end - i.start;
  if (a.has_site_energy_kwh()) i.energy_kwh = a.site_energy_kwh();
  if (a.has_co2e_g()) i.co2e_g = a.co2e_g();
  // Weighted by energy, as it was accounted.
  if (i.energy_kwh && i.co2e_g && *i.energy_kwh > 0) {
    i.intensity = *i.co2e_g / *i.energy_kwh;
  }
  entry->intervals.push_back(std::move(i));
  entry->method = Weaker(entry->method, a.energy_method());
  entry->estimated = entry->estimated || a.co2e_estimated();
}

// What stands of the ledger's stretches, hour by hour.
std::vector<ReportInterval> IntervalsOf(const v1::Job& job) {
  std::vector<ReportInterval> intervals;
  for (const v1::EmissionSlice& s : job.emissions()) {
    if (s.has_superseded_at()) continue;
    ReportInterval i;
    i.start = FromProto(s.start());
    i.end = FromProto(s.end());
    if (i.end <= i.start) continue;
    if (s.has_energy_kwh()) i.energy_kwh = s.energy_kwh();
    if (s.has_intensity()) i.intensity = s.intensity();
    if (s.has_co2e_g()) i.co2e_g = s.co2e_g();
    if (s.pue() >= 1) i.pue = s.pue();
    intervals.push_back(std::move(i));
  }
  return intervals;
}

// Places in the order in which the job was there, each once.
void AddPlace(const std::string& place, std::string* places) {
  const std::vector<std::string> known = absl::StrSplit(*places, ", ");
  if (place.empty() ||
      std::find(known.begin(), known.end(), place) != known.end()) {
    return;
  }
  absl::StrAppend(places, places->empty() ? "" : ", ", place);
}

// The PUE as it was accounted, whatever the site's is now: that of the hours
// where it is the same in all, else the mean weighted by energy, which has the
// rounding of both sums in it.
double PueOf(const v1::Job& job, const std::vector<ReportInterval>& intervals,
             double otherwise) {
  const auto other = [&intervals](const ReportInterval& i) {
    return !i.pue || *i.pue != intervals.front().pue;
  };
  if (!intervals.empty() &&
      std::none_of(intervals.begin(), intervals.end(), other)) {
    return *intervals.front().pue;
  }
  double used = 0, drawn = 0;
  for (const v1::Attempt& a : job.attempts()) {
    if (!(a.energy_kwh() > 0) || !a.has_site_energy_kwh()) continue;
    used += a.energy_kwh();
    drawn += a.site_energy_kwh();
  }
  return used > 0 ? drawn / used : otherwise;
}

// The days of "2026-06".
void SetMonth(const std::string& key, ReportEntry& e) {
  absl::CivilMonth month;
  if (!absl::ParseCivilTime(key, &month)) return;
  const absl::TimeZone utc = absl::UTCTimeZone();
  e.start = std::max(e.start, absl::FromCivil(month, utc));
  const absl::Time end = absl::FromCivil(month + 1, utc);
  e.end = e.end == absl::UnixEpoch() ? end : std::min(e.end, end);
}

bool EndedWithin(const v1::Job& job, const v1::ReportRequest& request) {
  if (!job.has_ended() || job.attempts().empty()) return false;
  const absl::Time ended = FromProto(job.ended());
  return !(request.has_from() && ended < FromProto(request.from())) &&
         !(request.has_to() && ended >= FromProto(request.to()));
}

// Calls visit(job) for each that the request is about, in the order of ids.
template <typename Visit>
absl::Status ForEachJob(Client& client, const v1::ReportRequest& request,
                        Visit visit) {
  v1::ListJobsRequest list;
  list.set_all(true);
  list.set_user(request.user());
  list.set_project(request.project());
  list.set_page_size(1000);
  do {
    ASSIGN_OR_RETURN(const v1::ListJobsResponse page, client.List(list));
    for (const v1::Job& job : page.jobs()) RETURN_IF_ERROR(visit(job));
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ReportEntry>> JobEntries(
    Client& client, const v1::ReportRequest& request) {
  ASSIGN_OR_RETURN(const v1::SitesResponse sites, client.Sites());
  std::vector<ReportEntry> entries;
  const auto take = [&](const v1::Job& job) -> absl::Status {
    if (!EndedWithin(job, request)) return absl::OkStatus();
    // Only this call has the energy of each attempt.
    ASSIGN_OR_RETURN(const v1::Job full, client.Get(job.id(), true));
    entries.push_back(EntryOf(full, sites));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachJob(client, request, take));
  if (entries.empty()) {
    return absl::NotFoundError("report: no job that ran ended in that time");
  }
  return entries;
}

// From the first start to the last end of what ran in the time asked for, by
// entity; under "" of all. Of what still runs, there is no end.
class Periods {
 public:
  explicit Periods(const v1::ReportRequest& request)
      : by_(request.by()),
        from_(request.has_from() ? FromProto(request.from())
                                 : absl::InfinitePast()),
        to_(request.has_to() ? FromProto(request.to())
                             : absl::InfiniteFuture()) {
    if (request.has_as_of()) to_ = std::min(to_, FromProto(request.as_of()));
  }

  void Add(const v1::Job& job, const v1::SitesResponse& sites) {
    for (const v1::Attempt& a : job.attempts()) {
      if (!a.has_started()) continue;
      const absl::Time start = FromProto(a.started());
      const absl::Time end =
          a.has_ended() ? FromProto(a.ended()) : absl::InfiniteFuture();
      if (start >= to_ || end <= from_) continue;
      const Period period{std::max(start, from_), std::min(end, to_)};
      spans_[""].Cover(period);
      if (const std::string key = KeyOf(job, a, sites); !key.empty()) {
        spans_[key].Cover(period);
      }
    }
  }

  // Sets what is known of the entity's. What no job was there for has that of
  // the whole report.
  void Set(const std::string& key, ReportEntry& e) const {
    const auto own = spans_.find(key);
    const auto span = own == spans_.end() ? spans_.find("") : own;
    if (span == spans_.end()) return;
    e.start = span->second.start;
    if (span->second.end < absl::InfiniteFuture()) e.end = span->second.end;
  }

 private:
  struct Period {
    absl::Time start = absl::InfiniteFuture();
    absl::Time end = absl::InfinitePast();
    void Cover(const Period& other) {
      start = std::min(start, other.start);
      end = std::max(end, other.end);
    }
  };
  std::string KeyOf(const v1::Job& job, const v1::Attempt& a,
                    const v1::SitesResponse& sites) const {
    if (by_ == "user") return job.spec().user();
    if (by_ == "project") return job.spec().project();
    if (by_ == "job") return absl::StrCat(job.id());
    if (by_ == "site") return a.site();
    const v1::SiteStatus* const site = FindSite(sites, a.site());
    return site == nullptr ? "" : site->region();
  }

  std::string by_;
  absl::Time from_, to_;
  std::map<std::string, Period> spans_;
};

absl::StatusOr<Periods> ReadPeriods(Client& client,
                                    const v1::ReportRequest& request) {
  Periods periods(request);
  // A month has its days, and a time that was asked for is that.
  if (request.by() == "month" || (request.has_from() && request.has_to())) {
    return periods;
  }
  ASSIGN_OR_RETURN(const v1::SitesResponse sites, client.Sites());
  RETURN_IF_ERROR(ForEachJob(client, request, [&](const v1::Job& job) {
    periods.Add(job, sites);
    return absl::OkStatus();
  }));
  return periods;
}

absl::StatusOr<std::vector<ReportEntry>> EntityEntries(
    Client& client, const v1::ReportRequest& request) {
  ASSIGN_OR_RETURN(const v1::ReportResponse report, client.Report(request));
  ASSIGN_OR_RETURN(const Periods periods, ReadPeriods(client, request));
  std::vector<ReportEntry> entries;
  const auto add = [&](const v1::ReportRow& row, const std::string& prefix) {
    ReportEntry& e = entries.emplace_back();
    e.name =
        row.key().empty() ? prefix.empty() ? "-" : "idle" : prefix + row.key();
    if (request.by() == "site") e.site = row.key();
    if (request.by() == "region") e.region = row.key();
    periods.Set(prefix.empty() ? row.key() : "", e);
    if (report.has_from()) e.start = FromProto(report.from());
    if (report.has_to()) e.end = FromProto(report.to());
    if (request.by() == "month") SetMonth(row.key(), e);
    if (row.has_energy_kwh()) e.energy_kwh = row.energy_kwh();
    if (row.has_co2e_g()) e.co2e_g = row.co2e_g();
    if (row.has_net_co2e_g()) e.net_co2e_g = row.net_co2e_g();
    if (row.has_transmission_loss_kwh()) {
      e.lost_kwh = row.transmission_loss_kwh();
    }
    if (row.has_transmission_loss_co2e_g()) {
      e.lost_co2e_g = row.transmission_loss_co2e_g();
    }
    if (row.has_baseline_co2e_g()) e.baseline_co2e_g = row.baseline_co2e_g();
    e.estimated = row.estimated();
  };
  for (const v1::ReportRow& row : report.rows()) add(row, "");
  // An inventory holds all electricity, whoever it was for.
  for (const v1::ReportRow& row : report.unallocated()) add(row, "idle ");
  return entries;
}

}  // namespace

ReportEntry EntryOf(const v1::Job& job, const v1::SitesResponse& sites) {
  ReportEntry e;
  e.id = absl::StrCat(job.id());
  e.name = job.spec().name().empty() ? absl::StrCat("job ", job.id())
                                     : job.spec().name();
  e.user = job.spec().user();
  e.project = job.spec().project();
  e.method.clear();
  for (const v1::Attempt& a : job.attempts()) {
    const v1::SiteStatus* site = FindSite(sites, a.site());
    AddPlace(a.site(), &e.site);
    e.accelerator = a.accelerator();
    e.accelerators = std::max(e.accelerators, a.count());
    if (site != nullptr) {
      AddPlace(site->region(), &e.region);
      e.pue = site->pue();
    }
    AddAttempt(a, &e);
  }
  if (job.emissions_size() > 0) e.intervals = IntervalsOf(job);
  e.pue = PueOf(job, e.intervals, e.pue);
  if (e.method.empty()) e.method = "estimated";
  e.start = FromProto(job.has_started() ? job.started() : job.submitted());
  e.end = FromProto(job.ended());
  if (job.has_energy_kwh()) e.energy_kwh = job.energy_kwh();
  if (job.has_co2e_g()) e.co2e_g = job.co2e_g();
  if (job.has_baseline_co2e_g()) e.baseline_co2e_g = job.baseline_co2e_g();
  return e;
}

absl::StatusOr<std::string> ExportReport(Client& client,
                                         const std::string& format,
                                         const v1::ReportRequest& request,
                                         const std::string& training_type) {
  const bool by_entity = format == "ghg";
  if (request.has_as_of() && !by_entity) {
    return absl::InvalidArgumentError(
        absl::StrCat("--as-of: ", format,
                     " has the newest figures only; use table, json, "
                     "csv or ghg"));
  }
  ASSIGN_OR_RETURN(
      std::vector<ReportEntry> entries,
      by_entity ? EntityEntries(client, request) : JobEntries(client, request));
  for (ReportEntry& e : entries) e.training_type = training_type;
  return FormatReport(format, entries);
}

}  // namespace ccsched
