// The product of two step series.
// SPDX-License-Identifier: Apache-2.0
#include "sim/series_product.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace ccsched {

absl::StatusOr<StepSeries> SeriesProduct(const StepSeries& a,
                                         const StepSeries& b) {
  constexpr int64_t kMost = 20'000'000;
  const absl::Time start = std::max(a.start(), b.start());
  const absl::Time end = std::min(a.end(), b.end());
  if (a.empty() || b.empty() || start >= end) {
    return absl::InvalidArgumentError("the series have no time in common");
  }
  const int64_t from_a = a.OffsetUs(start), from_b = b.OffsetUs(start);
  const int64_t length = absl::ToInt64Microseconds(end - start);
  int64_t step = std::gcd(a.step_us(), b.step_us());
  step = std::gcd(step, std::gcd(from_a, from_b));
  if (length / step > kMost) {
    return absl::InvalidArgumentError(
        "the steps of the series lie too crookedly to each other");
  }
  std::vector<double> values(length / step);
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) * step;
    values[i] = a.values()[(from_a + at) / a.step_us()] *
                b.values()[(from_b + at) / b.step_us()];
  }
  return StepSeries::Create(start, absl::Microseconds(step), std::move(values));
}

}  // namespace ccsched
