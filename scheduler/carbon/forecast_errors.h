// How far forecasts have been off, by how far ahead they looked.
// SPDX-License-Identifier: Apache-2.0
//
//   errors.Issued(forecast);           // whenever one is issued
//   errors.Settle(actuals, now);       // whenever actual values have come
//   if (auto band = errors.At(lead)) p90 = forecast.At(t) * band->p90;
#ifndef CCSCHED_SCHEDULER_CARBON_FORECAST_ERRORS_H_
#define CCSCHED_SCHEDULER_CARBON_FORECAST_ERRORS_H_

#include <array>
#include <cstddef>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/carbon/forecast.h"

namespace ccsched {

// Of one region. Bounded: forecasts less than three hours after the one before
// are left out, and old errors fall out of each class of leads. Deterministic.
class ForecastErrors {
 public:
  // As factors of the forecast: of ten actual values one is below p10 times
  // what was forecast, one above p90 times it.
  struct Band {
    double p10, p90;
  };

  // REQUIRES: issued in the order of time; earlier ones are left out.
  void Issued(const Forecast& forecast);
  // Compares what was forecast with the steps of `actuals` that ended by `now`.
  void Settle(const StepSeries& actuals, absl::Time now);

  // Of values that lie `lead` after their forecast's issue; where too few of
  // these are known (48), of the next shorter leads. Absent if there are none.
  std::optional<Band> At(absl::Duration lead) const;

 private:
  // Upper ends of the classes of leads; the last has none.
  static constexpr int kClassHours[] = {3, 6, 12, 24, 48, 72, 96};
  static constexpr size_t kClasses = 8;

  struct Open {
    Forecast forecast;
    absl::Time until;  // compared up to here
  };
  static size_t ClassOf(absl::Duration lead);
  void Add(size_t lead_class, double ratio);

  std::deque<Open> open_;
  absl::Time last_issued_ = absl::InfinitePast();
  // Actual over forecast, the newest last.
  std::array<std::deque<double>, kClasses> ratios_;
  // Of these ratios; absent: not worked out yet.
  mutable std::array<std::optional<Band>, kClasses> bands_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FORECAST_ERRORS_H_
