// A region's intensity as it is known in advance.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecast.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ccsched {
namespace {

constexpr int64_t kDayUs = 24 * int64_t{3'600'000'000};

}  // namespace

Forecast::Forecast(absl::Time issued, StepSeries series)
    : issued_(issued), series_(std::move(series)) {
  length_us_ =
      series_.step_us() * static_cast<int64_t>(series_.values().size());
  // A whole number of steps, so that the extension keeps to the grid.
  period_us_ = length_us_ < kDayUs
                   ? length_us_
                   : kDayUs / series_.step_us() * series_.step_us();
  period_grams_ = series_.PrefixHours(length_us_) -
                  series_.PrefixHours(length_us_ - period_us_);
}

double Forecast::GramsOutside(int64_t us) const {
  if (us < 0) {
    return series_.values().front() * (us * StepSeries::kHoursPerUs);
  }
  const int64_t beyond = us - length_us_;
  const int64_t periods = beyond / period_us_;
  const int64_t rest = beyond % period_us_;
  const int64_t base = length_us_ - period_us_;
  return series_.PrefixHours(length_us_) + periods * period_grams_ +
         series_.PrefixHours(base + rest) - series_.PrefixHours(base);
}

GramsPerKwh Forecast::At(absl::Time t) const {
  int64_t us = series_.OffsetUs(t);
  if (us < 0) return GramsPerKwh(series_.values().front());
  if (us >= length_us_) {
    us = length_us_ - period_us_ + (us - length_us_) % period_us_;
  }
  return GramsPerKwh(series_.values()[us / series_.step_us()]);
}

GramsCo2e Forecast::PerKilowatt(absl::Time from, absl::Time to) const {
  return GramsCo2e(GramsUntil(series_.OffsetUs(to)) -
                   GramsUntil(series_.OffsetUs(from)));
}

Forecast Forecast::Overlay(const Forecast& newer) const {
  const StepSeries& old = series_;
  const StepSeries& add = newer.series_;
  const bool grids_match = old.step() == add.step() &&
                           (add.OffsetUs(old.start()) % add.step_us()) == 0;
  const bool touch = add.start() <= old.end() && old.start() <= add.end();
  if (!grids_match || !touch) return newer;
  const absl::Time start = std::min(old.start(), add.start());
  const absl::Time end = std::max(old.end(), add.end());
  std::vector<double> values;
  values.reserve((end - start) / old.step());
  for (absl::Time t = start; t < end; t += old.step()) {
    const bool in_new = t >= add.start() && t < add.end();
    values.push_back(in_new ? add.At(t) : old.At(t));
  }
  return Forecast(newer.issued_,
                  *StepSeries::Create(start, old.step(), std::move(values)));
}

}  // namespace ccsched
