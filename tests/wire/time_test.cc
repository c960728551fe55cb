// Durations and times: what people may write.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/time.h"

#include <gtest/gtest.h>

#include <string>

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

absl::Time At(const char* text) { return ParseRfc3339(text).value(); }

TEST(DurationTest, ReadsUnitsAndTheirSums) {
  EXPECT_EQ(ParseDuration("24h").value(), absl::Hours(24));
  EXPECT_EQ(ParseDuration("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("209w").value(), absl::Hours(209 * 168));
  EXPECT_EQ(ParseDuration("2d").value(), absl::Hours(48));
  EXPECT_EQ(ParseDuration("-1h").value(), -absl::Hours(1));
  EXPECT_EQ(ParseDuration("1.5h").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("90 minutes").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("1 day 2 hours").value(), absl::Hours(26));
  EXPECT_EQ(ParseDuration("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseDuration("0").value(), absl::ZeroDuration());
}

TEST(DurationTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", "-", "5", "h", "1x", "1h30", "--1h", "1e3h", "1..5h", "nan h",
        "inf", "1h-30m", "20000y", "99999999999w", "0x1h", ".h"}) {
    const auto d = ParseDuration(text);
    ASSERT_FALSE(d.ok()) << text;
    EXPECT_NE(d.status().message().find(absl::string_view(text)),
              absl::string_view::npos);
  }
  EXPECT_FALSE(ParseDuration(std::string(100'000, '1')).ok());
}

TEST(DurationTest, ReadsSlurmTimeLimitsAsItsManualSays) {
  EXPECT_EQ(ParseSlurmTime("90").value(), absl::Minutes(90));
  EXPECT_EQ(ParseSlurmTime("90:30").value(), absl::Seconds(90 * 60 + 30));
  EXPECT_EQ(ParseSlurmTime("12:30:05").value(),
            absl::Hours(12) + absl::Minutes(30) + absl::Seconds(5));
  EXPECT_EQ(ParseSlurmTime("2-00").value(), absl::Hours(48));
  EXPECT_EQ(ParseSlurmTime("1-12:30").value(),
            absl::Hours(36) + absl::Minutes(30));
  EXPECT_EQ(ParseSlurmTime("1-00:00:01").value(),
            absl::Hours(24) + absl::Seconds(1));
  EXPECT_EQ(ParseSlurmTime("infinite").value(), absl::InfiniteDuration());
  for (const char* text : {"", "1:2:3:4", "1-", "-1", "x", "1:-2", "1h"}) {
    EXPECT_FALSE(ParseSlurmTime(text).ok()) << text;
  }
}

TEST(DurationTest, IsShownInAtMostTwoUnits) {
  EXPECT_EQ(ShortDuration(absl::Hours(52)), "2d4h");
  EXPECT_EQ(ShortDuration(absl::Minutes(90)), "1h30m");
  EXPECT_EQ(ShortDuration(absl::Seconds(86401)), "1d");
  EXPECT_EQ(ShortDuration(-absl::Minutes(5)), "-5m");
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ShortDuration(absl::InfiniteDuration()), "unlimited");
}

TEST(TimeTest, ReadsRfc3339WithItsZone) {
  EXPECT_EQ(absl::ToUnixSeconds(At("2021-10-03T00:00:00Z")), 1633219200);
  EXPECT_EQ(At("2021-10-03T02:00:00+02:00"), At("2021-10-03T00:00Z"));
  EXPECT_EQ(At("2018-01-20T12:00Z"), At("2018-01-20T12:00:00.000Z"));
  for (const char* text : {"2021-10-03", "2021-10-03T00:00:00", "now", "",
                           "2021-13-03T00:00:00Z", "infinite-future"}) {
    EXPECT_FALSE(ParseRfc3339(text).ok()) << text;
  }
}

TEST(TimeTest, ReadsWhatPeopleSayInTheirZone) {
  const absl::TimeZone zone = absl::FixedTimeZone(2 * 3600);
  const absl::Time now = At("2026-01-05T16:30:00Z");  // 18:30 there
  const auto spec = [&](const char* text) {
    return FormatRfc3339(ParseTimeSpec(text, now, zone).value());
  };
  EXPECT_EQ(spec("now"), "2026-01-05T16:30:00Z");
  EXPECT_EQ(spec("now+1hour"), "2026-01-05T17:30:00Z");
  EXPECT_EQ(spec("+36h"), "2026-01-07T04:30:00Z");
  EXPECT_EQ(spec("19:00"), "2026-01-05T17:00:00Z");
  EXPECT_EQ(spec("16:00"), "2026-01-06T14:00:00Z");  // past: tomorrow
  EXPECT_EQ(spec("tomorrow"), "2026-01-05T22:00:00Z");
  EXPECT_EQ(spec("tomorrow 08:00"), "2026-01-06T06:00:00Z");
  EXPECT_EQ(spec("2026-01-09"), "2026-01-08T22:00:00Z");
  EXPECT_EQ(spec("2026-01-09T08:00"), "2026-01-09T06:00:00Z");
  EXPECT_EQ(spec("2026-01-09T08:00Z"), "2026-01-09T08:00:00Z");
  for (const char* text : {"", "25:00", "12", "later", "now+", "now+5", "36h",
                           "nowish", "2026-02-30"}) {
    EXPECT_FALSE(ParseTimeSpec(text, now, zone).ok()) << text;
  }
  EXPECT_TRUE(IsRelativeTime("16:00"));
  EXPECT_FALSE(IsRelativeTime("2026-01-09"));
}

TEST(TimeTest, GoesThroughProtobufUnharmed) {
  for (const absl::Time t :
       {At("2026-01-05T16:00:00.123456789Z"), At("1950-01-01T00:00:00.5Z")}) {
    EXPECT_EQ(FromProto(ToProto(t)), t);
    EXPECT_GE(ToProto(t).nanos(), 0);
  }
  for (const absl::Duration d : {absl::Milliseconds(1500), -absl::Hours(3),
                                 absl::Nanoseconds(-1500000001)}) {
    EXPECT_EQ(FromProto(ToProto(d)), d);
  }
}

}  // namespace
}  // namespace ccsched
