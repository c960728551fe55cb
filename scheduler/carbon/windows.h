// The hours of least intensity within a span: one stretch, or several.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_WINDOWS_H_
#define CCSCHED_SCHEDULER_CARBON_WINDOWS_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"

namespace ccsched {

struct Window {
  absl::Time start, end;
  GramsPerKwh mean;
};

// The stretch of `length` within [from, to) of least mean, the earliest of
// equals; starts at `from` or where it meets the end of a step (the optimum
// lies at one of these). Absent if the span or the series is too short.
std::optional<Window> BestWindow(const StepSeries& series, absl::Time from,
                                 absl::Time to, absl::Duration length);

// The `count` whole steps within [from, to) of least intensity, in order of
// time; fewer if there are no more.
std::vector<Window> BestSteps(const StepSeries& series, absl::Time from,
                              absl::Time to, size_t count);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_WINDOWS_H_
