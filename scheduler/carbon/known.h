// The part of a series that is known at an instant, by index.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_KNOWN_H_
#define CCSCHED_SCHEDULER_CARBON_KNOWN_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

// What a forecaster may look at: the first `known` values of `series`.
struct Known {
  const StepSeries& series;
  int64_t known;    // values that ended by now
  int64_t current;  // index of the step that holds now
  int64_t per_day;  // steps in 24 hours; 0 if that is not a whole number

  static Known At(const StepSeries& series, absl::Time now) {
    const int64_t size = static_cast<int64_t>(series.values().size());
    const absl::Duration since = now - series.start();
    int64_t current = since / series.step();
    if (since < absl::ZeroDuration()) current = 0;
    const bool whole = absl::Hours(24) % series.step() == absl::ZeroDuration();
    return {series, std::min(size, current), current,
            whole ? absl::Hours(24) / series.step() : 0};
  }

  absl::Time TimeOf(int64_t i) const {
    return series.start() + series.step() * i;
  }
  double operator[](int64_t i) const { return series.values()[i]; }
  // There is something, and it is not a week old.
  bool Usable() const {
    return known > 0 && TimeOf(current) - TimeOf(known) <= absl::Hours(168);
  }
  // The newest known value a whole number of days before index `i`; the oldest
  // known one where there is less than a day.
  double SameHour(int64_t i) const {
    if (per_day == 0) return series.values()[known - 1];
    if (i >= known) i -= (i - known + per_day) / per_day * per_day;
    return series.values()[std::max<int64_t>(i, 0)];
  }
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_KNOWN_H_
