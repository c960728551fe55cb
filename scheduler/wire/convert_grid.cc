// Grid series as they arrive become intensities.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

constexpr int kValuesMax = 100'000;
constexpr double kIntensityMax = 10'000;  // gCO2e/kWh; coal is near 1,000

absl::Status Bad(const v1::GridSeries& series, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "series of ", ToAbsl(Printable(series.region())), ": ", what));
}

absl::Status CheckValues(const v1::GridSeries& series, std::string_view field,
                         const google::protobuf::RepeatedField<double>& values,
                         double max) {
  for (int i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || values[i] < 0 || values[i] > max) {
      return Bad(series, absl::StrCat(ToAbsl(field), "[", i, "]: ", values[i],
                                      " is not between 0 and ", max));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StepSeries> ToIntensity(const v1::GridSeries& series,
                                       std::optional<GramsPerKwh> residual) {
  const int n = std::max(series.intensity_size(), series.cfe_pct_size());
  if (n == 0) return Bad(series, "it has no values");
  if (n > kValuesMax) {
    return Bad(series, absl::StrCat(n, " values; at most ", kValuesMax));
  }
  const auto fits = [&](int size) { return size == 0 || size == n; };
  if (!fits(series.intensity_size()) || !fits(series.cfe_pct_size()) ||
      !fits(series.estimated_size()) || !fits(series.intensity_p90_size())) {
    return Bad(series, absl::StrCat(
                           "lists of unequal length: ", series.intensity_size(),
                           " intensity, ", series.cfe_pct_size(), " cfe_pct, ",
                           series.estimated_size(), " estimated, ",
                           series.intensity_p90_size(), " intensity_p90"));
  }
  for (const auto& [field, values, max] :
       {std::tuple("intensity", &series.intensity(), kIntensityMax),
        std::tuple("cfe_pct", &series.cfe_pct(), 100.0),
        std::tuple("intensity_p90", &series.intensity_p90(), kIntensityMax)}) {
    if (absl::Status s = CheckValues(series, field, *values, max); !s.ok()) {
      return s;
    }
  }
  if (!series.has_start()) return Bad(series, "it has no start");
  if (!series.has_step()) return Bad(series, "it has no step");
  const absl::Duration step = FromProto(series.step());
  if (step < absl::Minutes(1) || step > absl::Hours(24 * 366)) {
    return Bad(series, absl::StrCat("step: ", ShortDuration(step),
                                    " is not between 1m and 366d"));
  }
  std::vector<double> values(series.intensity().begin(),
                             series.intensity().end());
  if (values.empty()) {
    if (!residual) {
      return Bad(series,
                 "it has carbon-free shares alone, and the region has no "
                 "residual intensity to turn them into gCO2e/kWh");
    }
    for (const double share : series.cfe_pct()) {
      values.push_back((1 - share / 100) * residual->value());
    }
  }
  return StepSeries::Create(FromProto(series.start()), step, std::move(values));
}

}  // namespace ccsched
