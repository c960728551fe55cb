// Power of machines: the linear model, shares of idle power, losses.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/power.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace ccsched {

absl::StatusOr<Watts> LinearPower(Watts idle, Watts max, double utilisation) {
  if (!(utilisation >= 0 && utilisation <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("utilisation: %g is not between 0 and 1", utilisation));
  }
  if (!(idle.value() >= 0) || !(max >= idle) || std::isinf(max.value())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("idle %g W and max %g W: 0 <= idle <= max is needed",
                        idle.value(), max.value()));
  }
  return idle + utilisation * (max - idle);
}

absl::Status CheckPue(double pue) {
  if (pue >= 1 && std::isfinite(pue)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "pue: %g is not at least 1 (energy of the building over energy of its "
      "machines)",
      pue));
}

absl::StatusOr<NodeShares> ShareNodePower(
    Watts idle, uint32_t count, absl::Span<const NodeTenant> tenants) {
  uint64_t held = 0;
  for (const NodeTenant& t : tenants) held += t.count;
  if (count == 0 || held > count) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%d accelerators held of a node that has %d", held, count));
  }
  NodeShares shares;
  for (const NodeTenant& t : tenants) {
    shares.tenants.push_back(idle * t.count / count + t.dynamic);
  }
  shares.unallocated = idle * static_cast<double>(count - held) / count;
  return shares;
}

NodeEnergyShares ShareNodeEnergy(Joules measured,
                                 absl::Span<const Joules> tenants) {
  Joules claimed;
  for (const Joules j : tenants) claimed += j;
  NodeEnergyShares shares;
  shares.scaled = claimed > measured;
  const double factor = shares.scaled ? measured / claimed : 1;
  for (const Joules j : tenants) shares.tenants.push_back(j * factor);
  if (!shares.scaled) shares.unallocated = measured - claimed;
  return shares;
}

absl::StatusOr<KilowattHours> GeneratedEnergy(KilowattHours used, double loss) {
  if (!(loss >= 0 && loss < 1)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("loss: %g is not a share below 1", loss));
  }
  return used / (1 - loss);
}

}  // namespace ccsched
