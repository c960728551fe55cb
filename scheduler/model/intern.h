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

// Numbers values in the order of their first sight. References stay valid.
// Not thread safe.
template <typename IdType, typename Value>
class InternTable {
 public:
  IdType Intern(const Value& value) {
    // Equal values come in runs, and comparing is cheaper than hashing.
    if (last_ < values_.size() && values_[last_] == value) return IdType(last_);
    const auto [it, is_new] = index_.try_emplace(
        value, IdType(static_cast<uint32_t>(values_.size())));
    if (is_new) values_.push_back(value);
    last_ = it->second.value();
    return it->second;
  }
  const Value& operator[](IdType id) const { return values_[id.value()]; }
  size_t size() const { return values_.size(); }

 private:
  uint32_t last_ = 0;  // what the last call gave
  std::deque<Value> values_;
  absl::flat_hash_map<Value, IdType> index_;
};

// The pools that a job may use, in the order of its preference: types as the
// user listed them, sites in the order of the configuration.
using Placement = std::vector<PoolId>;
using PlacementTable = InternTable<PlacementId, Placement>;
using ShapeTable = InternTable<ShapeId, JobShape>;

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_INTERN_H_
