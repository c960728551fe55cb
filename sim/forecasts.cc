// What was known in advance of a region's intensity in a simulation.
// SPDX-License-Identifier: Apache-2.0
#include "sim/forecasts.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/random.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

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
  absl::CivilDay day = absl::ToCivilDay(start, utc);
  for (;; ++day) {
    const absl::Time from = absl::FromCivil(day, utc);
    const absl::Time to = absl::FromCivil(day + 1, utc);
    if (from >= until || from >= issued.end()) break;
    issues.push_back(
        Issue(std::max(from, start), region, Cut(issued, from, to)));
  }
  return issues;
}

// Values of the next `steps` steps, from hours that are over by `at`.
std::vector<double> FromHistory(const StepSeries& actual, absl::Time at,
                                int64_t steps, bool week_too) {
  std::vector<double> values;
  values.reserve(steps);
  for (int64_t i = 0; i < steps; ++i) {
    const absl::Time t = at + actual.step() * i;
    absl::Time day = t - absl::Hours(24);
    while (day + actual.step() > at) day -= absl::Hours(24);
    double value = ValueAt(actual, day);
    if (week_too) {
      absl::Time week = t - absl::Hours(24 * 7);
      while (week + actual.step() > at) week -= absl::Hours(24 * 7);
      value = (value + ValueAt(actual, week)) / 2;
    }
    values.push_back(value);
  }
  return values;
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
  if (name == "persistence") return ForecastKind::kPersistence;
  if (name == "blend") return ForecastKind::kBlend;
  if (name == "noisy") return ForecastKind::kNoisy;
  return absl::InvalidArgumentError(
      absl::StrCat("forecast \"", name,
                   "\" is not perfect, persistence, blend, noisy, or a csv"));
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
  const bool week = spec.kind == ForecastKind::kBlend;
  const bool noisy = spec.kind == ForecastKind::kNoisy;
  // Issued on the hours (steps) of the series, and at the start.
  absl::Time at = actual.start() +
                  actual.step() * (actual.OffsetUs(start) / actual.step_us());
  if (!noisy) {
    const absl::Time first = at - absl::Hours(24 * (week ? 7 : 1));
    if (first < actual.start()) return Short(actual, first);
  }
  const int64_t steps = std::max<int64_t>(1, spec.reach / actual.step());
  const absl::Duration every = std::max(spec.every, actual.step());
  Random seeds(spec.seed ^ (0x9e3779b97f4a7c15ULL * (region.value() + 1)));
  for (; at < until && at < actual.end(); at += every) {
    std::vector<double> values =
        noisy ? Noisy(actual, at, steps, spec, Random(seeds.Next()))
              : FromHistory(actual, at, steps, week);
    ASSIGN_OR_RETURN(StepSeries series,
                     StepSeries::Create(at, actual.step(), std::move(values)));
    issues.push_back(Issue(std::max(at, start), region, std::move(series)));
  }
  return issues;
}

}  // namespace ccsched
