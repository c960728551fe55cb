// Node failures are the same for all policies; series multiply step by step.
// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "sim/series_product.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;

TEST(FaultsTest, FailAsOftenAsTheirMeanSays) {
  const FaultSpec spec{
      .node_mtbf = absl::Hours(100), .repair = absl::Hours(4), .seed = 7};
  Faults faults(spec, 50, 0);
  std::map<NodeId, int64_t> up_since, down_since;
  double up_hours = 0;
  int failures = 0;
  for (int64_t now = faults.Next(); now < 20'000 * kHourUs;
       now = faults.Next()) {
    for (const Faults::Change& change : faults.Take(now)) {
      if (change.up) {
        EXPECT_EQ(now - down_since[change.node], 4 * kHourUs);
        up_since[change.node] = now;
      } else {
        up_hours += static_cast<double>(now - up_since[change.node]) / kHourUs;
        down_since[change.node] = now;
        ++failures;
      }
    }
  }
  // 50 nodes for 20,000 h, up 100 h of every 104: some 9,600 failures.
  EXPECT_NEAR(failures, 9615, 300);
  EXPECT_NEAR(up_hours / failures, 100, 3);
}

TEST(FaultsTest, AreTheSameAgainAndOtherWithAnotherSeed) {
  const auto first = [](uint64_t seed) {
    const FaultSpec spec{
        .node_mtbf = absl::Hours(10), .repair = absl::Hours(1), .seed = seed};
    return Faults(spec, 3, 0).Next();
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
  EXPECT_EQ(Faults().Next(), kForeverUs);
}

TEST(SeriesProductTest, ChangesWhereEitherChanges) {
  const absl::Time start = absl::FromUnixSeconds(1'640'995'200);
  const StepSeries hourly =
      *StepSeries::Create(start, absl::Hours(1), {100, 200, 300});
  const StepSeries quarters = *StepSeries::Create(
      start + absl::Minutes(30), absl::Minutes(15), {1, 2, 3, 4});
  const auto product = SeriesProduct(hourly, quarters);
  ASSERT_TRUE(product.ok()) << product.status();
  EXPECT_EQ(product->start(), start + absl::Minutes(30));
  EXPECT_EQ(product->end(), start + absl::Minutes(90));
  EXPECT_DOUBLE_EQ(product->IntegralHours(product->start(), product->end()),
                   (100 * 1 + 100 * 2 + 200 * 3 + 200 * 4) / 4.0);
  EXPECT_FALSE(SeriesProduct(hourly, *StepSeries::Create(start + absl::Hours(9),
                                                         absl::Hours(1), {1}))
                   .ok());
}

}  // namespace
}  // namespace ccsched
