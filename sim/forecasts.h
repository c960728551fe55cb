// What was known in advance of a region's intensity in a simulation.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_FORECASTS_H_
#define CCSCHED_SIM_FORECASTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "sim/scenario.h"

namespace ccsched {

enum class ForecastKind : uint8_t {
  kPerfect,     // the actual series, all at the start
  kForecaster,  // one of scheduler/carbon/forecaster.h, as it would have been
  kNoisy,       // the truth with an autocorrelated error that grows
  kDayAhead,    // a file of what was issued at 00:00 UTC for each day
};
// "perfect" (also ""), "noisy", and the names of the forecasters.
// Errors: InvalidArgument.
absl::StatusOr<ForecastKind> ParseForecastKind(const std::string& name);

struct ForecastSpec {
  ForecastKind kind = ForecastKind::kPerfect;
  std::string forecaster;  // kForecaster: its name
  StepSeries issued;       // kDayAhead: of the file, its offset applied
  absl::Duration every = absl::Hours(1);
  absl::Duration reach = absl::Hours(72);
  // kNoisy: relative standard deviation of the error a day ahead, and the
  // correlation of the errors of neighbouring steps. Source of the default:
  // lag-1 autocorrelation of published day-ahead errors, about .94.
  double error = 0.1;
  double correlation = 0.94;
  uint64_t seed = 1;
};

// All forecasts of a region for a run from `start`, in the order of their
// issue; the last is issued before `until`.
// Errors: InvalidArgument if a forecaster has no value from before the start to
// go by, or if the issued ones do not cover the start.
absl::StatusOr<std::vector<ForecastIssue>> MakeForecasts(
    RegionId region, const ForecastSpec& spec, const StepSeries& actual,
    absl::Time start, absl::Time until);

// The part of a series over the whole steps around [from, to), as far as it
// goes.
StepSeries Cut(const StepSeries& series, absl::Time from, absl::Time to);

}  // namespace ccsched

#endif  // CCSCHED_SIM_FORECASTS_H_
