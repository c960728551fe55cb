// Embodied carbon and the SCI, reported apart and never optimised.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_IMPACT_H_
#define CCSCHED_SCHEDULER_CARBON_IMPACT_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/units.h"

namespace ccsched {

// A year of 365 days, as ISO/IEC 21031:2024 and the model cards count it.
inline absl::Duration Years(double years) {
  return absl::Hours(1) * (8760 * years);
}

// Embodied carbon of a part of a machine over some time: TE × (TiR ÷ EL) ×
// (RR ÷ ToR). Source: ISO/IEC 21031:2024 (SCI), M.
struct EmbodiedUse {
  GramsCo2e total;          // TE: making, moving and disposing of the machine
  absl::Duration lifetime;  // EL
  absl::Duration reserved;  // TiR
  double share = 1;         // RR ÷ ToR: of the machine
  double used = 1;          // part of its life that a machine is in use
};
// Errors: InvalidArgument for a lifetime that is not positive, or a share or
// use outside (0, 1].
absl::StatusOr<GramsCo2e> Embodied(const EmbodiedUse& use);

// (E·I + M) per R. E counts reserved hardware and PUE; market-based measures
// are excluded, so `intensity` is location-based. Errors: InvalidArgument for
// units of work that are not positive.
absl::StatusOr<GramsCo2e> SciScore(KilowattHours energy, GramsPerKwh intensity,
                                   GramsCo2e embodied, double units);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_IMPACT_H_
