// Emissions of starting now or later.
// SPDX-License-Identifier: Apache-2.0
#include "policies/window.h"

#include <algorithm>

namespace ccsched {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

}  // namespace

Curve::Curve(std::shared_ptr<const Forecast> forecast)
    : forecast_(std::move(forecast)),
      origin_us_(ToUs(forecast_->series().start())),
      step_us_(forecast_->series().step_us()),
      base_us_(0),
      end_us_(0) {}

int64_t Curve::NextEdge(int64_t us) const {
  return origin_us_ + (FloorDiv(us - origin_us_, step_us_) + 1) * step_us_;
}

void Curve::Extend(int64_t from_us, int64_t to_us) {
  const int64_t first =
      origin_us_ + FloorDiv(from_us - origin_us_, step_us_) * step_us_;
  if (values_.empty() || first < base_us_) {
    values_.clear();
    base_us_ = first;
  }
  // By half more than was there, so that growing is rare.
  const int64_t wanted = (to_us - base_us_) / step_us_ + 2;
  const int64_t size = static_cast<int64_t>(values_.size());
  const int64_t grown = std::max(wanted, size + size / 2);
  values_.reserve(grown);
  prefix_.resize(size == 0 ? 1 : size + 1, 0);
  prefix_.reserve(grown + 1);
  const double step_hours = step_us_ * StepSeries::kHoursPerUs;
  const int64_t offset = base_us_ - origin_us_;
  for (int64_t i = size; i < grown; ++i) {
    const double value = forecast_
                             ->At(forecast_->series().start() +
                                  absl::Microseconds(offset + i * step_us_))
                             .value();
    values_.push_back(value);
    prefix_.push_back(prefix_.back() + value * step_hours);
  }
  end_us_ = base_us_ + grown * step_us_;
}

void Curve::Windows(int64_t from_us, int64_t length_us, int64_t stride_us,
                    int n, double* grams) {
  const int64_t last_us = from_us + (n - 1) * stride_us;
  Cover(from_us, last_us + length_us);
  const int64_t stride = stride_us / step_us_;
  if (stride * step_us_ != stride_us) {
    for (int k = 0; k < n; ++k) {
      const int64_t start = from_us + k * stride_us;
      grams[k] = Until(start + length_us) - Until(start);
    }
    return;
  }
  // All starts lie equally far behind an edge, and so do all ends.
  const int64_t i = (from_us - base_us_) / step_us_;
  const int64_t j = (from_us + length_us - base_us_) / step_us_;
  const double f =
      (from_us - base_us_ - i * step_us_) * StepSeries::kHoursPerUs;
  const double g =
      (from_us + length_us - base_us_ - j * step_us_) * StepSeries::kHoursPerUs;
  const double* const p = prefix_.data();
  const double* const v = values_.data();
  if (stride == 1) {
    for (int k = 0; k < n; ++k) {
      grams[k] = (p[j + k] + v[j + k] * g) - (p[i + k] + v[i + k] * f);
    }
    return;
  }
  for (int64_t k = 0; k < n; ++k) {
    const int64_t s = k * stride;
    grams[k] = (p[j + s] + v[j + s] * g) - (p[i + s] + v[i + s] * f);
  }
}

WindowStart BestWindow(Curve& curve, int64_t from_us, int64_t length_us,
                       int64_t stride_us, int n, std::vector<double>& grams) {
  if (static_cast<size_t>(n) > grams.size()) grams.resize(n);
  curve.Windows(from_us, length_us, stride_us, n, grams.data());
  // The least of each fourth first, as each comparison waits for the last one
  // of its own only; then where it is.
  const double* const g = grams.data();
  double least[] = {g[0], g[0], g[0], g[0]};
  int k = 0;
  for (; k + 4 <= n; k += 4) {
    for (int i = 0; i < 4; ++i) least[i] = std::min(least[i], g[k + i]);
  }
  for (; k < n; ++k) least[0] = std::min(least[0], g[k]);
  const double all =
      std::min(std::min(least[0], least[1]), std::min(least[2], least[3]));
  int best = 0;
  while (best + 1 < n && g[best] != all) ++best;
  return {from_us + best * stride_us, g[best]};
}

int StartsAllowed(int64_t now_us, int64_t latest_us, int64_t length_us,
                  int64_t horizon_us, int64_t stride_us) {
  const int64_t until_us = std::min(latest_us, horizon_us - length_us);
  if (until_us < now_us) return 1;
  return static_cast<int>((until_us - now_us) / stride_us) + 1;
}

void Curves::Refresh(const PolicyInput& in) {
  const auto& forecasts = in.grid.forecasts;
  if (curves_.size() < in.topology.regions.size()) {
    curves_.resize(in.topology.regions.size());
  } else if (!in.forecast_changed && !in.cold) {
    return;
  }
  for (size_t r = 0; r < curves_.size(); ++r) {
    const Forecast* const now =
        r < forecasts.size() ? forecasts[r].get() : nullptr;
    if (curves_[r] != nullptr && &curves_[r]->forecast() == now) continue;
    curves_[r] =
        now == nullptr ? nullptr : std::make_unique<Curve>(forecasts[r]);
  }
}

}  // namespace ccsched
