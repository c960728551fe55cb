// Finds the columns of a CSV of grid data by name, or by the words in it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_GRID_CSV_HEADER_H_
#define CCSCHED_SCHEDULER_CARBON_GRID_CSV_HEADER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ccsched {

struct GridHeader {
  enum Kind { kIntensity, kShare, kOther };
  size_t fields = 0;  // in a row
  size_t time = 0;
  size_t value = 0;
  std::optional<size_t> estimated;
  std::string time_name, value_name;
  bool utc = false;  // the times' name says so: they need no zone
  Kind kind = kOther;
  std::string basis;  // see GridColumn
};

// The basis (see GridColumn) that a column's name tells of; empty if none.
std::string BasisOfColumn(std::string_view name);

// Errors: InvalidArgument if a column is missing or named twice, or if the name
// of the value tells of a unit that is not g/kWh.
absl::StatusOr<GridHeader> ReadGridHeader(absl::Span<const std::string> fields,
                                          std::string_view column);

// Splits a line of CSV (RFC 4180, but for line breaks in quotes) into fields
// without surrounding blanks. Returns false if a quote is not closed.
bool SplitCsvLine(std::string_view line, std::vector<std::string>* fields);

// All of a file. Errors: NotFound if it can't be read; InvalidArgument if it is
// of more than 256 MiB, far above what a grid's hours need: a device, say.
absl::StatusOr<std::string> ReadCsvText(const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_GRID_CSV_HEADER_H_
