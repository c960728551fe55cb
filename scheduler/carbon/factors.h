// Emission factors of electricity's sources, as versioned sets.
// SPDX-License-Identifier: Apache-2.0
//
//   Mix mix;
//   mix[Fuel::kCoal] = 200;  // MWh
//   GramsPerKwh i = *MixIntensity(mix, LifecycleFactors());
#ifndef CCSCHED_SCHEDULER_CARBON_FACTORS_H_
#define CCSCHED_SCHEDULER_CARBON_FACTORS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "scheduler/base/units.h"

namespace ccsched {

enum class Fuel : uint8_t {
  kCoal,
  kGas,
  kOil,
  kBiomass,
  kSolar,
  kWind,
  kHydro,
  kNuclear,
  kGeothermal,
  kUnknown,
};
inline constexpr size_t kFuels = 10;
std::string_view ToString(Fuel fuel);

// Factors in gCO2e/kWh. Two sets are never mixed in one sum.
struct FactorSet {
  std::string_view version;  // "lifecycle-ipcc2014/1"
  std::string_view basis;    // "average-lifecycle", "average-direct"
  std::string_view source;
  std::array<double, kFuels> grams;
};
// IPCC 2014 AR5 WG3 Annex III medians; oil from UK POST 2014; as Electricity
// Maps uses them.
const FactorSet& LifecycleFactors();
// Combustion only, as Electricity Maps' direct factors.
const FactorSet& DirectFactors();

// Generation by fuel over some time; any one unit. Absent fuels are 0.
class Mix {
 public:
  double& operator[](Fuel f) { return amount_[static_cast<size_t>(f)]; }
  double operator[](Fuel f) const { return amount_[static_cast<size_t>(f)]; }
  double Total() const;

 private:
  std::array<double, kFuels> amount_ = {};
};

// The mean of the factors, weighted by generation. A negative amount (pumped
// storage filling, metering of own use) counts as none. Errors: InvalidArgument
// for a mix without generation.
absl::StatusOr<GramsPerKwh> MixIntensity(const Mix& mix,
                                         const FactorSet& factors);
// The share that is carbon-free, 0 to 1: sun, wind, water, nuclear, earth's
// heat, biomass. Unknown generation counts as not carbon-free.
absl::StatusOr<double> MixCarbonFree(const Mix& mix);
// The same without nuclear.
absl::StatusOr<double> MixRenewable(const Mix& mix);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FACTORS_H_
