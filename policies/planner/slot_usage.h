// How much of each slot of each pool is taken, summed in O(1) a stretch.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_SLOT_USAGE_H_
#define CCSCHED_POLICIES_PLANNER_SLOT_USAGE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// Accelerators in use, averaged over each slot. Add stretches, then Sum().
class SlotUsage {
 public:
  SlotUsage(size_t pools, int32_t slots)
      : slots_(slots),
        part_(pools * slots),
        whole_(pools * (slots + 1)),
        sum_(pools * slots) {}

  void Clear() {
    std::fill(part_.begin(), part_.end(), 0.0);
    std::fill(whole_.begin(), whole_.end(), 0.0);
  }
  // REQUIRES: 0 <= from <= to <= slots * kSlotUs.
  void Add(int pool, int64_t from, int64_t to, double count) {
    if (to <= from) return;
    const int64_t a = from / kSlotUs;
    const int64_t b = to / kSlotUs;
    double* part = &part_[static_cast<size_t>(pool) * slots_];
    const double a_part = (from - a * kSlotUs) * (count / kSlotUs);
    const double b_part = (to - b * kSlotUs) * (count / kSlotUs);
    if (a < slots_) part[a] -= a_part;
    if (b < slots_) part[b] += b_part;
    double* whole = &whole_[static_cast<size_t>(pool) * (slots_ + 1)];
    whole[a] += count;
    whole[b] -= count;
  }
  // Returns the usage, pool by pool, each over all slots.
  const std::vector<double>& Sum() {
    const size_t pools = sum_.size() / std::max(1, slots_);
    for (size_t p = 0; p < pools; ++p) {
      double level = 0;
      for (int32_t k = 0; k < slots_; ++k) {
        level += whole_[p * (slots_ + 1) + k];
        sum_[p * slots_ + k] = level + part_[p * slots_ + k];
      }
    }
    return sum_;
  }

 private:
  int32_t slots_;
  std::vector<double> part_;
  std::vector<double> whole_;
  std::vector<double> sum_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_SLOT_USAGE_H_
