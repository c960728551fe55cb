// Reads a column of grid data from CSV: rows, their checks, and gaps.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/grid_csv.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "scheduler/base/encoding.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/grid_csv_header.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr absl::Duration kLineGap = absl::Hours(3);
constexpr absl::Duration kDayGap = absl::Hours(7 * 24);

struct Row {
  absl::Time time;
  double value = kUnknown;
  bool estimated = false;
  int line = 0;
};

// Where in a file an error was found.
struct Place {
  std::string_view file;
  int line;
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s:%d: %s", file, line, what));
  }
};

// Whether a time tells its zone. Local times without one come twice, or not at
// all, on the days when clocks change, and are hours off on all others.
bool HasZone(std::string_view time) {
  return time.size() > 10 &&
         time.find_first_of("zZ+-", 10) != std::string_view::npos;
}

// gCO2e/kWh; a hundred times what the dirtiest plants emit. What is above was
// written in another unit.
constexpr double kIntensityMax = 100'000;

bool IsBlank(std::string_view text) {
  for (const char* blank : {"", "nan", "null", "none", "n/a", "na", "-"}) {
    if (absl::EqualsIgnoreCase(ToAbsl(text), blank)) return true;
  }
  return false;
}

absl::StatusOr<double> ParseValue(std::string_view text, const GridHeader& h,
                                  const Place& place) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value)) {
    return place.Error(
        absl::StrFormat("%s: \"%s\" is not a number", h.value_name, text));
  }
  if (value < 0 && h.kind != GridHeader::kOther) {
    return place.Error(
        absl::StrFormat("%s: %s is negative", h.value_name, text));
  }
  if (value > kIntensityMax && h.kind == GridHeader::kIntensity) {
    return place.Error(absl::StrFormat(
        "%s: %s is more than any grid emits; gCO2e/kWh is needed", h.value_name,
        text));
  }
  if (value > 100 && h.kind == GridHeader::kShare) {
    return place.Error(
        absl::StrFormat("%s: %s is not a share in %%", h.value_name, text));
  }
  return value;
}

absl::StatusOr<bool> ParseMark(std::string_view text, const Place& place) {
  if (text == "0" || text.empty()) return false;
  if (text == "1") return true;
  if (absl::EqualsIgnoreCase(ToAbsl(text), "true")) return true;
  if (absl::EqualsIgnoreCase(ToAbsl(text), "false")) return false;
  return place.Error(
      absl::StrFormat("estimated: \"%s\" is neither 0 nor 1", text));
}

absl::StatusOr<Row> ParseRow(const std::vector<std::string>& fields,
                             const GridHeader& h, const Place& place) {
  if (fields.size() != h.fields) {
    return place.Error(absl::StrFormat("%d fields, but the header has %d",
                                       fields.size(), h.fields));
  }
  Row row;
  row.line = place.line;
  if (!ParseGridTime(fields[h.time], &row.time)) {
    return place.Error(absl::StrFormat("%s: \"%s\" is not a UTC time",
                                       h.time_name, fields[h.time]));
  }
  if (!h.utc && !HasZone(fields[h.time])) {
    return place.Error(absl::StrFormat(
        "%s: \"%s\" has no zone; write it like 2021-01-01T00:00:00Z or with "
        "its offset, or name the column utc if that is what it is",
        h.time_name, fields[h.time]));
  }
  if (!IsBlank(fields[h.value])) {
    ASSIGN_OR_RETURN(row.value, ParseValue(fields[h.value], h, place));
  }
  if (h.estimated) {
    ASSIGN_OR_RETURN(row.estimated, ParseMark(fields[*h.estimated], place));
  }
  return row;
}

absl::Status CheckOrder(const std::vector<Row>& rows, const Row& row,
                        const Place& place) {
  if (rows.empty() || row.time > rows.back().time) return absl::OkStatus();
  for (const Row& r : rows) {
    if (r.time == row.time) {
      return place.Error(absl::StrFormat("%s is there already, on line %d",
                                         FormatUtc(row.time), r.line));
    }
  }
  return place.Error(absl::StrFormat("%s is out of order: line %d has %s",
                                     FormatUtc(row.time), rows.back().line,
                                     FormatUtc(rows.back().time)));
}

// The commonest difference of neighbours' times.
absl::Duration CommonStep(const std::vector<Row>& rows) {
  std::map<absl::Duration, int> counts;
  for (size_t i = 1; i < rows.size(); ++i) {
    ++counts[rows[i].time - rows[i - 1].time];
  }
  absl::Duration step = absl::Hours(1);
  int most = 0;
  for (const auto& [difference, count] : counts) {
    if (count > most) {
      most = count;
      step = difference;
    }
  }
  return step;
}

// A value for the missing slot `i`, which lies in the gap [from, to).
double Fill(const std::vector<double>& values, size_t i, size_t from, size_t to,
            absl::Duration step) {
  const absl::Duration length = step * (to - from);
  const bool days = absl::Hours(24) % step == absl::ZeroDuration();
  if (length <= kLineGap || !days) {
    const double a = values[from - 1];
    const double b = values[to];
    return a + (b - a) * (i - from + 1) / (to - from + 1);
  }
  const size_t day = absl::Hours(24) / step;
  for (size_t j = i; j >= day;) {
    j -= day;
    if (!std::isnan(values[j])) return values[j];
  }
  for (size_t j = i + day; j < values.size(); j += day) {
    if (!std::isnan(values[j])) return values[j];
  }
  return values[from - 1];
}

struct Slots {
  absl::Time start;
  absl::Duration step;
  std::vector<double> values;  // kUnknown where there is none
  std::vector<bool> estimated;
  std::vector<int> lines;  // of the file, 0 where the row is missing
};

// Lays the rows on the file's grid of steps.
absl::StatusOr<Slots> LayOut(const std::vector<Row>& rows,
                             std::string_view file) {
  Slots s;
  s.start = rows.front().time;
  s.step = CommonStep(rows);
  const int64_t size = (rows.back().time - s.start) / s.step + 1;
  constexpr int64_t kMost = 20'000'000;
  if (size > kMost) {
    return Place{file, rows.back().line}.Error(
        absl::StrFormat("%s lies far from %s, where the file starts",
                        FormatUtc(rows.back().time), FormatUtc(s.start)));
  }
  s.values.assign(size, kUnknown);
  s.estimated.assign(size, false);
  s.lines.assign(size, 0);
  for (const Row& row : rows) {
    const absl::Duration offset = row.time - s.start;
    if (offset % s.step != absl::ZeroDuration()) {
      return Place{file, row.line}.Error(
          absl::StrFormat("%s does not lie on the file's steps of %s",
                          FormatUtc(row.time), absl::FormatDuration(s.step)));
    }
    const size_t i = offset / s.step;
    s.values[i] = row.value;
    s.estimated[i] = row.estimated;
    s.lines[i] = row.line;
  }
  return s;
}

// Drops slots without a value at both ends.
absl::Status Trim(Slots* s, std::string_view file) {
  size_t from = 0;
  size_t to = s->values.size();
  while (from < to && std::isnan(s->values[from])) ++from;
  while (to > from && std::isnan(s->values[to - 1])) --to;
  if (from == to) {
    return Place{file, s->lines.front()}.Error("the column has no value");
  }
  const auto cut = [from, to](auto* list) {
    list->erase(list->begin() + to, list->end());
    list->erase(list->begin(), list->begin() + from);
  };
  cut(&s->values);
  cut(&s->estimated);
  cut(&s->lines);
  s->start += s->step * from;
  return absl::OkStatus();
}

// Refuses or fills every gap; returns how many values were filled.
absl::StatusOr<size_t> CloseGaps(Slots* s, const GridHeader& h,
                                 std::string_view file, GapRule gaps) {
  if (gaps == GapRule::kInterpolate) RETURN_IF_ERROR(Trim(s, file));
  const std::vector<double> known = s->values;
  size_t filled = 0;
  for (size_t from = 0; from < known.size(); ++from) {
    if (!std::isnan(known[from])) continue;
    size_t to = from;
    while (to < known.size() && std::isnan(known[to])) ++to;
    int line = s->lines[from];
    const bool empty = line != 0;
    if (!empty) line = s->lines[to];  // the first and last row are there
    for (size_t i = from; line == 0; ++i) line = s->lines[i];
    const absl::Duration length = s->step * (to - from);
    if (gaps == GapRule::kRefuse || length > kDayGap) {
      return Place{file, line}.Error(absl::StrFormat(
          "%s: %s from %s to %s (%s)", h.value_name,
          empty ? "no value" : "rows are missing",
          FormatUtc(s->start + s->step * from),
          FormatUtc(s->start + s->step * to),
          gaps == GapRule::kRefuse ? "gaps: interpolate would fill it"
                                   : "more than 7 days: not filled"));
    }
    for (size_t i = from; i < to; ++i) {
      s->values[i] = Fill(known, i, from, to, s->step);
      s->estimated[i] = true;
      ++filled;
    }
    from = to;
  }
  return filled;
}

}  // namespace

absl::StatusOr<GapRule> ParseGapRule(std::string_view name) {
  if (name.empty() || name == "refuse") return GapRule::kRefuse;
  if (name == "interpolate") return GapRule::kInterpolate;
  return absl::InvalidArgumentError(
      absl::StrFormat("gaps: \"%s\" is neither refuse nor interpolate", name));
}

absl::StatusOr<GridColumn> ParseGridCsv(std::string_view text,
                                        std::string_view file,
                                        std::string_view column, GapRule gaps) {
  ASSIGN_OR_RETURN(text, WithoutByteOrderMark(text, file));
  std::optional<GridHeader> header;
  std::vector<Row> rows;
  std::vector<std::string> fields;
  int line_number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const Place place{file, ++line_number};
    if (!SplitCsvLine(line, &fields)) {
      return place.Error("a quoted field does not end on its line");
    }
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (!header) {
      absl::StatusOr<GridHeader> read = ReadGridHeader(fields, column);
      if (!read.ok()) return place.Error(std::string(read.status().message()));
      header = *std::move(read);
      continue;
    }
    ASSIGN_OR_RETURN(Row row, ParseRow(fields, *header, place));
    RETURN_IF_ERROR(CheckOrder(rows, row, place));
    rows.push_back(row);
  }
  if (rows.empty()) {
    return Place{file, std::max(line_number, 1)}.Error("no rows of data");
  }
  ASSIGN_OR_RETURN(Slots slots, LayOut(rows, file));
  GridColumn out;
  ASSIGN_OR_RETURN(out.filled, CloseGaps(&slots, *header, file, gaps));
  out.estimated = std::move(slots.estimated);
  out.basis = header->basis;
  ASSIGN_OR_RETURN(out.series, StepSeries::Create(slots.start, slots.step,
                                                  std::move(slots.values)));
  return out;
}

absl::StatusOr<GridColumn> ReadGridCsv(const std::string& path,
                                       const std::string& column,
                                       GapRule gaps) {
  ASSIGN_OR_RETURN(const std::string text, ReadCsvText(path));
  return ParseGridCsv(text, path, column, gaps);
}

absl::StatusOr<GridColumn> IntensityFromCfe(const GridColumn& column,
                                            GramsPerKwh residual) {
  if (column.basis != "cfe") {
    return absl::InvalidArgumentError(
        "a residual factor is for a carbon-free share (cfe_pct) only");
  }
  if (!(residual.value() > 0) || !std::isfinite(residual.value())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("residual: %g is not a positive intensity in gCO2e/kWh",
                        residual.value()));
  }
  std::vector<double> values = column.series.values();
  for (double& v : values) v = (1 - v / 100) * residual.value();
  GridColumn out;
  out.estimated.assign(values.size(), true);
  out.basis = "average-residual";
  out.filled = column.filled;
  ASSIGN_OR_RETURN(out.series,
                   StepSeries::Create(column.series.start(),
                                      column.series.step(), std::move(values)));
  return out;
}

}  // namespace ccsched
