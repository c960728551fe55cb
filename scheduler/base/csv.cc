// Quotes and guards fields of CSV.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/csv.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

// -1, +2.5e3; SimpleAtod takes also inf and nan, which run nothing.
bool IsNumber(std::string_view text) {
  double ignored;
  return absl::SimpleAtod(ToAbsl(text), &ignored);
}

}  // namespace

void AppendCsvField(std::string_view field, std::string& out) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string CsvSafeText(std::string_view field) {
  const bool formula =
      !field.empty() &&
      std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos;
  // A lone dash is how a table says that there is nothing.
  if (!formula || field == "-" || IsNumber(field)) return std::string(field);
  return absl::StrCat("'", ToAbsl(field));
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) line += ',';
    AppendCsvField(CsvSafeText(field), line);
  }
  return line + "\n";
}

std::string ColumnsText(const std::vector<std::string>& fields) {
  constexpr size_t kEnough = 300;
  std::string text;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) text += ", ";
    text += field;
    if (text.size() > kEnough) {
      text.resize(kEnough);
      return text + "...";
    }
  }
  if (fields.size() == 1 && text.find_first_of(";\t") != std::string::npos) {
    text += " (fields have to be separated by commas)";
  }
  return text;
}

}  // namespace ccsched
