// The answers of grid data services, parsed; nothing here fetches.
// SPDX-License-Identifier: Apache-2.0
//
// Every function takes a body as it came, however wrong, and returns its series
// or InvalidArgument naming what is wrong and where; an error that the service
// reports in its body comes back as its message.
#ifndef CCSCHED_SCHEDULER_PROVIDERS_PARSERS_H_
#define CCSCHED_SCHEDULER_PROVIDERS_PARSERS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/carbon/factors.h"
#include "scheduler/providers/points.h"

namespace ccsched {

// Electricity Maps v4: `history[]`, `data[]`, `forecast[]` or a bare object, of
// carbon-intensity or carbon-free-energy. A zone or an emission factor type
// that is not what was asked for is an error. Source: Electricity Maps API v4.
struct ElectricityMapsRequest {
  AnswerContext context;
  std::string zone;
  bool actual = false;
};
absl::StatusOr<std::vector<GridUpdate>> ParseElectricityMaps(
    std::string_view body, const ElectricityMapsRequest& request);

// WattTime v3 forecast, historical and historical forecasts, lb/MWh of
// co2_moer: marginal. Source: WattTime API v3.
absl::StatusOr<std::vector<GridUpdate>> ParseWattTime(std::string_view body,
                                                      const std::string& region,
                                                      bool actual,
                                                      absl::Time now);
absl::StatusOr<std::string> ParseWattTimeLogin(std::string_view body);

// GB Carbon Intensity, national and regional: forecasts, and actual values
// where there are any. Source: api.carbonintensity.org.uk.
absl::StatusOr<std::vector<GridUpdate>> ParseGbCarbonIntensity(
    std::string_view body, absl::Time now);

// Carbon Aware SDK WebAPI: /emissions/forecasts/current and
// /emissions/bylocations of one location.
absl::StatusOr<std::vector<GridUpdate>> ParseCarbonAwareSdk(
    std::string_view body, const std::string& location, bool actual,
    const AnswerContext& context);

// ENTSO-E A75 (actual generation per type): intensity and carbon-free share by
// the factors. A03 curves are filled forward; consumption of storage is left
// out; intervals in which a type that is elsewhere in the document is missing
// are unknown. Source: ENTSO-E Transparency Platform, process guide.
absl::StatusOr<std::vector<GridUpdate>> ParseEntsoe(std::string_view body,
                                                    const FactorSet& factors,
                                                    absl::Time now);

// EIA v2 rto/fuel-type-data: hours named by their end. Several pages are given
// together. Source: EIA Open Data API v2.
absl::StatusOr<std::vector<GridUpdate>> ParseEia(
    const std::vector<std::string>& pages, const std::string& respondent,
    const FactorSet& factors, absl::Time now);
// How many rows there are on all pages, as a page says.
absl::StatusOr<int64_t> ParseEiaTotal(std::string_view page);

// Generation by interval and type, made into series: a part of ENTSO-E and EIA.
class GenerationTable {
 public:
  // Adds to what is there for this interval and fuel. `type` is what the
  // service calls it: an interval in which a type is missing that others have
  // is unknown.
  void Add(absl::Time start, const std::string& type, Fuel fuel, double amount);
  absl::StatusOr<std::vector<GridUpdate>> Build(const FactorSet& factors,
                                                const AnswerContext& context,
                                                absl::Duration step) const;
  bool Has(absl::Time start, const std::string& type) const;

 private:
  struct Interval {
    Mix mix;
    std::map<std::string, double> types;
  };
  std::map<absl::Time, Interval> intervals_;
  std::map<std::string, int> types_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_PARSERS_H_
