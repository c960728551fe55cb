// What is learnt from how issued forecasts turned out.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecast_correction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace ccsched {
namespace {

constexpr int kDay = 24;
constexpr int kHoursSeen = 14 * kDay;
constexpr int kLeastHours = 3 * kDay;
// A mean error of an hour of the day counts as if so many days without one had
// been seen too.
constexpr double kPriorDays = 1;
// Of the deviation from the profile, so much is left a day later.
// Source: measured on day-ahead forecasts of CISO, PJM, ERCO and DE, 2021: the
// mean error two days ahead is 13.4 % with it, 14.9 % if the day repeats.
constexpr double kKeptADay = 0.6;
constexpr absl::Duration kBeyond = absl::Hours(7 * kDay);
constexpr double kMostCorrelation = 0.97;
// An error seen longer ago says nothing of now.
constexpr int kOldestError = 6;
constexpr double kFloor = 1;  // g/kWh: the logarithm of less is not taken

int HourOfDay(absl::Time t) {
  const int64_t hours = absl::ToUnixSeconds(t) / 3600;
  return static_cast<int>(hours % kDay);
}

// A mean that may have too little to go by.
struct Mean {
  double sum = 0;
  int n = 0;
  void Add(double x) {
    sum += x;
    ++n;
  }
};

class Errors {
 public:
  Errors(const Forecast& issued, const StepSeries& actuals, absl::Time hour)
      : issued_(issued), hour_(hour) {
    for (int i = 1; i <= kHoursSeen; ++i) {
      const absl::Time t = hour - absl::Hours(i);
      if (!actuals.Covers(t, t + absl::Hours(1))) continue;
      const double actual = Log(actuals.IntegralHours(t, t + absl::Hours(1)));
      profile_[HourOfDay(t)].Add(actual);
      if (!issued.series().Covers(t, t + absl::Hours(1))) continue;
      errors_[i] =
          actual - Log(issued.PerKilowatt(t, t + absl::Hours(1)).value());
      by_hour_[HourOfDay(t)].Add(*errors_[i]);
      ++seen_;
    }
    Correlate();
  }

  bool Enough() const { return seen_ >= kLeastHours; }

  double Corrected(absl::Time t, absl::Duration step) const {
    const double raw = std::max(kFloor, issued_.At(t).value());
    const double lead = absl::ToDoubleHours(t - hour_) + newest_;
    const double log = std::log(raw) + Bias(HourOfDay(t)) +
                       last_ * std::pow(correlation_, lead);
    const absl::Time end = issued_.series().end();
    const Mean& profile = profile_[HourOfDay(t)];
    if (t + step <= end || profile.n < kLeastHours / kDay) {
      return std::exp(log);
    }
    const double days = 1 + std::floor(absl::ToDoubleHours(t - end) / kDay);
    const double usual = profile.sum / profile.n;
    return std::exp(usual + std::pow(kKeptADay, days) * (log - usual));
  }

 private:
  static double Log(double x) { return std::log(std::max(kFloor, x)); }
  double Bias(int hour_of_day) const {
    const Mean& mean = by_hour_[hour_of_day];
    return mean.sum / (mean.n + kPriorDays);
  }
  // The error of `i` hours ago beside the usual one.
  std::optional<double> Beside(int i) const {
    if (!errors_[i]) return std::nullopt;
    return *errors_[i] - Bias(HourOfDay(hour_ - absl::Hours(i)));
  }
  void Correlate() {
    double product = 0;
    double square = 0;
    for (int i = 1; i < kHoursSeen; ++i) {
      const auto later = Beside(i);
      const auto earlier = Beside(i + 1);
      if (!later || !earlier) continue;
      product += *later * *earlier;
      square += *earlier * *earlier;
    }
    if (square > 0) {
      correlation_ = std::clamp(product / square, 0.0, kMostCorrelation);
    }
    for (int i = 1; i <= kOldestError; ++i) {
      const auto error = Beside(i);
      if (!error) continue;
      last_ = *error;
      newest_ = i;
      return;
    }
  }

  const Forecast& issued_;
  const absl::Time hour_;
  std::array<std::optional<double>, kHoursSeen + 1> errors_;  // hours ago
  std::array<Mean, kDay> by_hour_;                            // of the errors
  std::array<Mean, kDay> profile_;  // of the actual values
  int seen_ = 0;
  double correlation_ = 0;  // of the errors of neighbouring hours
  double last_ = 0;         // error beside the usual one, `newest_` hours ago
  int newest_ = 1;
};

}  // namespace

std::optional<Forecast> CorrectForecast(const Forecast& issued,
                                        const StepSeries& actuals,
                                        absl::Time now) {
  const absl::Duration step = issued.series().step();
  if (step > absl::Hours(1) || actuals.empty()) return std::nullopt;
  const absl::Time hour =
      absl::UnixEpoch() + absl::Floor(now - absl::UnixEpoch(), absl::Hours(1));
  const Errors errors(issued, actuals, hour);
  if (!errors.Enough()) return std::nullopt;
  const absl::Time start =
      issued.series().start() +
      step * std::max<int64_t>(0, (hour - issued.series().start()) / step);
  const absl::Time end = std::max(issued.series().end(), start) + kBeyond;
  std::vector<double> values;
  values.reserve((end - start) / step + 1);
  for (absl::Time t = start; t < end; t += step) {
    values.push_back(errors.Corrected(t, step));
  }
  auto series = StepSeries::Create(start, step, std::move(values));
  if (!series.ok()) return std::nullopt;
  return Forecast(issued.issued(), *std::move(series));
}

}  // namespace ccsched
