// Carbon plus the price of capacity, per pool and slot, with prefix sums.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/price_table.h"

#include <algorithm>

namespace ccsched {

PriceTable::PriceTable(const PlanInstance& instance)
    : slots_(instance.slots),
      wait_(instance.wait),
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

void PriceTable::SetFaded(const PriceTable& from, int pool, int32_t first,
                          const std::vector<double>& alive) {
  slots_ = from.slots_;
  wait_ = from.wait_;
  rate_.resize(from.rate_.size());
  prefix_.resize(from.prefix_.size());
  const double* source = from.rate(pool);
  const size_t begin = static_cast<size_t>(pool) * (slots_ + 1);
  const int32_t last =
      std::min(slots_, first + static_cast<int32_t>(alive.size()));
  const double mean =
      last > first ? (from.prefix(pool)[last] - from.prefix(pool)[first]) /
                         (last - first)
                   : source[std::min(first, slots_)];
  double sum = 0;
  for (int32_t k = 0; k < slots_; ++k) {
    double rate = k < first ? source[k] : mean;
    if (k >= first && k < last) rate += alive[k - first] * (source[k] - mean);
    rate_[begin + k] = rate;
    prefix_[begin + k] = sum;
    sum += rate;
  }
  prefix_[begin + slots_] = sum;
  rate_[begin + slots_] = slots_ > 0 ? rate_[begin + slots_ - 1] : 0;
}

}  // namespace ccsched
