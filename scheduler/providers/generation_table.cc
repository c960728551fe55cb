// Generation by interval and type, made into intensity and carbon-free share.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "scheduler/base/status.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {

void GenerationTable::Add(absl::Time start, const std::string& type, Fuel fuel,
                          double amount) {
  Interval& interval = intervals_[start];
  interval.mix[fuel] += amount;
  interval.types[type] += amount;
  ++types_[type];
}

bool GenerationTable::Has(absl::Time start, const std::string& type) const {
  const auto it = intervals_.find(start);
  return it != intervals_.end() && it->second.types.contains(type);
}

absl::StatusOr<std::vector<GridUpdate>> GenerationTable::Build(
    const FactorSet& factors, const AnswerContext& context,
    absl::Duration step) const {
  Points points;
  for (const auto& [start, interval] : intervals_) {
    // Some type is missing here: the mix is unknown, not smaller.
    if (interval.types.size() != types_.size()) continue;
    const absl::StatusOr<GramsPerKwh> grams =
        MixIntensity(interval.mix, factors);
    if (!grams.ok()) continue;  // nothing was generated: unknown
    ASSIGN_OR_RETURN(const double share, MixCarbonFree(interval.mix));
    RETURN_IF_ERROR(
        points.Add(GridSignal::kIntensity, start, grams->value(), false, step));
    RETURN_IF_ERROR(
        points.Add(GridSignal::kCarbonFree, start, 100 * share, false, step));
  }
  AnswerContext c = context;
  c.basis = std::string(factors.basis);
  ASSIGN_OR_RETURN(std::vector<GridUpdate> updates,
                   points.Build(c, /*actual=*/true));
  for (GridUpdate& u : updates) u.factors = std::string(factors.version);
  return updates;
}

}  // namespace ccsched
