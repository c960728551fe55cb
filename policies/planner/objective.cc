// What a plan costs: its carbon, and, as the operator weighs them, its money.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/objective.h"

#include <algorithm>

#include "policies/planner/instance.h"

namespace ccsched {
namespace {

// What a slot of one kilowatt is taken to emit where nothing is forecast: more
// than any grid does, so that it is the last resort but never free.
constexpr double kUnknownGramsPerKwh = 1500;
constexpr double kUnknownFall = 1e-4;  // of it, an hour

double Kilowatts(const PolicyInput& in, PoolId pool) {
  return in.topology.GridPower(pool, 1).value() / 1000;
}

}  // namespace

Objective::Objective(const PolicyInput& in,
                     const std::vector<std::optional<Forecast>>& corrected,
                     const GoalWeights& weights)
    : in_(in), corrected_(corrected), weights_(weights) {
  if (weights_.money == 0) return;
  double least = 0;
  for (size_t p = 0; p < in.topology.pools.size(); ++p) {
    const PoolId pool(static_cast<uint16_t>(p));
    const PriceSeries* const price = in.price(pool);
    if (price == nullptr) continue;
    least = std::min(least, Kilowatts(in, pool) * price->lowest().value());
  }
  raised_ = -least * weights_.money;
}

const Forecast* Objective::BestForecast(PoolId pool) const {
  const size_t region = in_.topology.region(pool).value();
  if (region < corrected_.size() && corrected_[region]) {
    return &*corrected_[region];
  }
  return in_.forecast(pool);
}

void Objective::Fill(PoolId pool, int64_t origin_us, int32_t slots,
                     double* grams) const {
  const double kilowatts = Kilowatts(in_, pool);
  if (const Forecast* const forecast = BestForecast(pool)) {
    int64_t us = forecast->series().OffsetUs(absl::FromUnixMicros(origin_us));
    double before = forecast->GramsUntil(us);
    for (int32_t k = 0; k < slots; ++k) {
      us += kSlotUs;
      const double after = forecast->GramsUntil(us);
      grams[k] = kilowatts * (after - before);
      before = after;
    }
  } else {
    // A little less from hour to hour: later, as data may still come.
    for (int32_t k = 0; k < slots; ++k) {
      grams[k] = kilowatts * kUnknownGramsPerKwh *
                 (1 + kUnknownFall * static_cast<double>(slots - k));
    }
  }
  if (weights_.money == 0) return;
  absl::Time from = absl::FromUnixMicros(origin_us);
  for (int32_t k = 0; k < slots; ++k) {
    const absl::Time to = from + absl::Hours(1);
    grams[k] += raised_ + weights_.money * Cost(pool, from, to).value();
    from = to;
  }
}

GramsCo2e Objective::Carbon(PoolId pool, absl::Time from, absl::Time to) const {
  const double kilowatts = Kilowatts(in_, pool);
  const Forecast* const forecast = BestForecast(pool);
  if (forecast == nullptr) {
    return GramsCo2e(kilowatts * kUnknownGramsPerKwh *
                     absl::ToDoubleHours(to - from));
  }
  return forecast->PerKilowatt(from, to) * kilowatts;
}

Money Objective::Cost(PoolId pool, absl::Time from, absl::Time to) const {
  Money cost;
  if (const PriceSeries* const price = in_.price(pool)) {
    cost += price->Expected(from, to) * Kilowatts(in_, pool);
  }
  const Pool& p = in_.topology.pools[pool.value()];
  if (p.hourly) cost += *p.hourly * absl::ToDoubleHours(to - from);
  return cost;
}

}  // namespace ccsched
