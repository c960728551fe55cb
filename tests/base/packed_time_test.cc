// Tests of times and durations in eight bytes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/packed_time.h"

#include "gtest/gtest.h"

namespace ccsched {
namespace {

TEST(PackedTimeTest, GoesThereAndBack) {
  for (const absl::Time t :
       {absl::UnixEpoch(), absl::InfiniteFuture(), absl::InfinitePast(),
        absl::FromUnixMicros(1'634'000'000'123'456),
        absl::FromUnixMicros(-1)}) {
    EXPECT_EQ(absl::Time(PackedTime(t)), t);
  }
  for (const absl::Duration d :
       {absl::ZeroDuration(), absl::InfiniteDuration(),
        -absl::InfiniteDuration(), absl::Hours(24 * 366),
        absl::Microseconds(-7)}) {
    EXPECT_EQ(absl::Duration(PackedDuration(d)), d);
  }
  EXPECT_EQ(absl::Time(PackedTime()), absl::Time());
  EXPECT_EQ(absl::Duration(PackedDuration()), absl::ZeroDuration());
}

TEST(PackedTimeTest, CutsOffWhatIsFinerThanAMicrosecond) {
  EXPECT_EQ(PackedDuration(absl::Nanoseconds(1'999)).us(), 1);
  EXPECT_EQ(PackedTime(absl::FromUnixNanos(1'999)).us(), 1);
}

TEST(PackedTimeTest, ComparesAndAddsUpWithItselfAndAbsl) {
  const PackedTime t = absl::FromUnixSeconds(100);
  const PackedDuration d = absl::Seconds(5);
  EXPECT_EQ(t + d, absl::FromUnixSeconds(105));
  EXPECT_EQ(t + absl::Seconds(1), absl::FromUnixSeconds(101));
  EXPECT_EQ(t - PackedTime(absl::FromUnixSeconds(90)), absl::Seconds(10));
  EXPECT_EQ(t - absl::FromUnixSeconds(90), absl::Seconds(10));
  EXPECT_LT(t, PackedTime::InfiniteFuture());
  EXPECT_LT(d, PackedDuration::Infinite());
  EXPECT_LE(t, absl::FromUnixSeconds(100));
  EXPECT_EQ(t + PackedDuration::Infinite(), absl::InfiniteFuture());
  PackedDuration sum = PackedDuration::Infinite();
  sum += absl::Seconds(1);
  EXPECT_EQ(sum, PackedDuration::Infinite());
}

}  // namespace
}  // namespace ccsched
