// The cluster's clock: three numbers that all its processes share.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/clock_setting.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr char kRealOrigin[] = "clock.real_origin_us";
constexpr char kOrigin[] = "clock.origin_us";
constexpr char kRate[] = "clock.rate";
constexpr absl::Duration kPause = absl::Minutes(5);

std::optional<ClockSetting> Recorded(const ClockRecord& record) {
  ClockSetting clock;
  int found = 0;
  for (const auto& [name, value] : record.settings) {
    int64_t us = 0;
    if (name == kRealOrigin && absl::SimpleAtoi(value, &us)) {
      clock.real_origin = absl::FromUnixMicros(us);
      ++found;
    } else if (name == kOrigin && absl::SimpleAtoi(value, &us)) {
      clock.origin = absl::FromUnixMicros(us);
      ++found;
    } else if (name == kRate && absl::SimpleAtod(value, &clock.rate)) {
      ++found;
    }
  }
  if (found != 3 || !(clock.rate > 0)) return std::nullopt;
  return clock;
}

absl::Time At(const ClockSetting& clock, absl::Time real) {
  return clock.origin + (real - clock.real_origin) * clock.rate;
}

}  // namespace

ClockSetting ResolveClock(const ClockRecord& record,
                          const v1::ClockConfig& config,
                          std::optional<absl::Time> real_origin,
                          absl::Time real_now) {
  const double rate = config.rate() > 0 ? config.rate() : 1;
  const std::optional<ClockSetting> recorded = Recorded(record);
  if (!recorded) {
    ClockSetting clock;
    clock.rate = rate;
    clock.real_origin = real_origin.value_or(real_now);
    clock.origin =
        config.has_start() ? FromProto(config.start()) : clock.real_origin;
    return clock;
  }
  const absl::Time now = At(*recorded, real_now);
  const bool fast = recorded->rate != 1;
  if (fast && record.last_step &&
      (now - *record.last_step) / recorded->rate > kPause) {
    return {real_now, *record.last_step, rate};
  }
  if (recorded->rate != rate) return {real_now, now, rate};
  return *recorded;
}

std::vector<std::pair<std::string, std::string>> ToSettings(
    const ClockSetting& clock) {
  return {{kRealOrigin, absl::StrCat(absl::ToUnixMicros(clock.real_origin))},
          {kOrigin, absl::StrCat(absl::ToUnixMicros(clock.origin))},
          {kRate, absl::StrFormat("%.17g", clock.rate)}};
}

}  // namespace ccsched
