// What was known in advance of a region's intensity in a simulation.
// SPDX-License-Identifier: Apache-2.0
#include "sim/forecasts.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/random.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/forecaster.h"

namespace ccsched {
namespace {

constexpr int kDaysBefore = 14;

// The value in force at `t`, by whole steps.
double ValueAt(const StepSeries& series, absl::Time t) {
  return series.values()[series.OffsetUs(t) / series.step_us()];
}

ForecastIssue Issue(absl::Time at, RegionId region, StepSeries series) {
  return {at, region, std::make_shared<const Forecast>(at, std::move(series))};
}

absl::Status Short(const StepSeries& series, absl::Time needed) {
  return absl::InvalidArgumentError(
      absl::StrCat("the series covers ", absl::FormatTime(series.start()),
                   " to ", absl::FormatTime(series.end()), ", but ",
                   absl::FormatTime(needed), " is needed"));
}

absl::StatusOr<std::vector<ForecastIssue>> DayAhead(RegionId region,
                                                    const StepSeries& issued,
                                                    absl::Time start,
                                                    absl::Time until) {
  if (!issued.Covers(start, start + issued.step())) {
    return Short(issued, start);
  }
  std::vector<ForecastIssue> issues;
  const absl::TimeZone utc = absl::UTCTimeZone();
  // What was issued in the weeks before is known too: its errors show.
  absl::CivilDay day = absl::ToCivilDay(start, utc) - kDaysBefore;
  for (;; ++day) {
    const absl::Time from = absl::FromCivil(day, utc);
    const absl::Time to = absl::FromCivil(day + 1, utc);
    if (from >= until || from >= issued.end()) break;
    if (from < issued.start()) continue;
    issues.push_back(
        Issue(std::max(from, start), region, Cut(issued, from, to)));
  }
  return issues;
}

// The truth times 1 + e, where e is an AR(1) process that starts at zero and
// has the standard deviation `error` 24 hours ahead.
std::vector<double> Noisy(const StepSeries& actual, absl::Time at,
                          int64_t steps, const ForecastSpec& spec,
                          Random random) {
  const double rho = spec.correlation;
  const double day_steps = absl::FDivDuration(absl::Hours(24), actual.step());
  const double day_variance =
      rho < 1 ? (1 - std::pow(rho, 2 * day_steps)) / (1 - rho * rho)
              : day_steps;
  const double sigma = spec.error / std::sqrt(std::max(day_variance, 1e-12));
  std::vector<double> values;
  double e = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const absl::Time t = at + actual.step() * i;
    if (t >= actual.end()) break;
    if (i > 0) e = rho * e + sigma * random.Normal();
    values.push_back(std::max(0.0, ValueAt(actual, t) * (1 + e)));
  }
  return values;
}

}  // namespace

absl::StatusOr<ForecastKind> ParseForecastKind(const std::string& name) {
  if (name.empty() || name == "perfect") return ForecastKind::kPerfect;
  if (name == "noisy") return ForecastKind::kNoisy;
  if (MakeForecaster(name).ok()) return ForecastKind::kForecaster;
  return absl::InvalidArgumentError(
      absl::StrCat("forecast \"", name, "\" is not perfect, noisy, ",
                   absl::StrJoin(ForecasterNames(), ", "), ", or a csv"));
}

StepSeries Cut(const StepSeries& series, absl::Time from, absl::Time to) {
  const int64_t size = static_cast<int64_t>(series.values().size());
  const int64_t step = series.step_us();
  const int64_t begin =
      std::clamp<int64_t>(series.OffsetUs(from) / step, 0, size);
  const int64_t end =
      to >= series.end()
          ? size
          : std::clamp<int64_t>((series.OffsetUs(to) + step - 1) / step, begin,
                                size);
  std::vector<double> values(series.values().begin() + begin,
                             series.values().begin() + end);
  return *StepSeries::Create(series.start() + series.step() * begin,
                             series.step(), std::move(values));
}

absl::StatusOr<std::vector<ForecastIssue>> MakeForecasts(
    RegionId region, const ForecastSpec& spec, const StepSeries& actual,
    absl::Time start, absl::Time until) {
  if (!actual.Covers(start, start + actual.step())) return Short(actual, start);
  if (spec.kind == ForecastKind::kDayAhead) {
    return DayAhead(region, spec.issued, start, until);
  }
  std::vector<ForecastIssue> issues;
  if (spec.kind == ForecastKind::kPerfect) {
    issues.push_back(Issue(start, region, Cut(actual, start, until)));
    return issues;
  }
  // Issued on the hours (steps) of the series, and at the start.
  absl::Time at = actual.start() +
                  actual.step() * (actual.OffsetUs(start) / actual.step_us());
  const absl::Duration reach = std::max(spec.reach, actual.step());
  const absl::Duration every = std::max(spec.every, actual.step());
  std::unique_ptr<Forecaster> forecaster;
  if (spec.kind == ForecastKind::kForecaster) {
    ASSIGN_OR_RETURN(forecaster, MakeForecaster(spec.forecaster));
  }
  Random seeds(spec.seed ^ (0x9e3779b97f4a7c15ULL * (region.value() + 1)));
  for (; at < until && at < actual.end(); at += every) {
    const absl::Time issued = std::max(at, start);
    if (forecaster == nullptr) {
      std::vector<double> values =
          Noisy(actual, at, reach / actual.step(), spec, Random(seeds.Next()));
      ASSIGN_OR_RETURN(
          StepSeries series,
          StepSeries::Create(at, actual.step(), std::move(values)));
      issues.push_back(Issue(issued, region, std::move(series)));
      continue;
    }
    std::optional<IssuedForecast> made = forecaster->Issue(actual, at, reach);
    if (!made && issues.empty()) return Short(actual, at - absl::Hours(24));
    if (!made) continue;
    issues.push_back(
        {issued, region,
         std::make_shared<const Forecast>(std::move(made->forecast))});
  }
  return issues;
}

}  // namespace ccsched
