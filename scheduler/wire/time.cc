// Parses and formats durations and times.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/time.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

// google.protobuf.Duration's bound: about 10,000 years.
constexpr absl::Duration kLongest = absl::Seconds(315'576'000'000);
constexpr size_t kTextMax = 64;

absl::Status Bad(std::string_view what, std::string_view text,
                 std::string_view hint) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", ToAbsl(text.substr(0, kTextMax)), "' is not ",
                   ToAbsl(what), "; write ", ToAbsl(hint)));
}

absl::Status BadDuration(std::string_view text) {
  return Bad("a duration", text, "it like 90s, 5m, 1h30m, 2d or 1w");
}

std::optional<absl::Duration> UnitOf(std::string_view unit) {
  struct Unit {
    std::string_view names;  // separated by spaces
    absl::Duration length;
  };
  static const Unit kUnits[] = {
      {"w week weeks", absl::Hours(168)},
      {"d day days", absl::Hours(24)},
      {"h hr hrs hour hours", absl::Hours(1)},
      {"m min mins minute minutes", absl::Minutes(1)},
      {"s sec secs second seconds", absl::Seconds(1)},
      {"ms", absl::Milliseconds(1)},
      {"us", absl::Microseconds(1)},
      {"ns", absl::Nanoseconds(1)},
  };
  for (const Unit& candidate : kUnits) {
    for (absl::string_view name :
         absl::StrSplit(ToAbsl(candidate.names), ' ')) {
      if (ToStd(name) == unit) return candidate.length;
    }
  }
  return std::nullopt;
}

std::string_view TakeWhile(std::string_view* text, bool (*keep)(char)) {
  size_t n = 0;
  while (n < text->size() && keep((*text)[n])) ++n;
  const std::string_view taken = text->substr(0, n);
  text->remove_prefix(n);
  return taken;
}
bool IsNumeric(char c) { return absl::ascii_isdigit(c) || c == '.'; }
bool IsLetter(char c) { return absl::ascii_isalpha(c); }
bool IsBlank(char c) { return c == ' '; }

// Numbers separated by ':', each at most `digits` digits.
std::optional<std::vector<int64_t>> Colons(std::string_view text) {
  std::vector<int64_t> numbers;
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ':')) {
    int64_t value;
    if (part.empty() || part.size() > 9 || !absl::SimpleAtoi(part, &value) ||
        !absl::ascii_isdigit(part[0])) {
      return std::nullopt;
    }
    numbers.push_back(value);
  }
  return numbers;
}

// "16:00" or "16:00:30" as a time of day.
std::optional<absl::Duration> TimeOfDay(std::string_view text) {
  const auto parts = Colons(text);
  if (!parts || parts->size() < 2 || parts->size() > 3) return std::nullopt;
  const int64_t hour = (*parts)[0], minute = (*parts)[1];
  const int64_t second = parts->size() == 3 ? (*parts)[2] : 0;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return absl::Hours(hour) + absl::Minutes(minute) + absl::Seconds(second);
}

absl::Time OnDay(absl::CivilDay day, absl::Duration of_day,
                 absl::TimeZone zone) {
  return absl::FromCivil(absl::CivilSecond(day) + absl::ToInt64Seconds(of_day),
                         zone);
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  if (text.size() > kTextMax) return BadDuration(text);
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return absl::ZeroDuration();
  if (rest.empty()) return BadDuration(text);
  absl::Duration sum;
  while (!rest.empty()) {
    const std::string_view number = TakeWhile(&rest, IsNumeric);
    TakeWhile(&rest, IsBlank);
    const auto unit = UnitOf(TakeWhile(&rest, IsLetter));
    TakeWhile(&rest, IsBlank);
    int64_t whole;
    double value;
    if (!unit || number.empty() || number == ".") return BadDuration(text);
    if (absl::SimpleAtoi(ToAbsl(number), &whole)) {
      sum += *unit * whole;
    } else if (absl::SimpleAtod(ToAbsl(number), &value) &&
               std::isfinite(value)) {
      sum += *unit * value;
    } else {
      return BadDuration(text);
    }
    if (sum > kLongest) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", ToAbsl(text), "' is longer than 10,000 years"));
    }
  }
  return negative ? -sum : sum;
}

absl::StatusOr<absl::Duration> ParseSlurmTime(std::string_view text) {
  const std::string upper = absl::AsciiStrToUpper(ToAbsl(text));
  if (upper == "UNLIMITED" || upper == "INFINITE") {
    return absl::InfiniteDuration();
  }
  const absl::Status bad =
      Bad("a time limit", text,
          "minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S, as sbatch does");
  std::string_view rest = text;
  int64_t days = 0;
  const size_t dash = rest.find('-');
  if (dash != rest.npos) {
    if (!absl::SimpleAtoi(ToAbsl(rest.substr(0, dash)), &days) || days < 0 ||
        days > 1'000'000) {
      return bad;
    }
    rest.remove_prefix(dash + 1);
  }
  const auto parts = Colons(rest);
  if (!parts || parts->size() > 3) return bad;
  // What the first number counts: hours after days or with three numbers.
  static const absl::Duration kUnits[] = {absl::Hours(1), absl::Minutes(1),
                                          absl::Seconds(1)};
  const size_t first = dash != rest.npos || text != rest ? 0
                       : parts->size() == 3              ? 0
                                                         : 1;
  absl::Duration sum = absl::Hours(24) * days;
  for (size_t i = 0; i < parts->size(); ++i) {
    sum += kUnits[first + i] * (*parts)[i];
  }
  if (sum > kLongest) return bad;
  return sum;
}

absl::StatusOr<absl::Time> ParseRfc3339(std::string_view text) {
  absl::Time t;
  std::string error;
  if (text.size() <= kTextMax && !text.empty() &&
      absl::ascii_isdigit(text[0]) &&
      (absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &t, &error) ||
       absl::ParseTime("%Y-%m-%dT%H:%M%Ez", ToAbsl(text), &t, &error))) {
    static const absl::Time kFirst = absl::FromUnixSeconds(-62'135'596'800);
    static const absl::Time kLast = absl::FromUnixSeconds(253'402'300'799);
    if (t >= kFirst && t <= kLast) return t;  // Years 1 to 9999.
  }
  return Bad("a time", text, "it with its zone, like 2026-01-05T16:00:00Z");
}

bool IsRelativeTime(std::string_view text) {
  return !(text.size() >= 10 && text[4] == '-' && text[7] == '-');
}

absl::StatusOr<absl::Time> ParseTimeSpec(std::string_view text, absl::Time now,
                                         absl::TimeZone zone) {
  if (text.size() > kTextMax) text = text.substr(0, kTextMax + 1);
  if (!IsRelativeTime(text)) {
    if (auto t = ParseRfc3339(text); t.ok()) return t;
    absl::Time t;
    std::string error;
    for (const char* format :
         {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
          "%Y-%m-%d %H:%M:%S"}) {
      if (absl::ParseTime(format, ToAbsl(text), zone, &t, &error)) return t;
    }
  }
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  std::string_view rest = text;
  if (rest == "tomorrow") return absl::FromCivil(today + 1, zone);
  if (absl::StartsWith(ToAbsl(rest), "tomorrow ")) {
    if (const auto of_day = TimeOfDay(rest.substr(9))) {
      return OnDay(today + 1, *of_day, zone);
    }
  }
  if (const auto of_day = TimeOfDay(rest)) {
    const absl::Time t = OnDay(today, *of_day, zone);
    return t > now ? t : OnDay(today + 1, *of_day, zone);
  }
  if (rest == "now") return now;
  if (absl::StartsWith(ToAbsl(rest), "now")) rest.remove_prefix(3);
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    if (const auto d = ParseDuration(rest); d.ok()) return now + *d;
  }
  return Bad("a time", text,
             "it like 2026-01-05T16:00:00Z, 16:00, tomorrow 08:00, +36h or "
             "now+1hour");
}

std::string ShortDuration(absl::Duration d) {
  if (d == absl::InfiniteDuration()) return "unlimited";
  if (d < absl::ZeroDuration()) return absl::StrCat("-", ShortDuration(-d));
  struct Unit {
    const char* name;
    int64_t seconds;
  };
  static constexpr Unit kUnits[] = {
      {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
  int64_t left = absl::ToInt64Seconds(d + absl::Milliseconds(500));
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    const int64_t whole = left / kUnits[i].seconds;
    if (whole == 0) continue;
    std::string text = absl::StrCat(whole, kUnits[i].name);
    left -= whole * kUnits[i].seconds;
    if (i + 1 < std::size(kUnits)) {
      const int64_t second = left / kUnits[i + 1].seconds;
      if (second > 0) absl::StrAppend(&text, second, kUnits[i + 1].name);
    }
    return text;
  }
  return "0s";
}

std::string FormatRfc3339(absl::Time t) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", t, absl::UTCTimeZone());
}

}  // namespace ccsched
