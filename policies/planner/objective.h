// What a plan costs: its carbon, and, as the operator weighs them, its money.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_OBJECTIVE_H_
#define CCSCHED_POLICIES_PLANNER_OBJECTIVE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "policies/policy.h"

namespace ccsched {

// How much carbon other goals are worth. Zero: they decide nothing.
struct GoalWeights {
  double money = 0;  // grams a unit of currency
};

// Carbon and money of one accelerator at work, kept apart; together they are
// only in what Fill() gives to the search for a plan. `corrected` forecasts, by
// region, go before those that were issued. REQUIRES: both outlive this.
class Objective {
 public:
  Objective(const PolicyInput& in,
            const std::vector<std::optional<Forecast>>& corrected,
            const GoalWeights& weights);

  // The grams of each slot of an hour from `origin` on: carbon and weighed
  // money, and the same amount more at each pool where prices below zero would
  // make them negative (it moves no choice: all a job's work pays it once,
  // wherever and whenever it is done).
  void Fill(PoolId pool, int64_t origin_us, int32_t slots, double* grams) const;

  // One accelerator over [from, to).
  GramsCo2e Carbon(PoolId pool, absl::Time from, absl::Time to) const;
  // Electricity and the accelerator's own price, as far as they are known.
  Money Cost(PoolId pool, absl::Time from, absl::Time to) const;

 private:
  const Forecast* BestForecast(PoolId pool) const;

  const PolicyInput& in_;
  const std::vector<std::optional<Forecast>>& corrected_;
  const GoalWeights weights_;
  double raised_ = 0;  // grams an hour
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_OBJECTIVE_H_
