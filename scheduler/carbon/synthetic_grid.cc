// Makes intensities that behave like a real grid's, from its statistics.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/synthetic_grid.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "scheduler/base/random.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

// Where `t` lies between the middles of two months.
struct BetweenMonths {
  int before, after;  // 0 to 11
  double weight;      // of `after`
};
BetweenMonths Between(absl::Time t) {
  const absl::CivilHour hour = absl::ToCivilHour(t, absl::UTCTimeZone());
  const absl::CivilMonth month(hour);
  const absl::CivilHour first(month);
  const absl::CivilHour next(month + 1);
  const double into = static_cast<double>(hour - first) / (next - first);
  const int m = hour.month() - 1;
  if (into < 0.5) return {(m + 11) % 12, m, into + 0.5};
  return {m, (m + 1) % 12, into - 0.5};
}

// Standard normal noise, the sum of a fast autoregression of first order and a
// slow one of second order (a double root, so that it is smooth), such that the
// correlations with the hour and with the day before are the profile's.
class Noise {
 public:
  Noise(const GridProfile& profile, uint64_t seed) : random_(seed) {
    double low = kFast;
    double high = 0.9999;
    for (int i = 0; i < 60; ++i) {
      root_ = (low + high) / 2;
      slow_share_ = std::min(1.0, (profile.lag_1h - kFast) / (Slow(1) - kFast));
      const double lag_24h =
          slow_share_ * Slow(24) + (1 - slow_share_) * std::pow(kFast, 24);
      (lag_24h < profile.lag_24h ? low : high) = root_;
    }
    const double square = root_ * root_;
    step_ = std::sqrt(std::pow(1 - square, 3) / (1 + square));
    for (int i = 0; i < kWarmUp; ++i) Next();
  }

  double Next() {
    const double slow = 2 * root_ * slow_[0] - root_ * root_ * slow_[1] +
                        step_ * random_.Normal();
    slow_[1] = std::exchange(slow_[0], slow);
    fast_ = kFast * fast_ + std::sqrt(1 - kFast * kFast) * random_.Normal();
    return std::sqrt(slow_share_) * slow + std::sqrt(1 - slow_share_) * fast_;
  }

 private:
  static constexpr double kFast = 0.9;
  static constexpr int kWarmUp = 2000;

  // Correlation of the slow part with itself `lag` hours before.
  double Slow(int lag) const {
    const double square = root_ * root_;
    return (1 + lag * (1 - square) / (1 + square)) * std::pow(root_, lag);
  }

  Random random_;
  double slow_share_ = 1;
  double root_ = 0;
  double step_ = 0;
  double slow_[2] = {0, 0};
  double fast_ = 0;
};

}  // namespace

StepSeries SyntheticGrid(const GridProfile& profile, absl::Time start,
                         int hours, uint64_t seed) {
  Noise noise(profile, seed);
  std::vector<double> values;
  values.reserve(hours);
  for (int i = 0; i < hours; ++i) {
    const absl::Time t = start + absl::Hours(i);
    const BetweenMonths m = Between(t);
    const int hour = absl::ToCivilHour(t, absl::UTCTimeZone()).hour();
    const double mean = profile.mean[m.before][hour] * (1 - m.weight) +
                        profile.mean[m.after][hour] * m.weight;
    const double spread = (profile.spread_permille[m.before] * (1 - m.weight) +
                           profile.spread_permille[m.after] * m.weight) /
                          1000;
    // Log-normal with that mean and spread: never negative, skewed as
    // intensities are.
    const double sigma = std::sqrt(std::log1p(spread * spread));
    const double value =
        mean * std::exp(sigma * noise.Next() - sigma * sigma / 2);
    values.push_back(std::clamp(value, profile.min, profile.max));
  }
  return *StepSeries::Create(start, absl::Hours(1), std::move(values));
}

std::string SyntheticGridCsv(const GridProfile& profile, absl::Time start,
                             int hours, uint64_t seed) {
  const StepSeries series = SyntheticGrid(profile, start, hours, seed);
  std::string csv = "utc,ci_lca,estimated\n";
  for (size_t i = 0; i < series.values().size(); ++i) {
    absl::StrAppendFormat(&csv, "%s,%.2f,1\n",
                          FormatUtc(start + absl::Hours(i)),
                          series.values()[i]);
  }
  return csv;
}

}  // namespace ccsched
