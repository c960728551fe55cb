// Emissions of starting now or later, for all starts on a grid at once.
// SPDX-License-Identifier: Apache-2.0
//
//   curves.Refresh(in);
//   curves.of(region)->Windows(now_us, length_us, kHourUs, 25, grams);
//
// The hot loop of policies that weigh starts: no division, no allocation, no
// absl::Time. All times are microseconds since 1970.
#ifndef CCSCHED_POLICIES_WINDOW_H_
#define CCSCHED_POLICIES_WINDOW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "policies/dispatch.h"
#include "policies/policy.h"

namespace ccsched {

inline constexpr int64_t kHourUs = 3'600'000'000;

// A forecast with its extension written out as far as it was asked for.
class Curve {
 public:
  explicit Curve(std::shared_ptr<const Forecast> forecast);

  const Forecast& forecast() const { return *forecast_; }
  int64_t step_us() const { return step_us_; }
  // The first edge of a step after `us`.
  int64_t NextEdge(int64_t us) const;
  // The intensity at `us`, g/kWh.
  double At(int64_t us) {
    Cover(us, us + 1);
    return values_[(us - base_us_) / step_us_];
  }
  // Grams of a constant kilowatt over [from, to).
  double Grams(int64_t from_us, int64_t to_us) {
    Cover(from_us, to_us);
    return Until(to_us) - Until(from_us);
  }
  // grams[k] = Grams(s, s + length) with s = from + k * stride, for k < n.
  void Windows(int64_t from_us, int64_t length_us, int64_t stride_us, int n,
               double* grams);

 private:
  // Makes [from, to] lie within values_.
  void Cover(int64_t from_us, int64_t to_us) {
    if (from_us < base_us_ || to_us >= end_us_) Extend(from_us, to_us);
  }
  void Extend(int64_t from_us, int64_t to_us);
  double Until(int64_t us) const {
    const int64_t i = (us - base_us_) / step_us_;
    return prefix_[i] + values_[i] * ((us - base_us_ - i * step_us_) *
                                      StepSeries::kHoursPerUs);
  }

  std::shared_ptr<const Forecast> forecast_;
  int64_t origin_us_;  // start of the forecast's series
  int64_t step_us_;
  int64_t base_us_;             // start of values_[0], on the forecast's grid
  int64_t end_us_;              // end of values_
  std::vector<double> values_;  // g/kWh by step
  std::vector<double> prefix_;  // grams of a kilowatt before each step
};

// A start and what a constant kilowatt emits from it to the end of the run.
struct WindowStart {
  int64_t start_us = 0;
  double grams = 0;
};

// The first of least emission among the `n` starts from_us + k * stride_us.
// `grams` is room to work in. REQUIRES: n >= 1.
WindowStart BestWindow(Curve& curve, int64_t from_us, int64_t length_us,
                       int64_t stride_us, int n, std::vector<double>& grams);

// How many starts, `stride_us` apart from `now_us` on, are no later than
// `latest_us` and end by `horizon_us`; at least one.
int StartsAllowed(int64_t now_us, int64_t latest_us, int64_t length_us,
                  int64_t horizon_us, int64_t stride_us);

// The curves of all regions, kept in step with the forecasts.
class Curves {
 public:
  void Refresh(const PolicyInput& in);
  // Null where nothing is forecast.
  Curve* of(RegionId region) { return curves_[region.value()].get(); }
  Curve* of(const PolicyInput& in, PoolId pool) {
    return of(in.topology.region(pool));
  }

 private:
  std::vector<std::unique_ptr<Curve>> curves_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_WINDOW_H_
