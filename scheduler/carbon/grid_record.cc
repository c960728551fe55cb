// What is known of each region's grid: actual values, and forecasts as issued.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/grid_record.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "scheduler/carbon/timeline.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr int kDaysBack = 7;
// A forecast's past is kept for so long, for jobs that began in it.
constexpr absl::Duration kKeepPast = absl::Hours(7 * 24);
constexpr absl::Duration kFallbackHorizon = absl::Hours(48);
// Of one region: six weeks of one every quarter of an hour.
constexpr size_t kIssuesMax = 4096;

Forecast WithoutPast(const Forecast& f, absl::Time before) {
  const StepSeries& s = f.series();
  if (before <= s.start() || before >= s.end()) return f;
  const size_t drop = (before - s.start()) / s.step();
  return Forecast(f.issued(), *StepSeries::Create(
                                  s.start() + s.step() * drop, s.step(),
                                  std::vector<double>(s.values().begin() + drop,
                                                      s.values().end())));
}

struct Fallback {
  double value;
  absl::Time until;  // the value holds no longer
  std::string method;
};

// The same hour of the last days, else the mean of the last year.
std::optional<Fallback> FallbackAt(const Timeline& actual, absl::Time t,
                                   absl::Time known_until) {
  for (int days = 1; days <= kDaysBack; ++days) {
    const Timeline::Cell* cell = actual.Find(t - kDay * days);
    if (cell == nullptr || cell->end > known_until) continue;
    return Fallback{
        cell->value, cell->end + kDay * days,
        absl::StrFormat("fallback same-hour-%dd %s", days, *cell->version)};
  }
  const absl::Time end = std::min(t, known_until);
  const std::optional<double> mean = actual.Mean(end - kDay * 365, end);
  if (!mean) return std::nullopt;
  return Fallback{*mean, HourOf(t) + absl::Hours(1), "fallback yearly-mean"};
}

// All of one basis in one region.
struct Track {
  std::string basis;
  Timeline actual;
  Timeline forecast;
  std::vector<Forecast> issues;  // in the order of issue

  // The merged forecast and the fallback of the last question.
  mutable std::shared_ptr<const Forecast> merged;
  mutable size_t merged_issues = 0;
  mutable std::shared_ptr<const Forecast> fallback;
  mutable absl::Time fallback_hour = absl::InfinitePast();

  void AddIssue(Forecast f) {
    const auto at = std::upper_bound(issues.begin(), issues.end(), f,
                                     [](const Forecast& a, const Forecast& b) {
                                       return a.issued() < b.issued();
                                     });
    if (static_cast<size_t>(at - issues.begin()) < merged_issues) {
      merged_issues = 0;
    }
    issues.insert(at, std::move(f));
    // A scheduler that runs for years: what is merged long since is let go.
    if (issues.size() > kIssuesMax && merged_issues > kIssuesMax / 2) {
      issues.erase(issues.begin(), issues.begin() + kIssuesMax / 4);
      merged_issues -= kIssuesMax / 4;
    }
  }

  // Of all forecasts issued by `now`; null if there are none.
  const std::shared_ptr<const Forecast>& Merged(absl::Time now) const {
    const size_t count = std::upper_bound(issues.begin(), issues.end(), now,
                                          [](absl::Time t, const Forecast& f) {
                                            return t < f.issued();
                                          }) -
                         issues.begin();
    if (count < merged_issues) merged_issues = 0;
    if (merged_issues == 0) merged = nullptr;
    for (; merged_issues < count; ++merged_issues) {
      const Forecast& next = issues[merged_issues];
      merged = std::make_shared<const Forecast>(
          merged == nullptr
              ? next
              : WithoutPast(*merged, next.series().start() - kKeepPast)
                    .Overlay(next));
    }
    return merged;
  }

  // From actual values that ended by `now`; null if there are none.
  std::shared_ptr<const Forecast> Fallback(absl::Time now) const {
    const absl::Time hour = HourOf(now);
    if (fallback_hour == hour) return fallback;
    fallback_hour = hour;
    fallback = nullptr;
    std::vector<double> values;
    for (absl::Time t = hour; t < hour + kFallbackHorizon;
         t += absl::Hours(1)) {
      const auto value = FallbackAt(actual, t, now);
      if (!value) return nullptr;
      values.push_back(value->value);
    }
    fallback = std::make_shared<const Forecast>(
        hour, *StepSeries::Create(hour, absl::Hours(1), std::move(values)));
    return fallback;
  }
};

absl::Status Check(const GridData& data) {
  if (!KnownBasis(data.basis)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "basis: \"%s\" is not known (average or marginal, then -lifecycle, "
        "-direct or -residual)",
        data.basis));
  }
  if (data.series.empty()) {
    return absl::InvalidArgumentError("a grid series without values");
  }
  if (!data.estimated.empty() &&
      data.estimated.size() != data.series.values().size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d values with %d marks of estimation",
                        data.series.values().size(), data.estimated.size()));
  }
  for (size_t i = 0; i < data.series.values().size(); ++i) {
    if (data.series.values()[i] < 0) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "intensity %g at %s is negative", data.series.values()[i],
          FormatUtc(data.series.start() + data.series.step() * i)));
    }
  }
  return absl::OkStatus();
}

void AddSpan(absl::Time from, absl::Time to, std::vector<TimeSpan>& spans) {
  if (!spans.empty() && spans.back().to == from) {
    spans.back().to = to;
  } else {
    spans.push_back({from, to});
  }
}

// Where the data say anything else than what is known already.
void NoteChanges(const Timeline& known, const GridData& data,
                 std::vector<TimeSpan>& changes) {
  for (size_t i = 0; i < data.series.values().size(); ++i) {
    const absl::Time from = data.series.start() + data.series.step() * i;
    const absl::Time to = from + data.series.step();
    const auto held = known.HeldOver(from, to);
    const bool estimated = !data.estimated.empty() && data.estimated[i];
    if (held && held->value == data.series.values()[i] &&
        held->estimated == estimated) {
      continue;
    }
    AddSpan(from, to, changes);
  }
}

void NoteChanges(const Timeline& before, const Timeline& now,
                 std::vector<TimeSpan>& changes) {
  now.EachCell([&](const Timeline::Cell& cell) {
    const auto held = before.HeldOver(cell.start, cell.end);
    if (held && held->value == cell.value &&
        held->estimated == cell.estimated) {
      return;
    }
    AddSpan(cell.start, cell.end, changes);
  });
}

std::vector<TimeSpan> Merged(std::vector<TimeSpan> spans) {
  std::sort(
      spans.begin(), spans.end(),
      [](const TimeSpan& a, const TimeSpan& b) { return a.from < b.from; });
  std::vector<TimeSpan> merged;
  for (const TimeSpan& span : spans) {
    if (merged.empty() || merged.back().to < span.from) {
      merged.push_back(span);
    } else {
      merged.back().to = std::max(merged.back().to, span.to);
    }
  }
  return merged;
}

}  // namespace

struct GridRecord::Region {
  GridRegionOptions options;
  Track accounts;
  std::optional<Track> decision;  // if it is another basis
  Timeline shares;
  std::vector<TimeSpan> changes;

  const Track& deciding() const { return decision ? *decision : accounts; }

  // Errors: InvalidArgument if the region has no such basis.
  absl::StatusOr<Track*> Find(const std::string& basis) {
    if (basis == accounts.basis) return &accounts;
    if (decision && basis == decision->basis) return &*decision;
    return absl::InvalidArgumentError(
        absl::StrFormat("basis %s does not mix with this region's %s%s%s",
                        basis, accounts.basis, decision ? " and " : "",
                        decision ? decision->basis : ""));
  }
};

GridRecord::GridRecord(std::vector<GridRegionOptions> regions) {
  for (GridRegionOptions& options : regions) {
    auto region = std::make_unique<Region>();
    region->accounts.basis = options.basis;
    if (!options.decision_basis.empty() &&
        options.decision_basis != options.basis) {
      region->decision.emplace();
      region->decision->basis = options.decision_basis;
    }
    region->options = std::move(options);
    regions_.push_back(std::move(region));
  }
}
GridRecord::~GridRecord() = default;
GridRecord::GridRecord(GridRecord&&) noexcept = default;
GridRecord& GridRecord::operator=(GridRecord&&) noexcept = default;

absl::Status GridRecord::AddActual(RegionId region, const GridData& data) {
  if (region.value() >= regions_.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no region %d", region.value()));
  }
  if (absl::Status s = Check(data); !s.ok()) return s;
  absl::StatusOr<Track*> track = regions_[region.value()]->Find(data.basis);
  if (!track.ok()) return track.status();
  NoteChanges((*track)->actual, data, regions_[region.value()]->changes);
  (*track)->actual.Add(
      data.series, data.estimated, data.issued,
      std::make_shared<const std::string>(absl::StrFormat(
          "actual %s %s", data.source, FormatUtc(data.issued))));
  (*track)->fallback_hour = absl::InfinitePast();
  return absl::OkStatus();
}

absl::Status GridRecord::AddForecast(RegionId region, GridData data) {
  if (region.value() >= regions_.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no region %d", region.value()));
  }
  if (absl::Status s = Check(data); !s.ok()) return s;
  absl::StatusOr<Track*> track = regions_[region.value()]->Find(data.basis);
  if (!track.ok()) return track.status();
  (*track)->forecast.Add(
      data.series, data.estimated, data.issued,
      std::make_shared<const std::string>(absl::StrFormat(
          "forecast %s %s", data.source, FormatUtc(data.issued))));
  (*track)->AddIssue(Forecast(data.issued, std::move(data.series)));
  return absl::OkStatus();
}

absl::Status GridRecord::AddShare(RegionId region, const GridData& data) {
  if (region.value() >= regions_.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no region %d", region.value()));
  }
  if (absl::Status s = Check(data); !s.ok()) return s;
  for (const double share : data.series.values()) {
    if (share > 100) {
      return absl::InvalidArgumentError(
          absl::StrFormat("carbon-free share %g is above 100 %%", share));
    }
  }
  NoteChanges(regions_[region.value()]->shares, data,
              regions_[region.value()]->changes);
  regions_[region.value()]->shares.Add(
      data.series, data.estimated, data.issued,
      std::make_shared<const std::string>(data.source));
  return absl::OkStatus();
}

std::optional<double> GridRecord::ShareAt(RegionId region,
                                          absl::Time now) const {
  const Timeline::Cell* cell = regions_[region.value()]->shares.Find(now);
  if (cell == nullptr) return std::nullopt;
  return cell->value / 100;
}

std::optional<double> GridRecord::ShareOver(RegionId region, absl::Time from,
                                            absl::Time to) const {
  if (from >= to) return std::nullopt;
  const auto mean = regions_[region.value()]->shares.MeanIfKnown(from, to);
  if (!mean) return std::nullopt;
  return *mean / 100;
}

std::optional<GramsPerKwh> GridRecord::MarginalOver(RegionId region,
                                                    absl::Time from,
                                                    absl::Time to) const {
  const std::optional<Track>& track = regions_[region.value()]->decision;
  if (from >= to || !track || !absl::StartsWith(track->basis, "marginal")) {
    return std::nullopt;
  }
  std::optional<double> mean = track->actual.MeanIfKnown(from, to);
  if (!mean) mean = track->forecast.MeanIfKnown(from, to);
  if (!mean) return std::nullopt;
  return GramsPerKwh(*mean);
}

std::vector<GridSlice> GridRecord::Slices(RegionId region, absl::Time from,
                                          absl::Time to) const {
  const Track& track = regions_[region.value()]->accounts;
  const absl::Duration stale_after =
      regions_[region.value()]->options.stale_after;
  std::vector<GridSlice> slices;
  for (absl::Time t = from; t < to;) {
    GridSlice slice;
    slice.start = t;
    if (const Timeline::Cell* cell = track.actual.Find(t)) {
      slice.end = cell->end;
      slice.intensity = GramsPerKwh(cell->value);
      slice.actual = true;
      slice.estimated = cell->estimated;
      slice.data_version = *cell->version;
    } else {
      slice.end = track.actual.NextStart(t);
      slice.estimated = true;
      cell = track.forecast.Find(t);
      if (cell != nullptr) {
        slice.end = std::min(slice.end, cell->end);
        slice.intensity = GramsPerKwh(cell->value);
        slice.data_version = *cell->version;
        if (t - cell->issued > stale_after) slice.data_version += " stale";
      } else {
        slice.end = std::min({slice.end, track.forecast.NextStart(t),
                              HourOf(t) + absl::Hours(1)});
        if (auto f = FallbackAt(track.actual, t, t)) {
          slice.end = std::min(slice.end, f->until);
          slice.intensity = GramsPerKwh(f->value);
          slice.data_version = std::move(f->method);
        }
      }
    }
    slice.end = std::min(slice.end, to);
    t = slice.end;
    slices.push_back(std::move(slice));
  }
  return slices;
}

std::shared_ptr<const Forecast> GridRecord::Newest(RegionId region,
                                                   absl::Time now) const {
  const Region& r = *regions_[region.value()];
  const Track& track = r.deciding();
  const std::shared_ptr<const Forecast>& merged = track.Merged(now);
  if (merged != nullptr && merged->series().end() > now) return merged;
  if (auto fallback = track.Fallback(now)) return fallback;
  if (merged != nullptr) return merged;  // its last day goes on
  if (!r.decision) return nullptr;
  // The wrong signal, but better than none; State() calls it a fallback.
  const std::shared_ptr<const Forecast>& other = r.accounts.Merged(now);
  return other != nullptr ? other : r.accounts.Fallback(now);
}

GridState GridRecord::State(RegionId region, absl::Time now) const {
  const Region& r = *regions_[region.value()];
  const std::shared_ptr<const Forecast>& merged = r.deciding().Merged(now);
  if (r.deciding().actual.Find(now + absl::Hours(1)) != nullptr) {
    return GridState::kFresh;
  }
  if (merged != nullptr && merged->series().end() > now) {
    return now - merged->issued() > r.options.stale_after ? GridState::kStale
                                                          : GridState::kFresh;
  }
  return Newest(region, now) != nullptr ? GridState::kFallback
                                        : GridState::kNone;
}

std::optional<absl::Time> GridRecord::Issued(RegionId region,
                                             absl::Time now) const {
  const auto& merged = regions_[region.value()]->deciding().Merged(now);
  if (merged == nullptr) return std::nullopt;
  return merged->issued();
}

std::optional<GramsPerKwh> GridRecord::At(RegionId region,
                                          absl::Time now) const {
  return Slices(region, now, now + absl::Microseconds(1)).front().intensity;
}

StepSeries GridRecord::ActualsUntil(RegionId region, absl::Time now) const {
  return regions_[region.value()]->deciding().actual.Tail(now);
}

std::vector<TimeSpan> GridRecord::TakeChanges(RegionId region) {
  return Merged(std::exchange(regions_[region.value()]->changes, {}));
}

std::vector<TimeSpan> GridRecord::ChangesSince(const GridRecord& before,
                                               RegionId region) const {
  const Region& old = *before.regions_[region.value()];
  const Region& now = *regions_[region.value()];
  std::vector<TimeSpan> changes;
  NoteChanges(old.accounts.actual, now.accounts.actual, changes);
  NoteChanges(old.shares, now.shares, changes);
  if (now.decision) {
    NoteChanges(old.deciding().actual, now.decision->actual, changes);
  }
  return Merged(std::move(changes));
}

const GridRegionOptions& GridRecord::options(RegionId region) const {
  return regions_[region.value()]->options;
}

const std::string& GridRecord::deciding_basis(RegionId region) const {
  return regions_[region.value()]->deciding().basis;
}

std::string_view ToString(GridState state) {
  switch (state) {
    case GridState::kFresh:
      return "fresh";
    case GridState::kStale:
      return "stale";
    case GridState::kFallback:
      return "fallback";
    case GridState::kNone:
      return "none";
  }
  return "none";
}

bool KnownBasis(std::string_view basis) {
  for (const std::string_view known :
       {"average-lifecycle", "average-direct", "average-residual",
        "marginal-lifecycle", "marginal-direct"}) {
    if (basis == known) return true;
  }
  return false;
}

}  // namespace ccsched
