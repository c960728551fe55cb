// Splits a node's host energy over its jobs; what is nobody's is said to be so.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_HOST_ENERGY_H_
#define CCSCHED_AGENT_HOST_ENERGY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/units.h"

namespace ccsched {

// The idle power of the host is shared by allocation (accelerators held over
// accelerators there), what it takes above that by CPU time. The idle power is
// the lowest mean over an interval so far.
class HostEnergy {
 public:
  // `accelerators`: of the node. REQUIRES: at least one.
  explicit HostEnergy(uint32_t accelerators) : accelerators_(accelerators) {}

  // What one attempt used in an interval.
  struct Use {
    uint32_t count = 0;   // accelerators it held
    absl::Duration real;  // for so long
    int64_t cpu_ns = 0;   // of its processes
  };
  struct Split {
    std::vector<Joules> shares;  // in the order of the uses
    Joules unallocated;          // none is negative
  };

  // The share of an attempt that ends within the interval, by what is known
  // of the host from earlier ones. The interval's split leaves it out.
  Joules Advance(const Use& use);

  // Ends an interval in which the host took `total` and all of its processes
  // `busy_ns` of CPU time. The shares, what was advanced, and the unallocated
  // rest make up `total`; an advance beyond it is settled in the next.
  Split Close(Joules total, absl::Duration real, int64_t busy_ns,
              const std::vector<Use>& uses);

 private:
  const uint32_t accelerators_;
  std::optional<Watts> idle_;
  double joules_per_cpu_s_ = 0;
  Joules advanced_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_HOST_ENERGY_H_
