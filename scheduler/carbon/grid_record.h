// What is known of each region's grid: actual values, and forecasts as issued.
// SPDX-License-Identifier: Apache-2.0
//
//   GridRecord record({{.basis = "average-lifecycle"}, …});  // one a region
//   record.AddActual(region, data);
//   record.AddForecast(region, data);
//   view.forecasts[i] = record.Newest(region, now);          // to the engine
//   for (const GridSlice& s : record.Slices(region, start, end)) …
#ifndef CCSCHED_SCHEDULER_CARBON_GRID_RECORD_H_
#define CCSCHED_SCHEDULER_CARBON_GRID_RECORD_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/forecast.h"

namespace ccsched {

// A series as it arrived, in gCO2e/kWh: actual values or a forecast.
struct GridData {
  // "csv", "electricity-maps", "push", …; with the version of the emission
  // factors where it was made of a generation mix.
  std::string source;
  // {average, marginal}-{lifecycle, direct, residual}; see KnownBasis().
  std::string basis = "average-lifecycle";
  absl::Time issued;    // of actual values: when they were published
  absl::Time received;  // by us
  StepSeries series;
  std::vector<bool> estimated;  // one a value; empty: none is
};

// How good what is known is at an instant.
enum class GridState : uint8_t {
  kFresh,
  kStale,     // the last good forecast serves, though it is old
  kFallback,  // no forecast covers now: yesterday's hours, or the mean
  kNone,      // nothing is known: jobs run, unoptimised
};
std::string_view ToString(GridState state);  // "fresh", "stale", …

// A stretch of time within one step of one series. Slices of a request follow
// each other without a gap; where nothing is known the intensity is absent.
struct GridSlice {
  absl::Time start, end;
  std::optional<GramsPerKwh> intensity;
  bool estimated = false;  // a forecast, a fallback, or marked by its source
  // "actual csv 2021-10-03T00:00:00Z", "forecast push …", the same with "stale"
  // after it, "fallback same-hour-1d …"; empty where nothing is known.
  std::string data_version;
  bool actual = false;  // not a forecast, nor a fallback
};

struct TimeSpan {
  absl::Time from, to;
};

struct GridRegionOptions {
  std::string basis = "average-lifecycle";  // of the accounts
  // What decides, if not the same: "marginal-direct", … Never accounted.
  std::string decision_basis;
  // A forecast older than this is stale.
  absl::Duration stale_after = absl::Hours(26);
};

// Not thread safe. Values are never changed: a newer series of the same hours
// is laid over the older ones, which stay visible in the ledger.
class GridRecord {
 public:
  explicit GridRecord(std::vector<GridRegionOptions> regions);
  ~GridRecord();
  GridRecord(GridRecord&&) noexcept;
  GridRecord& operator=(GridRecord&&) noexcept;

  // Takes up a series. Errors: InvalidArgument for an unknown region, an empty
  // series, a negative value, marks that don't match the values, or a basis
  // that is neither the region's nor (forecasts and actual values alike) its
  // decision basis: two bases never mix.
  absl::Status AddActual(RegionId region, const GridData& data);
  absl::Status AddForecast(RegionId region, GridData data);

  // Takes up carbon-free shares, in %, measured or forecast; the basis of the
  // data does not matter. Errors: as AddActual, and for a share above 100.
  absl::Status AddShare(RegionId region, const GridData& data);
  // The newest share for `now`, 0 to 100; absent if none is known.
  std::optional<double> ShareAt(RegionId region, absl::Time now) const;
  // The mean share over [from, to), 0 to 1; absent unless all of it is known.
  std::optional<double> ShareOver(RegionId region, absl::Time from,
                                  absl::Time to) const;
  // The same of the marginal intensity (actual, else forecast), where the
  // region decides by one. Never accounted.
  std::optional<GramsPerKwh> MarginalOver(RegionId region, absl::Time from,
                                          absl::Time to) const;

  // The intensity to account by over [from, to), in order. For each instant
  // the first of: the newest actual value; the newest forecast; the value of
  // the same hour of the last 7 days; the mean of the last year; none.
  std::vector<GridSlice> Slices(RegionId region, absl::Time from,
                                absl::Time to) const;

  // What to decide by at `now`: all forecasts issued by then, newer over older,
  // and where none covers now, the fallback from actual values that ended by
  // now. Null if nothing is known. The same object as long as nothing changed.
  std::shared_ptr<const Forecast> Newest(RegionId region, absl::Time now) const;
  // Fresh too where actual values reach beyond `now`: a file is played back.
  GridState State(RegionId region, absl::Time now) const;
  // The issue time of the newest forecast that Newest() uses, if any.
  std::optional<absl::Time> Issued(RegionId region, absl::Time now) const;
  // The intensity at `now`, as Slices() has it.
  std::optional<GramsPerKwh> At(RegionId region, absl::Time now) const;

  // Actual values of the decision basis known up to `now`, for a forecaster;
  // empty if there are none. Gaps of up to 48 hours are filled with the hours
  // of the day before; of a longer one only the part after it is returned.
  StepSeries ActualsUntil(RegionId region, absl::Time now) const;

  // Where what is actual (of accounts, decisions or shares) has become known or
  // another since the last call, by time: what was accounted there is restated.
  std::vector<TimeSpan> TakeChanges(RegionId region);
  // The same since `before`, another record of the same regions.
  std::vector<TimeSpan> ChangesSince(const GridRecord& before,
                                     RegionId region) const;

  const GridRegionOptions& options(RegionId region) const;
  // The basis of what decides.
  const std::string& deciding_basis(RegionId region) const;

 private:
  struct Region;
  std::vector<std::unique_ptr<Region>> regions_;
};

// Whether `basis` is one that the accounts or decisions know.
bool KnownBasis(std::string_view basis);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_GRID_RECORD_H_
