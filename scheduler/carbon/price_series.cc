// A region's electricity price by the hour, and which hours have none.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/price_series.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

// The values where `known`, 0 elsewhere; all of them 1 if `ones`.
StepSeries Masked(const StepSeries& series, const std::vector<bool>& known,
                  bool ones) {
  std::vector<double> values = series.values();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = !known[i] ? 0 : ones ? 1 : values[i];
  }
  return *StepSeries::Create(series.start(), series.step(), std::move(values));
}

}  // namespace

PriceSeries::PriceSeries(std::string currency, StepSeries per_kwh,
                         std::vector<bool> known)
    : currency_(std::move(currency)),
      series_(std::move(per_kwh)),
      known_(std::move(known)),
      money_(Masked(series_, known_, false)),
      there_(Masked(series_, known_, true)),
      plan_(series_.start(), series_),
      lowest_(*std::min_element(series_.values().begin(),
                                series_.values().end())) {}

PriceSeries::Cost PriceSeries::PerKilowatt(absl::Time from,
                                           absl::Time to) const {
  const absl::Time a = std::clamp(from, series_.start(), series_.end());
  const absl::Time b = std::clamp(to, a, series_.end());
  const double hours = there_.IntegralHours(a, b);
  const double unpriced = std::max(0.0, absl::ToDoubleHours(to - from) - hours);
  return {Money(money_.IntegralHours(a, b)), absl::Hours(1) * unpriced};
}

PriceSeries PriceSeries::Converted(std::string currency, double rate) const {
  std::vector<double> values = series_.values();
  for (double& v : values) v *= rate;
  return PriceSeries(
      std::move(currency),
      *StepSeries::Create(series_.start(), series_.step(), std::move(values)),
      known_);
}

PriceSeries PriceSeries::Window(absl::Time from, absl::Time to) const {
  const int64_t size = static_cast<int64_t>(known_.size());
  const int64_t first = std::clamp<int64_t>(
      (from - series_.start()) / series_.step(), 0, size - 1);
  const int64_t last = std::clamp<int64_t>(
      (to - series_.start()) / series_.step(), first + 1, size);
  const auto& values = series_.values();
  return PriceSeries(
      currency_,
      *StepSeries::Create(series_.start() + series_.step() * first,
                          series_.step(),
                          {values.begin() + first, values.begin() + last}),
      {known_.begin() + first, known_.begin() + last});
}

}  // namespace ccsched
