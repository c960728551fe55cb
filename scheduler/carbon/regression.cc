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

#include "scheduler/carbon/error_band.h"
#include "scheduler/carbon/known.h"
#include "scheduler/carbon/ridge.h"

namespace ccsched {
namespace {

constexpr int64_t kDay = 24;
constexpr int64_t kWeek = 7 * kDay;
constexpr int64_t kLeadDays = 4;
constexpr int64_t kLeads = kLeadDays * kDay;
constexpr int64_t kProfileDays = 7;  // before the profiles are worth anything
constexpr int64_t kFitDays = 21;     // before the models are
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
  // What the model of now says at `origin` of hour `target`: a logarithm.
  // REQUIRES: as MakeSample.
  double Foresee(int64_t origin, int64_t target) const {
    const Sample s = MakeSample(hours_, recent_[origin], origin, target);
    if (!fitted_) return s.base;
    const int64_t day = (target - origin) / kDay;
    return s.base + models_[day][hours_.HourOfDay(target)].Predict(s.x);
  }

  IssuedForecast Make(int64_t current, absl::Time now, int64_t steps) const {
    const int64_t origin = hours_.size();
    std::vector<double> mid;
    std::vector<double> low;
    std::vector<double> high;
    for (int64_t t = current; t < current + steps; ++t) {
      // Beyond the last lead its day is repeated.
      int64_t target = t;
      while (target >= origin + kLeads) target -= kDay;
      const double v = Foresee(origin, target);
      mid.push_back(std::exp(v));
      const auto band = band_.At(target - origin, hours_.HourOfDay(target));
      if (!band) continue;
      low.push_back(std::exp(v + band->low));
      high.push_back(std::exp(v + band->high));
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
      band_ = {};
      foreseen_ = {};
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

  // The first hour that knows a week and a day before it.
  static constexpr int64_t kFirstOrigin = kProfileDays * kDay + kDay + 1;

  void LearnHour(int64_t n) {
    const int hour = hours_.HourOfDay(n);
    for (int64_t lead = 0; lead < kLeads; ++lead) {
      const int64_t origin = n - lead;
      if (origin < kFirstOrigin) break;
      if (const auto& told = foreseen_[origin % kLeads]; !told.empty()) {
        band_.Add(lead, hour, hours_.value[n] - told[lead].value,
                  told[lead].band);
      }
      const Sample s = MakeSample(hours_, recent_[origin], origin, n);
      models_[lead / kDay][hour].Add(s.x, hours_.value[n] - s.base, 1);
    }
    if (hour == 0) Refit(n);
    Tell(n + 1);
  }

  void Refit(int64_t n) {
    fitted_ = n >= kFitDays * kDay;
    const double keep = std::exp2(-1 / kHalfLifeDays);
    for (auto& day : models_) {
      for (Model& model : day) {
        if (fitted_) model.Solve(kRidge);
        model.Fade(keep);
      }
    }
  }

  // Keeps what is said at `origin` until it is known how it came out.
  void Tell(int64_t origin) {
    std::vector<Told>& told = foreseen_[origin % kLeads];
    told.clear();
    if (origin < kFirstOrigin) return;
    for (int64_t lead = 0; lead < kLeads; ++lead) {
      told.push_back({Foresee(origin, origin + lead), {}});
      if (!ErrorBand::Sampled(lead)) continue;
      told.back().band = band_.At(lead, hours_.HourOfDay(origin + lead));
    }
  }

  struct Told {
    double value;
    std::optional<ErrorBand::Interval> band;
  };

  std::unique_ptr<Forecaster> fallback_;
  Hours hours_;
  std::vector<Recent> recent_;  // by origin: one more than there are hours
  std::array<std::array<Model, kDay>, kLeadDays> models_ = {};
  std::array<std::vector<Told>, kLeads> foreseen_;  // by origin, in a ring
  ErrorBand band_;
  bool fitted_ = false;
};

}  // namespace

std::unique_ptr<Forecaster> MakeRegressionForecaster() {
  return std::make_unique<Regression>();
}

}  // namespace ccsched
