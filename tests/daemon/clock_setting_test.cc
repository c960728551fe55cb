// The cluster's clock across restarts.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/clock_setting.h"

#include <gtest/gtest.h>

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

const absl::Time kReal = absl::FromUnixSeconds(1'700'000'000);
const absl::Time kOrigin = absl::FromUnixSeconds(1'600'000'000);

v1::ClockConfig Fast() {
  v1::ClockConfig config;
  *config.mutable_start() = ToProto(kOrigin);
  config.set_rate(3600);
  return config;
}

absl::Time At(const ClockSetting& clock, absl::Time real) {
  return clock.origin + (real - clock.real_origin) * clock.rate;
}

TEST(ClockSettingTest, AnUnsetClockIsTheRealOne) {
  const ClockSetting clock = ResolveClock({}, {}, std::nullopt, kReal);
  EXPECT_EQ(At(clock, kReal + absl::Seconds(5)), kReal + absl::Seconds(5));
}

TEST(ClockSettingTest, GoesOnAfterAShortRestart) {
  const ClockSetting first = ResolveClock({}, Fast(), std::nullopt, kReal);
  EXPECT_EQ(first.origin, kOrigin);
  const absl::Time later = kReal + absl::Minutes(1);
  const ClockSetting again =
      ResolveClock({ToSettings(first), At(first, kReal + absl::Seconds(50))},
                   Fast(), std::nullopt, later);
  EXPECT_EQ(At(again, later), kOrigin + absl::Hours(60));
}

TEST(ClockSettingTest, AFastClockDoesNotLeapOverALongPause) {
  const ClockSetting first = ResolveClock({}, Fast(), std::nullopt, kReal);
  const absl::Time last = At(first, kReal + absl::Seconds(50));
  const absl::Time tomorrow = kReal + absl::Hours(24);
  const ClockSetting again =
      ResolveClock({ToSettings(first), last}, Fast(), std::nullopt, tomorrow);
  EXPECT_EQ(At(again, tomorrow), last);
  EXPECT_EQ(again.rate, 3600);
}

TEST(ClockSettingTest, AnotherRateStartsWhereTheClockStands) {
  const ClockSetting first = ResolveClock({}, Fast(), std::nullopt, kReal);
  v1::ClockConfig slow = Fast();
  slow.set_rate(60);
  const absl::Time later = kReal + absl::Seconds(100);
  const ClockSetting again = ResolveClock({ToSettings(first), At(first, later)},
                                          slow, std::nullopt, later);
  EXPECT_EQ(At(again, later), kOrigin + absl::Hours(100));
  EXPECT_EQ(At(again, later + absl::Seconds(1)),
            kOrigin + absl::Hours(100) + absl::Minutes(1));
}

}  // namespace
}  // namespace ccsched
