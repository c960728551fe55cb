// The forecaster that learns: ridge regression on lags, profile and calendar.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "scheduler/carbon/known.h"
#include "scheduler/carbon/ridge.h"

namespace ccsched {
namespace {

constexpr int64_t kDay = 24;
constexpr int64_t kWeek = 7 * kDay;
constexpr int64_t kLeadDays = 4;
constexpr int64_t kProfileDays = 7;  // before the profiles are worth anything
constexpr int64_t kFitDays = 21;     // before the models are
constexpr int kBandDays = 60;        // errors that the band is taken from
constexpr int kBandDaysMin = 14;
constexpr double kHalfLifeDays = 365;
constexpr double kRidge = 1e-3;
constexpr double kFloor = 0.1;  // g/kWh: the logarithm of less is not taken

// What is known at each hour, by its number since the first one.
struct Hours {
  int64_t first = 0;          // hours since the epoch
  std::vector<double> value;  // logarithms
  // Smoothed profiles of this hour of the day, this day included.
  std::vector<double> fast, middle, slow;
  std::vector<double> off;  // value − middle profile of the day before

  int64_t size() const { return static_cast<int64_t>(value.size()); }
  int HourOfDay(int64_t i) const {
    return static_cast<int>((first + i) % kDay);
  }
  int DayOfWeek(int64_t i) const {  // the epoch was a Thursday
    return static_cast<int>((first + i) / kDay % 7);
  }

  void Push(double v) {
    const int64_t i = size();
    const int64_t days_seen = i / kDay + 1;
    const auto smooth = [&](std::vector<double>& p, double days) {
      const double old = i >= kDay ? p[i - kDay] : v;
      // The first days weigh as a plain mean.
      const double weight =
          std::max(1 / days, 1.0 / static_cast<double>(days_seen));
      p.push_back(old + (v - old) * weight);
    };
    off.push_back(i >= kDay ? v - middle[i - kDay] : 0);
    value.push_back(v);
    smooth(fast, 3);
    smooth(middle, 9);
    smooth(slow, 40);
  }
  double MeanOff(int64_t from, int64_t to) const {
    double sum = 0;
    for (int64_t i = from; i < to; ++i) sum += off[i];
    return sum / static_cast<double>(to - from);
  }
};

constexpr int kFeatures = 20;
using Model = Ridge<kFeatures>;

// The deviations at the time of issue: of the last hours and days.
struct Recent {
  double hour = 0, day = 0, day_before = 0, week = 0;
  static Recent At(const Hours& h, int64_t origin) {
    if (origin < kWeek) return {};
    return {h.MeanOff(origin - 2, origin), h.MeanOff(origin - kDay, origin),
            h.MeanOff(origin - 2 * kDay, origin - kDay),
            h.MeanOff(origin - kWeek, origin)};
  }
};

// What the model of hour `target` sees at `origin`, the first hour not known.
// REQUIRES: origin > 8 days, origin <= target < origin + 4 days.
struct Sample {
  Model::Vector x;
  double base;  // the profile that everything is a deviation from
};
Sample MakeSample(const Hours& h, const Recent& recent, int64_t origin,
                  int64_t target) {
  const int64_t lead = target - origin;
  const int64_t day1 = target - (lead / kDay + 1) * kDay;
  const int64_t day2 = day1 - kDay;
  const int64_t week = target - kWeek;
  Sample s;
  s.base = h.middle[day1];
  const double near = day1 + 1 < origin ? h.off[day1 + 1] : h.off[day1];
  const double year = 2 * std::numbers::pi *
                      static_cast<double>(h.first + target) / (365.2425 * kDay);
  const double l = static_cast<double>(lead);
  s.x = {h.value[day1] - s.base,
         h.value[day2] - s.base,
         h.value[week] - s.base,
         h.fast[day1] - s.base,
         h.slow[day1] - s.base,
         near + h.off[day1 - 1],
         recent.hour * std::exp(-l / 4),
         recent.hour * std::exp(-l / 20),
         recent.day,
         recent.day_before,
         recent.week,
         0.1 * std::cos(year),
         0.1 * std::sin(year)};
  s.x[13 + h.DayOfWeek(target)] = 0.1;
  return s;
}

// The errors of the last days, for the band.
class Errors {
 public:
  void Add(double e) {
    if (errors_.size() < kBandDays) {
      errors_.push_back(e);
    } else {
      errors_[next_] = e;
    }
    next_ = (next_ + 1) % kBandDays;
  }
  bool Enough() const { return errors_.size() >= kBandDaysMin; }
  double Quantile(double q) const {
    std::vector<double> sorted = errors_;
    std::sort(sorted.begin(), sorted.end());
    const double at = q * static_cast<double>(sorted.size() - 1);
    const size_t i = static_cast<size_t>(at);
    const double next = sorted[std::min(i + 1, sorted.size() - 1)];
    return sorted[i] + (next - sorted[i]) * (at - static_cast<double>(i));
  }

 private:
  std::vector<double> errors_;
  size_t next_ = 0;
};

class Regression : public Forecaster {
 public:
  Regression() : fallback_(*MakeForecaster("persistence")) {}

  std::string_view name() const override { return "regression"; }

  std::optional<IssuedForecast> Issue(const StepSeries& actuals, absl::Time now,
                                      absl::Duration horizon) override {
    if (actuals.empty()) return std::nullopt;
    const Known k = Known::At(actuals, now);
    const bool fits = absl::Hours(1) % actuals.step() == absl::ZeroDuration();
    if (!k.Usable() || !fits) return fallback_->Issue(actuals, now, horizon);
    Learn(k);
    const int64_t current = absl::ToUnixSeconds(now) / 3600 - hours_.first;
    const int64_t late = current - hours_.size();
    if (hours_.size() < kProfileDays * kDay + kDay || late > kDay) {
      return fallback_->Issue(actuals, now, horizon);
    }
    return Make(current, now,
                absl::Ceil(horizon, absl::Hours(1)) / absl::Hours(1));
  }

 private:
  IssuedForecast Make(int64_t current, absl::Time now, int64_t steps) const {
    const int64_t origin = hours_.size();
    const Recent& recent = recent_[origin];
    std::vector<double> mid;
    std::vector<double> low;
    std::vector<double> high;
    for (int64_t t = current; t < current + steps; ++t) {
      // Beyond the last lead its day is repeated.
      int64_t target = t;
      while (target >= origin + kLeadDays * kDay) target -= kDay;
      const int64_t day = (target - origin) / kDay;
      const int hour = hours_.HourOfDay(target);
      const Sample s = MakeSample(hours_, recent, origin, target);
      const double v = s.base + (fitted_ ? models_[day][hour].Predict(s.x) : 0);
      mid.push_back(std::exp(v));
      const Errors& errors = errors_[day][hour];
      if (!errors.Enough()) continue;
      low.push_back(std::exp(v + errors.Quantile(.1)));
      high.push_back(std::exp(v + errors.Quantile(.9)));
    }
    const absl::Time start =
        absl::FromUnixSeconds((hours_.first + current) * 3600);
    const auto series = [&](std::vector<double> values) {
      if (values.size() != mid.size()) return StepSeries();
      return *StepSeries::Create(start, absl::Hours(1), std::move(values));
    };
    return {Forecast(now, series(mid)), series(low), series(high)};
  }

  // Takes in the hours that were not known before.
  void Learn(const Known& k) {
    const int64_t per_hour = absl::Hours(1) / k.series.step();
    const int64_t start_s = absl::ToUnixSeconds(k.series.start());
    const int64_t first_hour = (start_s + 3599) / 3600;
    const int64_t skip =
        absl::Seconds(first_hour * 3600 - start_s) / k.series.step();
    const int64_t end_hour = first_hour + (k.known - skip) / per_hour;
    const int64_t have_until = hours_.first + hours_.size();
    const bool anew =
        hours_.size() == 0 || first_hour > have_until || end_hour < have_until;
    if (anew) {
      hours_ = {};
      hours_.first = first_hour;
      recent_.assign(1, Recent());
      models_ = {};
      errors_ = {};
      fitted_ = false;
    }
    for (int64_t hour = hours_.first + hours_.size(); hour < end_hour; ++hour) {
      const int64_t i = skip + (hour - first_hour) * per_hour;
      double sum = 0;
      for (int64_t j = 0; j < per_hour; ++j) sum += k[i + j];
      hours_.Push(
          std::log(std::max(sum / static_cast<double>(per_hour), kFloor)));
      recent_.push_back(Recent::At(hours_, hours_.size()));
      LearnHour(hours_.size() - 1);
    }
  }

  void LearnHour(int64_t n) {
    const int hour = hours_.HourOfDay(n);
    for (int64_t lead = 0; lead < kLeadDays * kDay; ++lead) {
      const int64_t origin = n - lead;
      if (origin < kProfileDays * kDay + kDay + 1) break;
      const Sample s = MakeSample(hours_, recent_[origin], origin, n);
      const double y = hours_.value[n] - s.base;
      const int64_t day = lead / kDay;
      Model& model = models_[day][hour];
      if (lead % kDay == kDay / 2) {
        errors_[day][hour].Add(y - (fitted_ ? model.Predict(s.x) : 0));
      }
      model.Add(s.x, y, 1);
    }
    if (hour != 0) return;
    fitted_ = n >= kFitDays * kDay;
    const double keep = std::exp2(-1 / kHalfLifeDays);
    for (auto& day : models_) {
      for (Model& model : day) {
        if (fitted_) model.Solve(kRidge);
        model.Fade(keep);
      }
    }
  }

  std::unique_ptr<Forecaster> fallback_;
  Hours hours_;
  std::vector<Recent> recent_;  // by origin: one more than there are hours
  std::array<std::array<Model, kDay>, kLeadDays> models_ = {};
  std::array<std::array<Errors, kDay>, kLeadDays> errors_;
  bool fitted_ = false;
};

}  // namespace

std::unique_ptr<Forecaster> MakeRegressionForecaster() {
  return std::make_unique<Regression>();
}

}  // namespace ccsched
