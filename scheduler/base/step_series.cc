// A quantity that is constant within each step of time.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/step_series.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched {

absl::StatusOr<StepSeries> StepSeries::Create(absl::Time start,
                                              absl::Duration step,
                                              std::vector<double> values) {
  const int64_t step_us = absl::ToInt64Microseconds(step);
  if (step_us <= 0 || absl::Microseconds(step_us) != step) {
    return absl::InvalidArgumentError(
        absl::StrCat("step ", absl::FormatDuration(step),
                     " is not a positive whole number of microseconds"));
  }
  StepSeries s;
  s.start_ = start;
  s.step_ = step;
  s.step_us_ = step_us;
  s.prefix_hours_.reserve(values.size() + 1);
  s.prefix_hours_.push_back(0);
  const double step_hours = step_us * kHoursPerUs;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("value ", i, " (", absl::FormatTime(start + step * i),
                       ") is not a finite number: ", values[i]));
    }
    s.prefix_hours_.push_back(s.prefix_hours_.back() + values[i] * step_hours);
  }
  s.values_ = std::move(values);
  return s;
}

double StepSeries::At(absl::Time t) const {
  return values_[OffsetUs(t) / step_us_];
}

double StepSeries::IntegralHours(absl::Time from, absl::Time to) const {
  return PrefixHours(OffsetUs(to)) - PrefixHours(OffsetUs(from));
}

}  // namespace ccsched
