// Tests of emissions of starting now or later.
// SPDX-License-Identifier: Apache-2.0
#include "policies/window.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

// Three intensities only, so that many starts are equally good.
TEST(WindowTest, BestWindowIsTheFirstOfLeastEmission) {
  for (const uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    std::vector<double> hours(60);
    for (double& v : hours) v = 100.0 * (1 + random.Below(3));
    auto series = StepSeries::Create(absl::UnixEpoch(), absl::Hours(1), hours);
    ASSERT_TRUE(series.ok());
    Curve curve(std::make_shared<const Forecast>(absl::UnixEpoch(), *series));
    std::vector<double> grams;
    for (int n = 1; n <= 40; ++n) {
      const int64_t from_us = random.Below(10) * kHourUs;
      const int64_t length_us = (1 + random.Below(3)) * kHourUs;
      const WindowStart best =
          BestWindow(curve, from_us, length_us, kHourUs, n, grams);
      int first = 0;
      for (int k = 1; k < n; ++k) {
        if (grams[k] < grams[first]) first = k;
      }
      EXPECT_EQ(best.start_us, from_us + first * kHourUs) << n;
      EXPECT_EQ(best.grams, grams[first]) << n;
    }
  }
}

}  // namespace
}  // namespace ccsched
