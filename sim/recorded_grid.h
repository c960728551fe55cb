// A region's intensity put together from what a ledger holds. Internal.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RECORDED_GRID_H_
#define CCSCHED_SIM_RECORDED_GRID_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

// Values laid over each other: a better kind of knowledge over a worse one, of
// one kind the later over the earlier.
class RecordedGrid {
 public:
  enum Kind { kForecast, kMeasured, kAccounted };

  // One value over [from, to).
  void Paint(absl::Time from, absl::Time to, double value, Kind kind,
             bool estimated);
  // A series; of a forecast, only from `known` on and where nothing of an
  // earlier one is: the past can't be forecast.
  void Paint(const StepSeries& series, Kind kind, absl::Time known);

  bool empty() const { return strokes_.empty(); }
  // Everything from `from` to `to`; gaps and what is beyond are filled with the
  // value of the same time of the nearest day that has one. `estimated` is set
  // if any value up to `last` is not a measured one.
  absl::StatusOr<StepSeries> Series(absl::Time from, absl::Time last,
                                    absl::Time to, bool* estimated) const;

 private:
  struct Stroke {
    absl::Time from, to;
    double value = 0;
    Kind kind = kForecast;
    bool estimated = false;
  };
  std::vector<Stroke> strokes_;
  absl::Duration step_ = absl::Hours(1);
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_RECORDED_GRID_H_
