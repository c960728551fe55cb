// Embodied carbon and the SCI, reported apart and never optimised.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/impact.h"

#include "absl/strings/str_format.h"

namespace ccsched {

absl::StatusOr<GramsCo2e> Embodied(const EmbodiedUse& use) {
  if (use.lifetime <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "lifetime: %s is not positive", absl::FormatDuration(use.lifetime)));
  }
  if (!(use.share > 0 && use.share <= 1) || !(use.used > 0 && use.used <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("share %g, used %g: both are above 0 and at most 1",
                        use.share, use.used));
  }
  return use.total * absl::FDivDuration(use.reserved, use.lifetime) *
         (use.share / use.used);
}

absl::StatusOr<GramsCo2e> SciScore(KilowattHours energy, GramsPerKwh intensity,
                                   GramsCo2e embodied, double units) {
  if (!(units > 0)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("units: %g is not positive", units));
  }
  return (energy * intensity + embodied) / units;
}

}  // namespace ccsched
