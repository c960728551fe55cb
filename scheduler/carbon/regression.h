// The forecaster that learns: ridge regression on lags, profile and calendar.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_REGRESSION_H_
#define CCSCHED_SCHEDULER_CARBON_REGRESSION_H_

#include <memory>

#include "scheduler/carbon/forecaster.h"

namespace ccsched {

// Works on logarithms of hourly values, and on hourly means of finer ones. For
// each day of lead and hour of the day a linear model of its own, whose
// features are the deviations from a smoothed daily profile: of the newest days
// at that hour, of the week before, of the last hours (fading with the lead),
// of slower profiles, and the weekend. The models learn from every hour that
// passes and are refitted once a day; before they have seen two weeks the
// profile alone serves, and before a week persistence. The band is that of the
// errors of the last 60 days at that lead and hour.
std::unique_ptr<Forecaster> MakeRegressionForecaster();

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_REGRESSION_H_
