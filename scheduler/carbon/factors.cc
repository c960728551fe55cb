// Emission factors of electricity's sources, as versioned sets.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/factors.h"

#include <algorithm>

namespace ccsched {
namespace {

// The part of the mix that `counts` accepts; absent for a mix of nothing.
template <typename Counts>
std::optional<double> Share(const Mix& mix, Counts counts) {
  double part = 0;
  double total = 0;
  for (size_t i = 0; i < kFuels; ++i) {
    const double amount = std::max(mix[static_cast<Fuel>(i)], 0.0);
    total += amount;
    if (counts(static_cast<Fuel>(i))) part += amount;
  }
  if (!(total > 0)) return std::nullopt;
  return part / total;
}

bool IsRenewable(Fuel f) {
  return f == Fuel::kSolar || f == Fuel::kWind || f == Fuel::kHydro ||
         f == Fuel::kGeothermal || f == Fuel::kBiomass;
}

absl::Status NoGeneration() {
  return absl::InvalidArgumentError("a mix without any generation");
}

}  // namespace

std::string_view ToString(Fuel fuel) {
  static constexpr std::string_view kNames[kFuels] = {
      "coal", "gas",   "oil",     "biomass",    "solar",
      "wind", "hydro", "nuclear", "geothermal", "unknown"};
  return kNames[static_cast<size_t>(fuel)];
}

const FactorSet& LifecycleFactors() {
  static constexpr FactorSet kSet = {
      "lifecycle-ipcc2014/1",
      "average-lifecycle",
      "IPCC 2014 AR5 WG3 Annex III medians; oil: UK POST 2014",
      {820, 490, 650, 230, 45, 11, 24, 12, 38, 700}};
  return kSet;
}

const FactorSet& DirectFactors() {
  static constexpr FactorSet kSet = {"direct/1",
                                     "average-direct",
                                     "combustion only, as Electricity Maps",
                                     {760, 370, 406, 0, 0, 0, 0, 0, 0, 575}};
  return kSet;
}

double Mix::Total() const {
  double total = 0;
  for (const double a : amount_) total += std::max(a, 0.0);
  return total;
}

absl::StatusOr<GramsPerKwh> MixIntensity(const Mix& mix,
                                         const FactorSet& factors) {
  const double total = mix.Total();
  if (!(total > 0)) return NoGeneration();
  double grams = 0;
  for (size_t i = 0; i < kFuels; ++i) {
    grams += std::max(mix[static_cast<Fuel>(i)], 0.0) * factors.grams[i];
  }
  return GramsPerKwh(grams / total);
}

absl::StatusOr<double> MixCarbonFree(const Mix& mix) {
  const auto share =
      Share(mix, [](Fuel f) { return IsRenewable(f) || f == Fuel::kNuclear; });
  if (!share) return NoGeneration();
  return *share;
}

absl::StatusOr<double> MixRenewable(const Mix& mix) {
  const auto share = Share(mix, IsRenewable);
  if (!share) return NoGeneration();
  return *share;
}

}  // namespace ccsched
