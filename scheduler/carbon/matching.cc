// Clean energy bought, matched hour by hour: net emissions, 24/7 CFE score.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/matching.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace ccsched {

absl::StatusOr<Matching> MatchHours(absl::Span<const MatchedHour> hours) {
  Matching m;
  KilowattHours carbon_free;
  bool shares_known = true;
  for (size_t i = 0; i < hours.size(); ++i) {
    const MatchedHour& h = hours[i];
    if (!(h.load.value() >= 0) || !(h.clean.value() >= 0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("hour %d: load %g kWh, clean %g kWh: negative", i,
                          h.load.value(), h.clean.value()));
    }
    const KilowattHours matched = std::min(h.load, h.clean);
    const KilowattHours rest = h.load - matched;
    m.load += h.load;
    m.gross += h.load * h.grid;
    m.net += rest * h.residual.value_or(h.grid);
    if (!h.grid_share) {
      shares_known = false;
      continue;
    }
    if (!(*h.grid_share >= 0 && *h.grid_share <= 1)) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "hour %d: carbon-free share %g is not between 0 and 1", i,
          *h.grid_share));
    }
    carbon_free += matched + rest * *h.grid_share;
  }
  if (shares_known && m.load.value() > 0) m.cfe_score = carbon_free / m.load;
  return m;
}

}  // namespace ccsched
