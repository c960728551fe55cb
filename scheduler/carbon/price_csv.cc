// Reads a region's electricity prices from CSV.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/price_csv.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/encoding.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/grid_csv_header.h"

namespace ccsched {
namespace {

struct CurrencyUnit {
  std::string text;  // as in the file
  std::string currency;
  double kwh = 1000;  // what one price is for
};

absl::StatusOr<CurrencyUnit> ReadUnit(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string code = text.substr(0, slash);
  const std::string per =
      slash == std::string::npos ? "" : text.substr(slash + 1);
  if (!IsCurrencyCode(code) || (per != "MWh" && per != "kWh")) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "currency: \"%s\" is not like USD/MWh or USD/kWh", text));
  }
  return CurrencyUnit{text, code, per == "MWh" ? 1000.0 : 1.0};
}

// The one currency and unit of all rows. Rows were checked already.
absl::StatusOr<CurrencyUnit> FindUnit(std::string_view text,
                                      std::string_view file) {
  std::vector<std::string> fields;
  size_t column = std::string::npos;
  CurrencyUnit unit;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    SplitCsvLine(text.substr(0, end), &fields);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (fields.size() == 1 && fields[0].empty()) continue;
    const auto error = [&](const std::string& what) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s:%d: %s", file, line, what));
    };
    if (column == std::string::npos) {
      const auto found = std::find(fields.begin(), fields.end(), "currency");
      if (found == fields.end()) {
        return error("there is no column \"currency\"");
      }
      column = found - fields.begin();
      continue;
    }
    if (fields[column] == unit.text) continue;
    if (!unit.text.empty()) {
      return error(absl::StrFormat(
          "currency: %s, but the lines before have %s: prices are in one "
          "currency, none is converted",
          fields[column], unit.text));
    }
    absl::StatusOr<CurrencyUnit> read = ReadUnit(fields[column]);
    if (!read.ok()) return error(std::string(read.status().message()));
    unit = *std::move(read);
  }
  return unit;
}

}  // namespace

bool IsCurrencyCode(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), absl::ascii_isupper);
}

absl::StatusOr<PriceSeries> ParsePriceCsv(std::string_view text,
                                          std::string_view file) {
  ASSIGN_OR_RETURN(text, WithoutByteOrderMark(text, file));
  ASSIGN_OR_RETURN(GridColumn column,
                   ParseGridCsv(text, file, "price", GapRule::kInterpolate));
  ASSIGN_OR_RETURN(CurrencyUnit unit, FindUnit(text, file));
  std::vector<double> values = column.series.values();
  for (double& v : values) v /= unit.kwh;
  std::vector<bool> known = column.estimated;
  known.flip();
  ASSIGN_OR_RETURN(StepSeries series,
                   StepSeries::Create(column.series.start(),
                                      column.series.step(), std::move(values)));
  return PriceSeries(std::move(unit.currency), std::move(series),
                     std::move(known));
}

absl::StatusOr<PriceSeries> ReadPriceCsv(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadCsvText(path));
  return ParsePriceCsv(text, path);
}

}  // namespace ccsched
