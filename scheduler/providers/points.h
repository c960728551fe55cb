// Values of a grid as a service lists them, made into series and checked.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_POINTS_H_
#define CCSCHED_SCHEDULER_PROVIDERS_POINTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

enum class GridSignal { kIntensity, kCarbonFree };  // gCO2e/kWh; %

// A series as a service gave it, without gaps.
struct GridUpdate {
  std::string source;  // the service
  GridSignal signal = GridSignal::kIntensity;
  bool actual = false;
  std::string basis;  // see KnownBasis()
  // FactorSet::version, where a mix was made into these; else empty.
  std::string factors;
  absl::Time issued;
  StepSeries series;
  std::vector<bool> estimated;
};

// What is the same of all values of an answer.
struct AnswerContext {
  std::string source;
  std::string basis;
  absl::Time now;                    // of our clock
  std::optional<absl::Time> issued;  // as the service says; else now
};

// Collects values in any order. A gap ends a series and begins another.
class Points {
 public:
  // Errors: InvalidArgument, naming the time, for a value that is no finite
  // number, or negative, or (%) above 100.
  absl::Status Add(GridSignal signal, absl::Time start, double value,
                   bool estimated,
                   std::optional<absl::Duration> step = std::nullopt);

  // The series, in the order of time. Where no step was given it is the
  // smallest difference of times (an hour, of a single value). The same value
  // twice counts once. Actual values that have not begun by now (a clock that
  // is wrong, here or there) are dropped. An issue time in the future is taken
  // as now. Errors: InvalidArgument for two values of one time, or values that
  // overlap; NotFound if there is none.
  absl::StatusOr<std::vector<GridUpdate>> Build(const AnswerContext& context,
                                                bool actual) const;

  bool empty() const { return points_.empty(); }

 private:
  struct Point {
    GridSignal signal;
    absl::Time start;
    double value;
    bool estimated;
    std::optional<absl::Duration> step;
  };
  std::vector<Point> points_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_POINTS_H_
