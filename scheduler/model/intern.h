// Tables that give equal values one small number: placements and shapes.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_INTERN_H_
#define CCSCHED_SCHEDULER_MODEL_INTERN_H_

#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/job.h"

namespace ccsched {

// The pools that a job may use, in the order of its preference: types as the
// user listed them, sites in the order of the configuration.
using Placement = std::vector<PoolId>;

// Tells most values of a table that come one after another apart, at no cost.
inline uint32_t RecentSlot(const JobShape& shape) { return shape.count; }
inline uint32_t RecentSlot(const Placement& placement) {
  return static_cast<uint32_t>(placement.size());
}

// Numbers values in the order of their first sight. References stay valid.
// Not thread safe.
template <typename IdType, typename Value>
class InternTable {
 public:
  IdType Intern(const Value& value) {
    // Equal values come again soon, and comparing is cheaper than hashing.
    uint32_t& recent = recent_[RecentSlot(value) % kRecent];
    if (recent < values_.size() && values_[recent] == value) {
      return IdType(recent);
    }
    const auto [it, is_new] = index_.try_emplace(
        value, IdType(static_cast<uint32_t>(values_.size())));
    if (is_new) values_.push_back(value);
    recent = it->second.value();
    return it->second;
  }
  const Value& operator[](IdType id) const { return values_[id.value()]; }
  size_t size() const { return values_.size(); }

 private:
  static constexpr uint32_t kRecent = 16;
  uint32_t recent_[kRecent] = {};  // what the last call for a slot gave
  std::deque<Value> values_;
  absl::flat_hash_map<Value, IdType> index_;
};

using PlacementTable = InternTable<PlacementId, Placement>;
using ShapeTable = InternTable<ShapeId, JobShape>;

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_INTERN_H_
