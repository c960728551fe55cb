// How far forecasts have been off, by how far ahead they looked.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecast_errors.h"

#include <algorithm>
#include <vector>

namespace ccsched {
namespace {

constexpr absl::Duration kApart = absl::Hours(3);
constexpr size_t kOpenMax = 600;     // 75 days of one in three hours
constexpr size_t kRatiosMax = 4096;  // of a class
constexpr size_t kRatiosLeast = 48;
// A forecast near zero says little of the factor.
constexpr double kLeastGrams = 1;

}  // namespace

size_t ForecastErrors::ClassOf(absl::Duration lead) {
  size_t c = 0;
  for (const int hours : kClassHours) c += lead >= absl::Hours(hours) ? 1 : 0;
  return c;
}

void ForecastErrors::Issued(const Forecast& forecast) {
  if (forecast.issued() < last_issued_ + kApart) return;
  last_issued_ = forecast.issued();
  if (open_.size() >= kOpenMax) open_.pop_front();
  open_.push_back(
      {forecast, std::max(forecast.series().start(), forecast.issued())});
}

void ForecastErrors::Settle(const StepSeries& actuals, absl::Time now) {
  if (actuals.empty()) return;
  const absl::Time known = std::min(now, actuals.end());
  for (Open& open : open_) {
    const StepSeries& series = open.forecast.series();
    const absl::Duration step = series.step();
    // Whole steps of the forecast only.
    int64_t i = absl::Ceil(open.until - series.start(), step) / step;
    for (; i < static_cast<int64_t>(series.values().size()); ++i) {
      const absl::Time start = series.start() + step * i;
      const absl::Time end = start + step;
      if (end > known) break;
      open.until = end;
      if (!actuals.Covers(start, end)) continue;
      const double actual =
          actuals.IntegralHours(start, end) / absl::ToDoubleHours(step);
      Add(ClassOf(start - open.forecast.issued()),
          std::max(actual, kLeastGrams) /
              std::max(series.values()[i], kLeastGrams));
    }
  }
  std::erase_if(open_, [](const Open& open) {
    return open.until >= open.forecast.series().end();
  });
}

void ForecastErrors::Add(size_t lead_class, double ratio) {
  std::deque<double>& ratios = ratios_[lead_class];
  if (ratios.size() >= kRatiosMax) ratios.pop_front();
  ratios.push_back(ratio);
  bands_[lead_class].reset();
}

std::optional<ForecastErrors::Band> ForecastErrors::At(
    absl::Duration lead) const {
  size_t c = ClassOf(lead);
  while (c > 0 && ratios_[c].size() < kRatiosLeast) --c;
  if (ratios_[c].size() < kRatiosLeast) return std::nullopt;
  std::optional<Band>& band = bands_[c];
  if (band) return band;
  std::vector<double> sorted(ratios_[c].begin(), ratios_[c].end());
  const auto quantile = [&](double q) {
    const auto nth =
        sorted.begin() +
        static_cast<std::ptrdiff_t>(q * static_cast<double>(sorted.size()));
    std::nth_element(sorted.begin(), nth, sorted.end());
    return *nth;
  };
  band = Band{quantile(.1), quantile(.9)};
  return band;
}

}  // namespace ccsched
