// A region's intensity as it is known in advance.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_FORECAST_H_
#define CCSCHED_SCHEDULER_CARBON_FORECAST_H_

#include <cstdint>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"

namespace ccsched {

// A forecast as issued: gCO2e/kWh in steps. Not an actual intensity: a policy
// is handed forecasts only, so it can't read the future. Beyond its end it is
// extended by repeating its last 24 hours (its mean where it is shorter), a
// stated method, and Extended() says so. Before its start it has its first
// value. Immutable, so that it may be shared.
class Forecast {
 public:
  // REQUIRES: `series` is not empty.
  Forecast(absl::Time issued, StepSeries series);

  absl::Time issued() const { return issued_; }
  const StepSeries& series() const { return series_; }
  // Whether [.., to) reaches beyond what was issued.
  bool Extended(absl::Time to) const { return to > series_.end(); }

  GramsPerKwh At(absl::Time t) const;
  // What a constant kilowatt would emit over [from, to). REQUIRES: from <= to.
  GramsCo2e PerKilowatt(absl::Time from, absl::Time to) const;

  // The same by microseconds after series().start(), for hot loops: the
  // emission of a constant kilowatt from the series' start to `us` (negative
  // before it). PerKilowatt(a, b) = GramsUntil(b) - GramsUntil(a).
  double GramsUntil(int64_t us) const {
    if (us >= 0 && us <= length_us_) return series_.PrefixHours(us);
    return GramsOutside(us);
  }

  // This forecast with `newer` laid over it; what either covers is kept.
  Forecast Overlay(const Forecast& newer) const;

 private:
  double GramsOutside(int64_t us) const;

  absl::Time issued_;
  StepSeries series_;
  int64_t length_us_;
  int64_t period_us_;    // of the extension
  double period_grams_;  // over one period
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FORECAST_H_
