// Forecasters of our own: what is to come, from what has been.
// SPDX-License-Identifier: Apache-2.0
//
//   auto forecaster = *MakeForecaster("regression");
//   // Every hour, live (record.ActualsUntil) or simulated (the whole series):
//   if (auto issued = forecaster->Issue(actuals, now, absl::Hours(96))) {
//     Push(issued->forecast);
//   }
//
// Only values that ended by `now` are looked at, so a simulation may hand over
// the whole series: no forecaster sees the future.
#ifndef CCSCHED_SCHEDULER_CARBON_FORECASTER_H_
#define CCSCHED_SCHEDULER_CARBON_FORECASTER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/carbon/forecast.h"

namespace ccsched {

// A forecast of the median with its band of error, step by step.
struct IssuedForecast {
  Forecast forecast;
  // Of past errors at the same lead; empty while too few are known (14 days).
  StepSeries p10, p90;
};

// Remembers what it has learnt; one for each region. Not thread safe.
// Deterministic: the same calls give the same forecasts.
class Forecaster {
 public:
  virtual ~Forecaster() = default;
  virtual std::string_view name() const = 0;
  // Forecasts [start, start + horizon), where start is the beginning of the
  // step that holds `now`, from the values of `actuals` that ended by `now`.
  // Successive calls hand over the same series, longer or with its oldest
  // values dropped; another series makes it learn anew. Absent if there is no
  // value within the last week to go by. REQUIRES: horizon is positive.
  virtual std::optional<IssuedForecast> Issue(const StepSeries& actuals,
                                              absl::Time now,
                                              absl::Duration horizon) = 0;
};

// "persistence": the last 24 hours again and again.
// "blend": yesterday's and last week's same hour, weighted as has fared best.
// "regression" (also "learned"): ridge regression on lags, recent profile and
// calendar, one for each lead, refitted as data comes.
// Errors: NotFound, naming those that there are.
absl::StatusOr<std::unique_ptr<Forecaster>> MakeForecaster(
    std::string_view name);
std::vector<std::string> ForecasterNames();

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FORECASTER_H_
