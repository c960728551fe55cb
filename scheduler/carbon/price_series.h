// A region's electricity price by the hour, and which hours have none.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_PRICE_SERIES_H_
#define CCSCHED_SCHEDULER_CARBON_PRICE_SERIES_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/forecast.h"

namespace ccsched {

// Prices may be negative. An hour for which none was published is unknown, not
// free: accounts leave it out and say how long it was, plans take the value
// that stands in for it. Beyond the last price, plans repeat the last 24 hours.
// Immutable, so that it may be shared.
class PriceSeries {
 public:
  // `per_kwh` has a value for every step; `known` says which were published.
  // REQUIRES: `per_kwh` is not empty, `known` is of its length.
  PriceSeries(std::string currency, StepSeries per_kwh,
              std::vector<bool> known);

  // As in "USD".
  const std::string& currency() const { return currency_; }
  const StepSeries& series() const { return series_; }
  const std::vector<bool>& known() const { return known_; }

  // What a constant kilowatt costs over [from, to), as far as prices were
  // published, and for how long none was. REQUIRES: from <= to.
  struct Cost {
    Money money;
    absl::Duration unpriced;
  };
  Cost PerKilowatt(absl::Time from, absl::Time to) const;
  // The same for a plan: every hour has a value.
  Money Expected(absl::Time from, absl::Time to) const {
    return Money(plan_.PerKilowatt(from, to).value());
  }
  // No expected price is below it.
  MoneyPerKwh lowest() const { return lowest_; }

  // In another currency, of which one of this one is worth `rate`.
  PriceSeries Converted(std::string currency, double rate) const;
  // Its steps within [from, to); at least one, the nearest.
  PriceSeries Window(absl::Time from, absl::Time to) const;

 private:
  std::string currency_;
  StepSeries series_;
  std::vector<bool> known_;
  StepSeries money_;  // 0 where unknown
  StepSeries there_;  // 1 where known
  // The plan's view: a forecast's extension serves prices as well.
  Forecast plan_;
  MoneyPerKwh lowest_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_PRICE_SERIES_H_
