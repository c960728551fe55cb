// Carbon plus the price of capacity, per pool and slot, with prefix sums.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/price_table.h"

namespace ccsched {

PriceTable::PriceTable(const PlanInstance& instance)
    : slots_(instance.slots),
      rate_(instance.pools.size() * (instance.slots + 1)),
      prefix_(instance.pools.size() * (instance.slots + 1)) {
  for (size_t p = 0; p < instance.pools.size(); ++p) {
    SetPrices(instance, static_cast<int>(p), nullptr);
  }
}

void PriceTable::SetPrices(const PlanInstance& instance, int pool,
                           const double* prices) {
  double* rate = &rate_[static_cast<size_t>(pool) * (slots_ + 1)];
  double* prefix = &prefix_[static_cast<size_t>(pool) * (slots_ + 1)];
  const double* grams = instance.pools[pool].grams.data();
  double sum = 0;
  for (int32_t k = 0; k < slots_; ++k) {
    rate[k] = prices == nullptr ? grams[k] : grams[k] + prices[k];
    prefix[k] = sum;
    sum += rate[k];
  }
  prefix[slots_] = sum;
  rate[slots_] = slots_ > 0 ? rate[slots_ - 1] : 0;
}

}  // namespace ccsched
