// Times as traces write them: with or without a zone, in civil time.
// SPDX-License-Identifier: Apache-2.0
#include "sim/readers/stamps.h"

#include <optional>

#include "absl/time/civil_time.h"

namespace ccsched {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3600 * kSecond;

// Takes `digits` digits off the front.
std::optional<int64_t> TakeNumber(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int64_t value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeOne(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// Two digits up to `most`, after one of the characters in `before`.
bool TakePart(std::string_view& text, std::string_view before, int64_t most,
              int64_t* value) {
  if (!before.empty() && !TakeOne(text, before)) return false;
  const std::optional<int64_t> number = TakeNumber(text, 2);
  if (!number || *number > most) return false;
  *value = *number;
  return true;
}

// ".123456789", of which microseconds are kept.
bool TakeFraction(std::string_view& text, int64_t* us) {
  *us = 0;
  if (!TakeOne(text, ".")) return true;
  int64_t unit = kSecond;
  bool any = false;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    unit /= 10;
    *us += (text[0] - '0') * unit;
    text.remove_prefix(1);
    any = true;
  }
  return any;
}

bool TakeZone(std::string_view& text, int64_t* offset_us) {
  if (TakeOne(text, "Z")) {
    *offset_us = 0;
    return true;
  }
  if (text.empty()) return false;
  const int sign = text[0] == '-' ? -1 : 1;
  int64_t hours = 0, minutes = 0;
  if (!TakePart(text, "+-", 23, &hours)) return false;
  TakeOne(text, ":");
  if (!text.empty() && !TakePart(text, "", 59, &minutes)) return false;
  *offset_us = sign * (hours * 60 + minutes) * 60 * kSecond;
  return true;
}

}  // namespace

bool ParseStamp(std::string_view text, int64_t* us, bool* zoned) {
  const std::optional<int64_t> year = TakeNumber(text, 4);
  int64_t month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0;
  if (!year || !TakePart(text, "-", 12, &month) ||
      !TakePart(text, "-", 31, &day) || !TakePart(text, "T ", 23, &hour) ||
      !TakePart(text, ":", 59, &minute) || !TakePart(text, ":", 60, &second) ||
      !TakeFraction(text, &fraction)) {
    return false;
  }
  const absl::CivilDay civil(*year, month, day);
  if (civil.month() != month || civil.day() != day) return false;
  TakeOne(text, " ");
  int64_t offset = 0;
  *zoned = !text.empty();
  if (*zoned && (!TakeZone(text, &offset) || !text.empty())) return false;
  const int64_t days = civil - absl::CivilDay(1970, 1, 1);
  *us = ((days * 24 + hour) * 60 + minute) * 60 * kSecond + second * kSecond +
        fraction - offset;
  return true;
}

bool IsMissing(std::string_view text) {
  return text.empty() || text == "None" || text == "NaT" || text == "nan" ||
         text == "NaN" || text == "null" || text == "NULL";
}

int64_t PacificToUtc(int64_t local_us) {
  int64_t days = local_us / (24 * kHour);
  if (local_us < days * 24 * kHour) --days;
  const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + days;
  const absl::CivilYear year(day);
  // The n-th Sunday: the first at or after the day that it falls on at least.
  const auto sunday_from = [](absl::CivilDay from) {
    return absl::NextWeekday(from - 1, absl::Weekday::sunday);
  };
  const absl::CivilDay epoch(1970, 1, 1);
  const int64_t begins =
      (sunday_from(absl::CivilDay(year.year(), 3, 8)) - epoch) * 24 * kHour;
  const int64_t ends =
      (sunday_from(absl::CivilDay(year.year(), 11, 1)) - epoch) * 24 * kHour;
  const bool daylight =
      local_us >= begins + 2 * kHour && local_us < ends + 2 * kHour;
  return local_us + (daylight ? 7 : 8) * kHour;
}

}  // namespace ccsched
