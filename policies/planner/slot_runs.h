// Which jobs run during each slot of each pool.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_SLOT_RUNS_H_
#define CCSCHED_POLICIES_PLANNER_SLOT_RUNS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// Adding and removing a job costs its slots, finding who runs at a moment only
// those who run during its slot.
class SlotRuns {
 public:
  SlotRuns(size_t pools, int32_t slots) : slots_(slots), runs_(pools * slots) {}

  // REQUIRES: 0 <= from, to <= slots * kSlotUs; Remove: as it was added.
  void Add(uint32_t job, int pool, int64_t from, int64_t to) {
    for (int64_t k = from / kSlotUs; k * kSlotUs < to; ++k) {
      runs_[Index(pool, k)].push_back(job);
    }
  }
  void Remove(uint32_t job, int pool, int64_t from, int64_t to) {
    for (int64_t k = from / kSlotUs; k * kSlotUs < to; ++k) {
      std::vector<uint32_t>& runs = runs_[Index(pool, k)];
      *std::find(runs.begin(), runs.end(), job) = runs.back();
      runs.pop_back();
    }
  }
  // Those who run during the slot of that moment, in no order.
  const std::vector<uint32_t>& During(int pool, int64_t us) const {
    return runs_[Index(pool, us / kSlotUs)];
  }

 private:
  size_t Index(int pool, int64_t slot) const {
    return static_cast<size_t>(pool) * slots_ + slot;
  }

  int32_t slots_;
  std::vector<std::vector<uint32_t>> runs_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_SLOT_RUNS_H_
