// Distinct integer types for what is counted: jobs, sites, pools, nodes.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_IDS_H_
#define CCSCHED_SCHEDULER_BASE_IDS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ccsched {

// An integer that can't be mistaken for another kind of integer.
template <typename Tag, typename Rep>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;
  template <typename H>
  friend H AbslHashValue(H h, Id id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Rep value_ = 0;
};

// Jobs are numbered from 1 in the order of their submission.
using JobId = Id<struct JobIdTag, uint64_t>;
// Indices into the cluster's tables, in the order of the configuration.
using RegionId = Id<struct RegionIdTag, uint16_t>;
using SiteId = Id<struct SiteIdTag, uint16_t>;
using AcceleratorId = Id<struct AcceleratorIdTag, uint16_t>;
// A pool is all accelerators of one type at one site.
using PoolId = Id<struct PoolIdTag, uint16_t>;
using NodeId = Id<struct NodeIdTag, uint32_t>;
// An interned list of pools that a job may use (see model/placement.h).
using PlacementId = Id<struct PlacementIdTag, uint32_t>;
// An interned string: user, project or job name.
using Symbol = Id<struct SymbolTag, uint32_t>;
// A project's account of its share; 0 where shares are off.
using AccountId = Id<struct AccountIdTag, uint32_t>;
// Each start of a job has a number of its own, from 1; a message that names an
// older one is stale (a fencing token).
using Epoch = Id<struct EpochTag, uint32_t>;

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_IDS_H_
