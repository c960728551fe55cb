// Carbon plus the price of capacity, per pool and slot, with prefix sums.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PRICE_TABLE_H_
#define CCSCHED_POLICIES_PLANNER_PRICE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// What one accelerator at work costs in each slot of each pool. Times beyond
// the last slot cost as in the last slot, before the first as in the first.
class PriceTable {
 public:
  PriceTable() = default;
  // Carbon alone.
  explicit PriceTable(const PlanInstance& instance);

  // Sets a pool's prices, in grams per accelerator and slot, over its carbon.
  // REQUIRES: `prices` has a value for each slot.
  void SetPrices(const PlanInstance& instance, int pool, const double* prices);

  int32_t slots() const { return slots_; }
  // The cost of a slot and of all slots before it.
  const double* rate(int pool) const {
    return &rate_[static_cast<size_t>(pool) * (slots_ + 1)];
  }
  const double* prefix(int pool) const {
    return &prefix_[static_cast<size_t>(pool) * (slots_ + 1)];
  }
  // The cost from the origin to `us`.
  double Until(int pool, int64_t us) const {
    int64_t slot = us / kSlotUs;
    if (slot >= slots_) slot = slots_ - 1;
    if (us < 0) slot = 0;
    return prefix(pool)[slot] +
           rate(pool)[slot] * ((us - slot * kSlotUs) * (1.0 / kSlotUs));
  }
  double Between(int pool, int64_t from, int64_t to) const {
    return Until(pool, to) - Until(pool, from);
  }

 private:
  int32_t slots_ = 0;
  std::vector<double> rate_;    // pools * (slots + 1); the last one repeats
  std::vector<double> prefix_;  // pools * (slots + 1)
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PRICE_TABLE_H_
