// A quantity that is constant within each step of time, with exact integrals.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_STEP_SERIES_H_
#define CCSCHED_SCHEDULER_BASE_STEP_SERIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ccsched {

// Values over [start, start + size * step), half-open intervals of equal
// length. Immutable; an integral costs O(1) by prefix sums.
//
// The hot loops of policies count in microseconds after start(): IntegralUs().
class StepSeries {
 public:
  StepSeries() = default;
  // Errors: InvalidArgument if `step` is not a positive whole number of
  // microseconds or a value is not finite.
  static absl::StatusOr<StepSeries> Create(absl::Time start,
                                           absl::Duration step,
                                           std::vector<double> values);

  absl::Time start() const { return start_; }
  absl::Time end() const { return start_ + step_ * values_.size(); }
  absl::Duration step() const { return step_; }
  int64_t step_us() const { return step_us_; }
  bool empty() const { return values_.empty(); }
  const std::vector<double>& values() const { return values_; }

  // REQUIRES: start() <= t < end().
  double At(absl::Time t) const;
  bool Covers(absl::Time from, absl::Time to) const {
    return !empty() && from >= start() && to <= end();
  }
  // The integral over [from, to), in value * hours.
  // REQUIRES: Covers(from, to) and from <= to.
  double IntegralHours(absl::Time from, absl::Time to) const;

  // Microseconds from start() to `t`; may be negative or beyond the end.
  int64_t OffsetUs(absl::Time t) const {
    return absl::ToInt64Microseconds(t - start_);
  }
  // The integral of the series over its first `us` microseconds, in
  // value * hours. REQUIRES: 0 <= us <= size * step.
  double PrefixHours(int64_t us) const {
    const int64_t i = us / step_us_;
    const double whole = prefix_hours_[i];
    const int64_t rest = us - i * step_us_;
    return rest == 0 ? whole : whole + values_[i] * (rest * kHoursPerUs);
  }

  static constexpr double kHoursPerUs = 1.0 / 3.6e9;

 private:
  absl::Time start_;
  absl::Duration step_ = absl::Hours(1);
  int64_t step_us_ = 3'600'000'000;
  std::vector<double> values_;
  std::vector<double> prefix_hours_;  // size + 1
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_STEP_SERIES_H_
