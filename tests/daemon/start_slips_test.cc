// How late planned starts come.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/start_slips.h"

#include <gtest/gtest.h>

namespace ccsched {
namespace {

TEST(StartSlipsTest, TakesStartsAsPlannedBeforeAnyWasSeen) {
  StartSlips slips;
  EXPECT_EQ(slips.p90(), absl::ZeroDuration());
  slips.Add(absl::Hours(3));
  EXPECT_EQ(slips.p50(), absl::ZeroDuration());
}

TEST(StartSlipsTest, NineInTenComeByItsP90) {
  StartSlips slips;
  for (int i = 0; i < 200; ++i) slips.Add(absl::Minutes(i % 100));
  EXPECT_NEAR(absl::ToDoubleMinutes(slips.p50()), 49, 3);
  EXPECT_NEAR(absl::ToDoubleMinutes(slips.p90()), 89, 3);
  // Only the last ones count.
  for (int i = 0; i < 200; ++i) slips.Add(-absl::Minutes(5));
  EXPECT_EQ(slips.p50(), -absl::Minutes(5));
}

}  // namespace
}  // namespace ccsched
