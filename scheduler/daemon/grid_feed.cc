// Grid data from files and pushes, handed to the engine as the clock goes on.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/grid_feed.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/fnv1a.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kHour = absl::Hours(1);
// Actual values are told once there are so many, and of the last weeks only.
constexpr absl::Duration kLeastActuals = absl::Hours(72);
constexpr absl::Duration kMostActuals = absl::Hours(24 * 15);
// How far ahead our own forecasters look.
constexpr absl::Duration kHorizon = absl::Hours(96);
// What a new forecaster's errors are learnt from.
constexpr absl::Duration kLearnFrom = absl::Hours(24 * 60);
constexpr absl::Duration kLearnEvery = absl::Hours(6);
// A forecaster goes by actual values that are no older.
constexpr absl::Duration kUsable = absl::Hours(24 * 7);
// What is stamped later than this after now, a forecast's issue or an actual
// value, was stamped by a wrong clock.
constexpr absl::Duration kClockSlack = absl::Minutes(5);
constexpr absl::Duration kViewMax = absl::Hours(24 * 31);
constexpr absl::Duration kKnownMax = absl::Hours(24 * 366);

absl::Time HourAfter(absl::Time t) { return HourOf(t) + kHour; }

std::optional<GramsPerKwh> ResidualOf(const v1::RegionConfig& config) {
  if (!config.has_residual()) return std::nullopt;
  return GramsPerKwh(config.residual());
}

// All that is known of a series.
void Digest(const GridData& data, Fnv1a& fnv) {
  const auto add = [&fnv](auto value) { fnv.Add(&value, sizeof(value)); };
  add(absl::ToUnixMicros(data.series.start()));
  add(absl::ToInt64Microseconds(data.series.step()));
  for (size_t i = 0; i < data.series.values().size(); ++i) {
    add(data.series.values()[i]);
    add(uint64_t{i < data.estimated.size() && data.estimated[i]});
  }
}

// Actual values have been measured: none is of a step that has not begun.
absl::Status CheckMeasured(const v1::GridSeries& series, absl::Time now) {
  const int values = std::max(series.intensity_size(), series.cfe_pct_size());
  if (!series.actual() || values == 0) return absl::OkStatus();
  const absl::Time last =
      FromProto(series.start()) + FromProto(series.step()) * (values - 1);
  if (last <= now + kClockSlack) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "actual: the last of ", values, " values is of ", FormatRfc3339(last),
      ", which is in the future; now it is ", FormatRfc3339(now),
      ": what is not measured yet is a forecast"));
}

// Where the file's header tells of a basis, it has to be the region's: two
// never mix in one sum.
absl::Status CheckColumn(const v1::RegionConfig& config,
                         const std::string& basis) {
  if (basis.empty() || basis == config.basis() ||
      config.column() == "intensity") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "region ", config.name(), ": column ", config.column(), " of ",
      config.intensity(),
      basis == "renewable"
          ? " holds shares in %, not an intensity"
          : absl::StrCat(" is ", basis, ", but the region's basis is ",
                         config.basis(), ": set basis: ", basis,
                         ", or take the column that fits")));
}

}  // namespace

absl::StatusOr<GridFeed> GridFeed::Load(const Cluster& cluster,
                                        const std::string& config_file) {
  GridFeed feed;
  std::vector<GridRegionOptions> options;
  for (const v1::RegionConfig& config : cluster.config.regions()) {
    GridRegionOptions& o = options.emplace_back();
    o.basis = config.basis();
    o.decision_basis = config.decision_basis();
    if (config.has_stale_after()) {
      o.stale_after = FromProto(config.stale_after());
    } else if (config.forecast() == "perfect") {
      o.stale_after = absl::InfiniteDuration();  // the truth does not age
    }
    Region& region = feed.regions_.emplace_back();
    region.config = config;
    feed.ids_.emplace(config.name(), RegionId(feed.regions_.size() - 1));
    if (config.forecast() == "perfect" || config.forecast() == "push") continue;
    ASSIGN_OR_RETURN(region.forecaster, MakeForecaster(config.forecast()));
  }
  feed.record_ = std::make_unique<GridRecord>(std::move(options));
  for (size_t i = 0; i < feed.regions_.size(); ++i) {
    RETURN_IF_ERROR(feed.LoadFile(RegionId(i), config_file));
  }
  return feed;
}

absl::Status GridFeed::LoadFile(RegionId id, const std::string& config_file) {
  const v1::RegionConfig& config = regions_[id.value()].config;
  if (config.intensity().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const GapRule gaps, ParseGapRule(config.gaps()));
  ASSIGN_OR_RETURN(GridColumn column,
                   ReadGridCsv(RelativeTo(config_file, config.intensity()),
                               config.column(), gaps));
  GridData shares;
  shares.source = "csv";
  if (column.basis == "cfe") {
    shares.series = column.series;
    shares.estimated = column.estimated;
    const std::optional<GramsPerKwh> residual = ResidualOf(config);
    if (!residual) {
      return absl::InvalidArgumentError(absl::StrCat(
          "region ", config.name(), ": ", config.intensity(),
          " holds carbon-free shares: give the region's residual intensity"));
    }
    ASSIGN_OR_RETURN(column, IntensityFromCfe(column, *residual));
  } else {
    RETURN_IF_ERROR(CheckColumn(config, column.basis));
  }
  if (!config.cfe_column().empty()) {
    ASSIGN_OR_RETURN(GridColumn cfe,
                     ReadGridCsv(RelativeTo(config_file, config.intensity()),
                                 config.cfe_column(), gaps));
    if (cfe.basis != "cfe") {
      return absl::InvalidArgumentError(absl::StrCat(
          "region ", config.name(), ": cfe_column: ", config.cfe_column(),
          " of ", config.intensity(), " holds no carbon-free shares in %"));
    }
    shares.series = std::move(cfe.series);
    shares.estimated = std::move(cfe.estimated);
  }
  Fnv1a digest;
  if (!shares.series.empty()) {
    Digest(shares, digest);
    shares.issued = shares.received = shares.series.start();
    RETURN_IF_ERROR(record_->AddShare(id, shares));
  }
  GridData data;
  data.source = "csv";
  data.basis = config.basis();
  data.issued = data.received = column.series.start();
  data.estimated = column.estimated;
  data.series = column.series;
  Digest(data, digest);
  regions_[id.value()].file_digest =
      absl::StrCat(absl::Hex(digest.digest(), absl::kZeroPad16));
  RETURN_IF_ERROR(record_->AddActual(id, data));
  if (config.forecast() != "perfect") return absl::OkStatus();
  data.estimated.clear();
  return record_->AddForecast(id, std::move(data));
}

absl::StatusOr<RegionId> GridFeed::FindRegion(const std::string& name) const {
  const auto found = ids_.find(name);
  if (found != ids_.end()) return found->second;
  std::vector<std::string> known;
  known.reserve(regions_.size());
  for (const Region& region : regions_) known.push_back(region.config.name());
  return absl::NotFoundError(absl::StrCat("region: there is no \"", name, "\"",
                                          AmongKnown(name, known)));
}

absl::Status GridFeed::Take(RegionId region, const v1::GridSeries& series,
                            absl::Time received) {
  const v1::RegionConfig& config = regions_[region.value()].config;
  GridData data;
  ASSIGN_OR_RETURN(data.series, ToIntensity(series, ResidualOf(config)));
  data.source = series.source().empty() ? "push" : series.source();
  if (!series.factors().empty()) {
    absl::StrAppend(&data.source, " ", series.factors());
  }
  data.basis = series.basis().empty() ? config.basis() : series.basis();
  data.issued = FromProto(series.issued());
  data.received = received;
  const bool derived = series.intensity().empty();
  for (int i = 0; i < series.estimated_size(); ++i) {
    data.estimated.push_back(derived || series.estimated(i));
  }
  if (derived && data.estimated.empty()) {
    data.estimated.assign(series.cfe_pct_size(), true);
  }
  if (!series.cfe_pct().empty()) {
    GridData shares = data;
    ASSIGN_OR_RETURN(
        shares.series,
        StepSeries::Create(data.series.start(), data.series.step(),
                           {series.cfe_pct().begin(), series.cfe_pct().end()}));
    shares.estimated.assign(series.estimated().begin(),
                            series.estimated().end());
    RETURN_IF_ERROR(record_->AddShare(region, shares));
  }
  return series.actual() ? record_->AddActual(region, data)
                         : record_->AddForecast(region, std::move(data));
}

absl::Status GridFeed::Restore(const GridRow& row) {
  ASSIGN_OR_RETURN(const RegionId region, FindRegion(row.region));
  v1::GridSeries series;
  if (!series.ParseFromString(row.payload)) {
    return absl::DataLossError(absl::StrCat("a recorded series of region ",
                                            row.region, " can't be read"));
  }
  return Take(region, series, row.received);
}

absl::StatusOr<GridRow> GridFeed::Accept(const v1::GridSeries& pushed,
                                         absl::Time now) {
  ASSIGN_OR_RETURN(const RegionId region, FindRegion(pushed.region()));
  v1::GridSeries series = pushed;
  if (!series.has_issued()) *series.mutable_issued() = ToProto(now);
  const absl::Time issued = FromProto(series.issued());
  if (issued > now + kClockSlack) {
    return absl::InvalidArgumentError(
        absl::StrCat("issued: ", FormatRfc3339(issued),
                     " is in the future; now it is ", FormatRfc3339(now)));
  }
  const absl::Duration step = FromProto(series.step());
  if (series.has_step() &&
      (step <= absl::ZeroDuration() || kHour % step != absl::ZeroDuration())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "step: ", FormatDuration(step), " does not divide an hour evenly"));
  }
  const absl::Time start = FromProto(series.start());
  if (series.has_start() && series.has_step() &&
      (start - absl::UnixEpoch()) % step != absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "start: ", FormatRfc3339(start), " is not a whole number of steps of ",
        FormatDuration(step)));
  }
  RETURN_IF_ERROR(CheckMeasured(series, now));
  RETURN_IF_ERROR(Take(region, series, now));
  GridRow row;
  row.region = series.region();
  row.issued = issued;
  row.received = now;
  row.actual = series.actual();
  row.source = series.source().empty() ? "push" : series.source();
  row.basis = series.basis().empty() ? regions_[region.value()].config.basis()
                                     : series.basis();
  row.payload = series.SerializeAsString();
  next_update_ = absl::InfinitePast();
  return row;
}

void GridFeed::LearnFrom(const GridRow& row) {
  const absl::StatusOr<RegionId> id = FindRegion(row.region);
  v1::GridSeries series;
  if (!id.ok() || row.actual || !series.ParseFromString(row.payload)) return;
  Region& region = regions_[id->value()];
  if (region.forecaster != nullptr ||
      row.basis != record_->deciding_basis(*id)) {
    return;
  }
  auto values = ToIntensity(series, ResidualOf(region.config));
  if (values.ok()) {
    region.errors.Issued(Forecast(row.issued, *std::move(values)));
  }
}

// Before its first forecast: what the forecaster would have said of the last
// weeks, so that its errors are known.
void GridFeed::Learn(Region& region, const StepSeries& actuals,
                     absl::Time now) {
  if (actuals.empty()) return;
  const absl::Time first =
      std::max(actuals.start() + absl::Hours(24 * 7), now - kLearnFrom);
  for (absl::Time t = HourAfter(first); t < now - kLearnEvery;
       t += kLearnEvery) {
    auto made = region.forecaster->Issue(actuals, t, kHorizon);
    if (made) region.errors.Issued(made->forecast);
  }
}

void GridFeed::Update(absl::Time now, std::vector<Event>& events) {
  if (now < next_update_) return;
  next_update_ = HourAfter(now);
  std::vector<StepSeries> known(regions_.size());
  for (size_t i = 0; i < regions_.size(); ++i) {
    Region& region = regions_[i];
    const RegionId id(i);
    std::shared_ptr<const Forecast> newest;
    StepSeries& actuals = known[i];
    if (region.config.forecast() != "perfect") {
      actuals = record_->ActualsUntil(id, now);
      if (!actuals.empty()) region.known = actuals.end();
    }
    if (region.forecaster != nullptr) {
      if (region.told == nullptr) Learn(region, actuals, now);
      auto made = region.forecaster->Issue(actuals, now, kHorizon);
      if (made) {
        region.p10 = std::move(made->p10);
        region.p90 = std::move(made->p90);
        newest = std::make_shared<const Forecast>(std::move(made->forecast));
      }
    }
    if (newest == nullptr) newest = record_->Newest(id, now);
    if (newest == nullptr) continue;
    if (region.config.forecast() != "perfect") {
      region.errors.Issued(*newest);
      region.errors.Settle(actuals, now);
    }
    if (newest == region.told) continue;
    region.told = newest;
    events.emplace_back(ForecastIssued{id, std::move(newest)});
  }
  for (size_t i = 0; i < regions_.size(); ++i) {
    TellActuals(RegionId(i), known[i], events);
  }
}

void GridFeed::TellActuals(RegionId id, const StepSeries& all,
                           std::vector<Event>& events) {
  Region& region = regions_[id.value()];
  if (region.config.forecast() == "perfect" || region.told == nullptr) return;
  if (all.empty() || all.end() - all.start() < kLeastActuals) return;
  const absl::Time from =
      std::max({region.told_until, all.start(), all.end() - kMostActuals});
  const int64_t skip = (from - all.start() + all.step() / 2) / all.step();
  if (skip >= static_cast<int64_t>(all.values().size())) return;
  auto series =
      StepSeries::Create(all.start() + all.step() * skip, all.step(),
                         {all.values().begin() + skip, all.values().end()});
  if (!series.ok()) return;
  region.told_until = series->end();
  events.emplace_back(IntensityObserved{
      id, std::make_shared<const StepSeries>(*std::move(series))});
}

GridState GridFeed::State(RegionId id, absl::Time now) const {
  const Region& region = regions_[id.value()];
  const GridState state = record_->State(id, now);
  if (region.forecaster == nullptr || region.told == nullptr ||
      state == GridState::kFresh || now - region.known > kUsable) {
    return state;
  }
  return now - region.known > record_->options(id).stale_after
             ? GridState::kStale
             : GridState::kFresh;
}

std::optional<absl::Duration> GridFeed::Age(RegionId id, absl::Time now) const {
  const Region& region = regions_[id.value()];
  if (region.config.forecast() == "perfect" || region.told == nullptr) {
    return std::nullopt;
  }
  absl::Time newest = region.known;
  if (region.forecaster == nullptr) {
    newest = std::max(newest,
                      record_->Issued(id, now).value_or(absl::InfinitePast()));
  }
  if (newest == absl::InfinitePast()) return std::nullopt;
  return std::max(now - newest, absl::ZeroDuration());
}

v1::GridSeries GridFeed::View(RegionId id, absl::Time now,
                              absl::Duration horizon) const {
  const Region& region = regions_[id.value()];
  v1::GridSeries out;
  out.set_region(region.config.name());
  out.set_basis(region.config.basis());
  out.set_source(region.config.forecast());
  out.set_state(std::string(ToString(State(id, now))));
  if (const auto age = Age(id, now)) *out.mutable_age() = ToProto(*age);
  if (region.told == nullptr) return out;
  horizon = std::clamp(horizon, kHour, kViewMax);
  const Forecast& forecast = *region.told;
  const absl::Duration step = forecast.series().step();
  const absl::Time start =
      absl::UnixEpoch() + absl::Floor(now - absl::UnixEpoch(), step);
  *out.mutable_start() = ToProto(start);
  *out.mutable_step() = ToProto(step);
  *out.mutable_issued() = ToProto(forecast.issued());
  bool band = region.config.forecast() != "perfect", shares = true;
  for (absl::Time t = start; t < now + horizon; t += step) {
    const double value = forecast.At(t).value();
    out.add_intensity(value);
    out.add_estimated(forecast.Extended(t + step) ||
                      t < forecast.series().start());
    const auto share = record_->ShareOver(id, t, t + step);
    shares = shares && share.has_value();
    out.add_cfe_pct(share.value_or(0) * 100);
    if (region.p10.Covers(t, t + step) && region.p90.Covers(t, t + step)) {
      out.add_intensity_p10(region.p10.At(t));
      out.add_intensity_p90(region.p90.At(t));
      continue;
    }
    const auto learnt = region.errors.At(t - forecast.issued());
    band = band && learnt.has_value();
    if (!band) continue;
    out.add_intensity_p10(value * std::min(learnt->p10, 1.0));
    out.add_intensity_p90(value * std::max(learnt->p90, 1.0));
  }
  // What is known of a part only can't be told from what is not.
  if (!shares) out.clear_cfe_pct();
  if (!band) {
    out.clear_intensity_p10();
    out.clear_intensity_p90();
  }
  return out;
}

v1::GridSeries GridFeed::Known(RegionId id, absl::Time from,
                               absl::Duration horizon) const {
  const v1::RegionConfig& config = regions_[id.value()].config;
  v1::GridSeries out;
  out.set_region(config.name());
  out.set_basis(config.basis());
  out.set_source("ledger");
  const absl::Time start = HourOf(from);
  *out.mutable_start() = ToProto(start);
  *out.mutable_step() = ToProto(kHour);
  const absl::Time end = from + std::clamp(horizon, kHour, kKnownMax);
  for (absl::Time t = start; t < end; t += kHour) {
    double mean = 0;
    bool estimated = false;
    for (const GridSlice& slice : record_->Slices(id, t, t + kHour)) {
      if (!slice.intensity) return out;
      mean += slice.intensity->value() *
              absl::FDivDuration(slice.end - slice.start, kHour);
      estimated = estimated || slice.estimated;
    }
    out.add_intensity(mean);
    out.add_estimated(estimated);
  }
  return out;
}

}  // namespace ccsched
