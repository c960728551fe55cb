// The band of a forecast's error, calibrated on the errors that came of it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/error_band.h"

#include <algorithm>
#include <cmath>

namespace ccsched {
namespace {

constexpr size_t kErrorsMax = 60;  // days
constexpr size_t kErrorsMin = 14;
constexpr double kTail = .1;  // on each side
// How fast a level follows what is missed, for each error.
constexpr double kPace = .0005;
constexpr double kLevelMin = .005, kLevelMax = .4;
// Of the mean error by lead, for each hour: half is forgotten in 30 days.
constexpr double kForget = 1.0 / (30 * 24);

// Such that of n + 1 errors a share of `level` is below, interpolated between
// the ranks; beyond the outermost ones, these.
double Quantile(const std::vector<double>& sorted, double level) {
  const auto n = static_cast<double>(sorted.size());
  const double rank = std::clamp(level * (n + 1) - 1, 0.0, n - 1);
  const auto i = static_cast<size_t>(rank);
  const double next = sorted[std::min(i + 1, sorted.size() - 1)];
  return sorted[i] + (next - sorted[i]) * (rank - static_cast<double>(i));
}

}  // namespace

void ErrorBand::Add(int64_t lead, int hour, double error,
                    const std::optional<Interval>& promised) {
  double& spread = spread_[lead];
  spread += (std::abs(error) - spread) * (spread == 0 ? 1 : kForget);
  if (!Sampled(lead)) return;
  const int64_t day = lead / kHours;
  if (promised) {
    const auto follow = [](double& missed, bool miss) {
      missed = std::clamp(missed + kPace * ((miss ? 1 : 0) - kTail),
                          kTail - kLevelMax, kTail - kLevelMin);
    };
    follow(missed_[day].low, error < promised->low);
    follow(missed_[day].high, error > promised->high);
  }
  std::vector<double>& errors = errors_[day][hour];
  if (errors.size() >= kErrorsMax) errors.erase(errors.begin());
  errors.push_back(error);
}

std::optional<ErrorBand::Interval> ErrorBand::At(int64_t lead, int hour) const {
  const int64_t day = lead / kHours;
  if (errors_[day][hour].size() < kErrorsMin) return std::nullopt;
  std::vector<double> sorted = errors_[day][hour];
  std::sort(sorted.begin(), sorted.end());
  const double sampled = spread_[day * kHours + kHours / 2];
  const double scale = sampled > 0 ? spread_[lead] / sampled : 1;
  return Interval{Quantile(sorted, kTail - missed_[day].low) * scale,
                  Quantile(sorted, 1 - kTail + missed_[day].high) * scale};
}

}  // namespace ccsched
