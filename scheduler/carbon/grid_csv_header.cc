// Finds the columns of a CSV of grid data, and reads its times.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/grid_csv_header.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "scheduler/base/csv.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

using Words = std::set<std::string>;

Words WordsOf(std::string_view name) {
  Words words;
  std::string word;
  for (const char c : name) {
    if (absl::ascii_isalnum(c)) {
      word += absl::ascii_tolower(c);
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

bool Has(const Words& words, std::initializer_list<const char*> wanted) {
  for (const char* word : wanted) {
    if (!words.contains(word)) return false;
  }
  return true;
}

// What the words of a portal's header mean in our names; "" if nothing.
// Source of the wordings: files of data.electricitymaps.com, 2023 to 2025.
std::string Meaning(std::string_view name) {
  const Words w = WordsOf(name);
  if (Has(w, {"carbon", "intensity"})) {
    if (w.contains("direct")) return "ci_direct";
    if (w.contains("lca") || w.contains("lifecycle") ||
        Has(w, {"life", "cycle"})) {
      return "ci_lca";
    }
    return "";
  }
  if (w.contains("cfe") || Has(w, {"carbon", "free"}) ||
      Has(w, {"low", "carbon"})) {
    return "cfe_pct";
  }
  if (w.contains("renewable") &&
      (w.contains("percentage") || w.contains("re"))) {
    return "renewable_pct";
  }
  if (Has(w, {"data", "estimated"})) return "estimated";
  if (w.contains("utc") && (w.contains("datetime") || w.contains("time") ||
                            w.contains("timestamp") || w.contains("date"))) {
    return "utc";
  }
  return "";
}

bool IsTimeName(std::string_view name) {
  for (const char* known : {"utc", "datetime", "timestamp", "time_utc"}) {
    if (absl::EqualsIgnoreCase(ToAbsl(name), known)) return true;
  }
  return false;
}

// The field of this name, else the one whose words mean it.
absl::StatusOr<std::optional<size_t>> Find(absl::Span<const std::string> fields,
                                           std::string_view name) {
  for (const bool by_words : {false, true}) {
    std::optional<size_t> found;
    for (size_t i = 0; i < fields.size(); ++i) {
      const bool same = by_words ? Meaning(fields[i]) == name
                        : name == "utc"
                            ? IsTimeName(fields[i])
                            : absl::EqualsIgnoreCase(fields[i], ToAbsl(name));
      if (!same) continue;
      if (found) {
        return absl::InvalidArgumentError(
            absl::StrFormat("two columns are %s: \"%s\" and \"%s\"", name,
                            fields[*found], fields[i]));
      }
      found = i;
    }
    if (found) return found;
  }
  return std::optional<size_t>();
}

// The unit in an intensity's name where that is not g/kWh (as are kg/MWh and
// t/GWh): a factor of a thousand is easily overlooked.
std::optional<std::string> WrongUnit(const Words& words) {
  std::string mass, energy;
  for (const std::string& word : words) {
    for (const char* e : {"kwh", "mwh", "gwh", "mj", "gj"}) {
      if (word == e) energy = word;
    }
    const std::string_view unit =
        std::string_view(word).substr(0, word.find("co"));
    for (const char* m : {"g", "kg", "t", "gram", "grams", "ton", "tons",
                          "tonne", "tonnes", "lb", "lbs", "pounds"}) {
      if (unit == m) mass = unit;
    }
  }
  const bool pounds = mass == "lb" || mass == "lbs" || mass == "pounds";
  if (pounds) return "pounds";
  if (energy.empty()) return std::nullopt;
  const bool grams = mass == "g" || mass == "gram" || mass == "grams";
  if (energy == "kwh" && (grams || mass.empty())) return std::nullopt;
  if (energy == "mwh" && mass == "kg") return std::nullopt;
  if (energy == "gwh" && mass.starts_with('t')) return std::nullopt;
  return absl::StrFormat("%s/%s", mass, energy);
}

void Classify(std::string_view name, GridHeader* h) {
  const std::string meaning = Meaning(name);
  const std::string key = meaning.empty() ? std::string(name) : meaning;
  if (absl::StartsWith(key, "ci_lca")) {
    h->kind = GridHeader::kIntensity;
    h->basis = "average-lifecycle";
  } else if (absl::StartsWith(key, "ci_direct")) {
    h->kind = GridHeader::kIntensity;
    h->basis = "average-direct";
  } else if (key == "cfe_pct" || absl::EndsWith(key, "_cfe_pct")) {
    h->kind = GridHeader::kShare;
    h->basis = "cfe";
  } else if (key == "renewable_pct") {
    h->kind = GridHeader::kShare;
    h->basis = "renewable";
  }
}

}  // namespace

std::string BasisOfColumn(std::string_view name) {
  GridHeader h;
  Classify(name, &h);
  return h.basis;
}

absl::StatusOr<GridHeader> ReadGridHeader(absl::Span<const std::string> fields,
                                          std::string_view column) {
  GridHeader h;
  h.fields = fields.size();
  absl::StatusOr<std::optional<size_t>> time = Find(fields, "utc");
  if (!time.ok()) return time.status();
  if (!*time) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "no column of times in UTC (\"utc\" or \"Datetime (UTC)\") among: %s",
        ColumnsText({fields.begin(), fields.end()})));
  }
  std::optional<size_t> value;
  for (const std::string_view name :
       column.empty()
           ? std::vector<std::string_view>{"ci_lca", "ci_direct", "intensity"}
           : std::vector<std::string_view>{column}) {
    absl::StatusOr<std::optional<size_t>> found = Find(fields, name);
    if (!found.ok()) return found.status();
    if (!value) value = *found;
  }
  if (!value) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "no column \"%s\" among: %s", column.empty() ? "ci_lca" : column,
        ColumnsText({fields.begin(), fields.end()})));
  }
  absl::StatusOr<std::optional<size_t>> estimated = Find(fields, "estimated");
  if (!estimated.ok()) return estimated.status();
  h.time = **time;
  h.value = *value;
  h.estimated = *estimated;
  h.time_name = fields[h.time];
  h.value_name = fields[h.value];
  const Words words = WordsOf(h.value_name);
  h.utc = WordsOf(h.time_name).contains("utc");
  Classify(h.value_name, &h);
  const std::optional<std::string> unit = WrongUnit(words);
  if (unit && (h.kind == GridHeader::kIntensity || *unit == "pounds")) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "column \"%s\" is in %s; gCO2e/kWh is needed (1 kg/kWh = 1 t/MWh = "
        "1000 g/kWh, 1 lb/MWh = 0.45359237 g/kWh)",
        h.value_name, *unit));
  }
  if (absl::EqualsIgnoreCase(h.value_name, "intensity")) {
    h.kind = GridHeader::kIntensity;
    h.basis = "average-lifecycle";
  }
  return h;
}

bool SplitCsvLine(std::string_view line, std::vector<std::string>* fields) {
  fields->clear();
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::string field;
  bool quoted = false;
  const auto push = [&] {
    fields->emplace_back(absl::StripAsciiWhitespace(field));
    field.clear();
  };
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      push();
    } else {
      field += c;
    }
  }
  push();
  return !quoted;
}

namespace {

// "2021-01-01T00:00:00Z" and "2021-01-01 00:00:00", by far the commonest.
bool ParsePlainTime(std::string_view s, absl::Time* time) {
  if (s.size() == 20 && s.back() == 'Z') s.remove_suffix(1);
  static constexpr std::string_view kShape = "dddd-dd-dd*dd:dd:dd";
  if (s.size() != kShape.size() || (s[10] != 'T' && s[10] != ' ')) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    if (kShape[i] == 'd' ? !absl::ascii_isdigit(s[i])
                         : kShape[i] != '*' && kShape[i] != s[i]) {
      return false;
    }
  }
  const auto two = [s](size_t i) {
    return (s[i] - '0') * 10 + (s[i + 1] - '0');
  };
  const absl::CivilSecond civil(two(0) * 100 + two(2), two(5), two(8), two(11),
                                two(14), two(17));
  const bool same = civil.month() == two(5) && civil.day() == two(8) &&
                    civil.hour() == two(11) && civil.minute() == two(14) &&
                    civil.second() == two(17);
  if (!same) return false;  // such as February 30
  *time = absl::FromCivil(civil, absl::UTCTimeZone());
  return true;
}

}  // namespace

bool ParseGridTime(std::string_view text, absl::Time* time) {
  if (ParsePlainTime(text, time)) return true;
  const std::string s(text);
  std::string error;
  for (const char* format :
       {"%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%dT%H:%M%Ez",
        "%Y-%m-%d %H:%M%Ez", "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M"}) {
    if (absl::ParseTime(format, s, time, &error)) return true;
  }
  return false;
}

absl::StatusOr<std::string> ReadCsvText(const std::string& path) {
  constexpr size_t kLargest = size_t{256} << 20;
  constexpr size_t kPiece = size_t{1} << 16;
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  while (in) {
    const size_t size = text.size();
    text.resize(size + kPiece);
    in.read(text.data() + size, kPiece);
    text.resize(size + static_cast<size_t>(in.gcount()));
    if (text.size() > kLargest) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: the file has more than 256 MiB", path));
    }
  }
  if (!in.eof()) {
    return absl::NotFoundError(
        absl::StrFormat("%s: the file can't be read: %s", path,
                        errno == 0 ? "no reason given" : std::strerror(errno)));
  }
  return text;
}

}  // namespace ccsched
