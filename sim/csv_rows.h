// Streams the rows of a CSV file, plain or gzip, with the columns by name.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open("jobs.csv"));
//   ASSIGN_OR_RETURN(const size_t gpus, rows.Column("gpus"));
//   while (*rows.Next()) rows.Count(gpus);
#ifndef CCSCHED_SIM_CSV_ROWS_H_
#define CCSCHED_SIM_CSV_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ccsched {

// Lines of a file in order, gzip undone. Movable; not thread safe.
class LineReader {
 public:
  // A byte order mark of UTF-8 is passed over. Errors: NotFound; DataLoss;
  // FailedPrecondition for a text in another encoding.
  static absl::StatusOr<LineReader> Open(const std::string& path);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // The next line without its end, valid until the next call; false at the
  // end of the file. Errors: DataLoss "file:line: …" for a broken archive, or
  // one that lacks its end; FailedPrecondition for a line longer than 16 MiB.
  absl::StatusOr<bool> Next(std::string_view& line);
  int64_t line() const { return line_; }  // of the last one, from 1
  const std::string& path() const { return path_; }

 private:
  struct File;
  LineReader();
  absl::Status Read(size_t bytes_max);  // more of the file, to end_
  std::unique_ptr<File> file_;
  std::string path_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
  bool at_end_ = false;
  bool cut_short_ = false;  // an archive that lacks its end
  int64_t line_ = 0;
};

// A CSV with a header. Quoted fields are understood, but for line breaks
// within them. Errors name file, line, column and value.
class CsvRows {
 public:
  // `separator` is usually ','.
  static absl::StatusOr<CsvRows> Open(const std::string& path,
                                      char separator = ',');

  // The index of a column that must be there.
  absl::StatusOr<size_t> Column(std::string_view name) const;
  // The index, or npos.
  size_t Find(std::string_view name) const;
  static constexpr size_t npos = static_cast<size_t>(-1);
  const std::vector<std::string>& header() const { return header_; }

  // Reads the next row; false at the end. Empty lines are passed over.
  // Errors: InvalidArgument if it has another number of fields than the header;
  // reading may go on.
  absl::StatusOr<bool> Next();

  // Fields of the row read last, valid until the next one.
  std::string_view Text(size_t column) const { return fields_[column]; }
  // A number of seconds (or of units of `us_per_unit`), not negative.
  absl::StatusOr<int64_t> Micros(size_t column, double us_per_unit = 1e6) const;
  // A time: RFC 3339 or "2017-10-03 12:00:00" (UTC), in µs since 1970.
  absl::StatusOr<int64_t> Time(size_t column) const;
  // A whole number, 1 to 2^30 ("8", also "8.0").
  absl::StatusOr<uint32_t> Count(size_t column) const;
  absl::StatusOr<double> Number(size_t column) const;

  // "file:line" of the row read last.
  std::string Where() const;
  absl::Status Bad(size_t column, std::string_view what) const;

 private:
  explicit CsvRows(LineReader lines) : lines_(std::move(lines)) {}
  void Split(std::string_view line);

  LineReader lines_;
  char separator_ = ',';
  std::vector<std::string> header_;
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // storage of fields that had quotes
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_CSV_ROWS_H_
