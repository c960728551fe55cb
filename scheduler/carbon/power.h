// Power of machines: the linear model, shares of idle power, losses.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_POWER_H_
#define CCSCHED_SCHEDULER_CARBON_POWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/base/units.h"

namespace ccsched {

// idle + utilisation * (max - idle). Source: Fan, Weber, Barroso, "Power
// provisioning for a warehouse-sized computer", ISCA 2007.
// Errors: InvalidArgument unless 0 <= utilisation <= 1 and 0 <= idle <= max.
absl::StatusOr<Watts> LinearPower(Watts idle, Watts max, double utilisation);

// A PUE is the building's energy over the machines': finite and at least 1.
// Errors: InvalidArgument, naming the value.
absl::Status CheckPue(double pue);

// What a job holds of a node, and the power it causes beyond idle.
struct NodeTenant {
  uint32_t count = 0;  // accelerators
  Watts dynamic;
};
struct NodeShares {
  std::vector<Watts> tenants;  // in the order given: idle share + dynamic
  Watts unallocated;           // idle power of the accelerators nobody holds
};
// Shares a node's idle power by allocation. The shares and the unallocated rest
// sum to the meter: idle + all dynamic power. Errors: InvalidArgument if more
// is held than there is, or there is none.
absl::StatusOr<NodeShares> ShareNodePower(Watts idle, uint32_t count,
                                          absl::Span<const NodeTenant> tenants);

// The same for what a meter read over some time, in joules: energies, of which
// `measured` is the node's and the tenants' are measured or modelled. What the
// meter has beyond idle and tenants is unallocated too; where the tenants claim
// more than the meter has, they are scaled down to it (`scaled`).
struct NodeEnergyShares {
  std::vector<Joules> tenants;
  Joules unallocated;
  bool scaled = false;
};
NodeEnergyShares ShareNodeEnergy(Joules measured,
                                 absl::Span<const Joules> tenants);

// What had to be generated for `used` to arrive: used / (1 - loss). Reported
// apart (Scope 3). Errors: InvalidArgument unless 0 <= loss < 1.
absl::StatusOr<KilowattHours> GeneratedEnergy(KilowattHours used, double loss);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_POWER_H_
