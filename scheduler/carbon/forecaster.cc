// Persistence, the blend of yesterday and last week, and the list of them all.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/forecaster.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/known.h"
#include "scheduler/carbon/regression.h"

namespace ccsched {
namespace {

// Steps of `step` that cover [0, horizon).
int64_t Steps(absl::Duration horizon, absl::Duration step) {
  return absl::Ceil(horizon, step) / step;
}

IssuedForecast Issued(const Known& k, absl::Time now,
                      std::vector<double> values) {
  return {
      Forecast(now, *StepSeries::Create(k.TimeOf(k.current), k.series.step(),
                                        std::move(values))),
      StepSeries(), StepSeries()};
}

class Persistence : public Forecaster {
 public:
  std::string_view name() const override { return "persistence"; }
  std::optional<IssuedForecast> Issue(const StepSeries& actuals, absl::Time now,
                                      absl::Duration horizon) override {
    if (actuals.empty()) return std::nullopt;
    const Known k = Known::At(actuals, now);
    if (!k.Usable()) return std::nullopt;
    std::vector<double> values;
    for (int64_t j = 0; j < Steps(horizon, actuals.step()); ++j) {
      values.push_back(k.SameHour(k.current + j));
    }
    return Issued(k, now, std::move(values));
  }
};

// weight × the same hour of the newest day + (1 − weight) × that of the week
// before; for each day of lead the weight, of eleven, that has had the least
// relative error of late.
class Blend : public Forecaster {
 public:
  std::string_view name() const override { return "blend"; }
  std::optional<IssuedForecast> Issue(const StepSeries& actuals, absl::Time now,
                                      absl::Duration horizon) override {
    if (actuals.empty()) return std::nullopt;
    const Known k = Known::At(actuals, now);
    if (!k.Usable()) return std::nullopt;
    if (k.per_day == 0) return fallback_.Issue(actuals, now, horizon);
    Learn(k);
    std::vector<double> values;
    for (int64_t j = 0; j < Steps(horizon, actuals.step()); ++j) {
      const int64_t i = k.current + j;
      const int64_t lead = (i - k.known) / k.per_day;
      int64_t week = i - 7 * k.per_day;
      while (week >= k.known) week -= 7 * k.per_day;
      const double day = k.SameHour(i);
      const double w = week < 0 ? 1 : Weight(lead);
      values.push_back(week < 0 ? day : w * day + (1 - w) * k[week]);
    }
    return Issued(k, now, std::move(values));
  }

 private:
  static constexpr int kLeads = 7;
  static constexpr int kWeights = 11;

  double Weight(int64_t lead) const {
    const auto& errors = errors_[std::min<int64_t>(lead, kLeads - 1)];
    int best = kWeights - 1;
    for (int w = 0; w < kWeights; ++w) {
      if (errors[w] < errors[best]) best = w;
    }
    return best / (kWeights - 1.0);
  }

  void Learn(const Known& k) {
    if (k.series.step() != step_ || learnt_ > k.TimeOf(k.known)) {
      errors_ = {};
      learnt_ = absl::InfinitePast();
      step_ = k.series.step();
    }
    // Errors of four weeks ago count half.
    const double keep = std::exp2(-1.0 / (28 * k.per_day));
    int64_t i = 7 * k.per_day;
    if (learnt_ > k.TimeOf(i)) i = (learnt_ - k.series.start()) / step_;
    for (; i < k.known; ++i) {
      for (int lead = 0; lead < kLeads; ++lead) {
        const double day = k[i - (lead + 1) * k.per_day];
        const double week = k[i - 7 * k.per_day];
        for (int w = 0; w < kWeights; ++w) {
          const double x = w / (kWeights - 1.0);
          const double error = std::abs(x * day + (1 - x) * week - k[i]) /
                               std::max(std::abs(k[i]), 1.0);
          errors_[lead][w] = errors_[lead][w] * keep + error;
        }
      }
    }
    learnt_ = k.TimeOf(k.known);
  }

  Persistence fallback_;
  absl::Time learnt_ = absl::InfinitePast();
  absl::Duration step_;
  std::array<std::array<double, kWeights>, kLeads> errors_ = {};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Forecaster>> MakeForecaster(
    std::string_view name) {
  if (name == "persistence") return std::make_unique<Persistence>();
  if (name == "blend") return std::make_unique<Blend>();
  if (name == "regression" || name == "learned") {
    return MakeRegressionForecaster();
  }
  return absl::NotFoundError(
      absl::StrFormat("no forecaster \"%s\"; there are: %s", name,
                      absl::StrJoin(ForecasterNames(), ", ")));
}

std::vector<std::string> ForecasterNames() {
  return {"persistence", "blend", "regression"};
}

}  // namespace ccsched
