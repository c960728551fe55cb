// What is learnt from how issued forecasts turned out.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_FORECAST_CORRECTION_H_
#define CCSCHED_SCHEDULER_CARBON_FORECAST_CORRECTION_H_

#include <optional>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/carbon/forecast.h"

namespace ccsched {

// The forecast as it should have been issued, by what its errors have been: of
// each hour of the day, the mean error of the last two weeks is taken off (a
// source's level may be another than that of the actual values, which makes
// one grid look cleaner than the next); the last error seen fades out as
// errors have faded (their autocorrelation, about .9 an hour); and what lies
// beyond the forecast's end, its last day again and again, goes over from day
// to day into the profile of the last two weeks. Errors are of logarithms.
//
// `issued` holds what was forecast for the past hours too (Forecast::Overlay),
// `actuals` the intensity of hours that are over at `now`; what it holds of
// later ones is not looked at. The result begins with the hour of `now` and
// ends a week after `issued`. Absent while less than three days of both are
// known. Deterministic.
std::optional<Forecast> CorrectForecast(const Forecast& issued,
                                        const StepSeries& actuals,
                                        absl::Time now);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FORECAST_CORRECTION_H_
