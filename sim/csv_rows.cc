// Streams the rows of a CSV file, plain or gzip.
// SPDX-License-Identifier: Apache-2.0
#include "sim/csv_rows.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "scheduler/base/csv.h"
#include "scheduler/base/encoding.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

constexpr size_t kBuffer = size_t{1} << 17;
constexpr size_t kLongestLine = size_t{1} << 24;
constexpr size_t kEncodingBytes = 4;  // enough to tell it

// "2017-10-03T12:34:56Z", the commonest form, without a general parser.
bool ParsePlainUtc(std::string_view s, int64_t* us) {
  if (s.size() < 19 || s[4] != '-' || s[7] != '-' || s[13] != ':' ||
      s[16] != ':' || (s[10] != 'T' && s[10] != ' ')) {
    return false;
  }
  if (s.size() != 19 && !(s.size() == 20 && s[19] == 'Z')) return false;
  const auto number = [&](int at, int length) {
    int n = 0;
    for (int i = at; i < at + length; ++i) {
      if (s[i] < '0' || s[i] > '9') return -1;
      n = n * 10 + (s[i] - '0');
    }
    return n;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const int hour = number(11, 2), minute = number(14, 2);
  const int second = number(17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59) {
    return false;
  }
  const absl::CivilDay civil(year, month, day);
  if (civil.day() != day) return false;
  const int64_t days = civil - absl::CivilDay(1970, 1, 1);
  *us = (days * 86400 + hour * int64_t{3600} + minute * int64_t{60} + second) *
        1'000'000;
  return true;
}

}  // namespace

struct LineReader::File {
  gzFile handle = nullptr;
  ~File() {
    if (handle != nullptr) gzclose(handle);
  }
};

LineReader::LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

absl::StatusOr<LineReader> LineReader::Open(const std::string& path) {
  LineReader reader;
  reader.path_ = path;
  reader.file_ = std::make_unique<File>();
  reader.file_->handle = gzopen(path.c_str(), "rb");
  if (reader.file_->handle == nullptr) {
    return absl::NotFoundError(
        absl::StrCat(path, ": can't be read: ", std::strerror(errno)));
  }
  gzbuffer(reader.file_->handle, kBuffer);
  reader.buffer_.resize(kBuffer);
  RETURN_IF_ERROR(reader.Read(kEncodingBytes));
  const std::string_view first(reader.buffer_.data(), reader.end_);
  const auto text = WithoutByteOrderMark(first, path);
  if (!text.ok()) return absl::FailedPreconditionError(text.status().message());
  reader.begin_ = reader.end_ - text->size();
  return reader;
}

absl::Status LineReader::Read(size_t bytes_max) {
  const int got = gzread(file_->handle, buffer_.data() + end_,
                         static_cast<unsigned>(bytes_max));
  if (got < 0) {
    if (std::error_code ignored;
        std::filesystem::is_directory(path_, ignored)) {
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": is a directory, not a file"));
    }
    return absl::DataLossError(absl::StrCat(
        path_, ":", line_ + 1, ": can't be read: broken archive or device"));
  }
  if (got == 0) at_end_ = true;
  // What was there of an archive that lacks its end is given out first.
  int code = Z_OK;
  gzerror(file_->handle, &code);
  if (code == Z_BUF_ERROR) cut_short_ = true;
  end_ += got;
  return absl::OkStatus();
}

absl::StatusOr<bool> LineReader::Next(std::string_view& line) {
  size_t scanned = begin_;
  for (;;) {
    const char* data = buffer_.data();
    const void* found = end_ > scanned
                            ? std::memchr(data + scanned, '\n', end_ - scanned)
                            : nullptr;
    if (found == nullptr && at_end_ && cut_short_) {
      return absl::DataLossError(
          absl::StrCat(path_, ":", line_ + 1,
                       ": the archive was cut short: fetch or copy it again"));
    }
    if (found != nullptr || (at_end_ && end_ > begin_)) {
      const size_t stop =
          found != nullptr ? static_cast<const char*>(found) - data : end_;
      line = std::string_view(data + begin_, stop - begin_);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      begin_ = found != nullptr ? stop + 1 : end_;
      ++line_;
      return true;
    }
    if (at_end_) return false;
    scanned = end_ - begin_;
    std::memmove(buffer_.data(), data + begin_, scanned);
    begin_ = 0;
    end_ = scanned;
    if (end_ == buffer_.size()) {
      if (buffer_.size() >= kLongestLine) {
        return absl::FailedPreconditionError(absl::StrCat(
            path_, ":", line_ + 1, ": a line of more than 16 MiB"));
      }
      buffer_.resize(buffer_.size() * 2);
    }
    RETURN_IF_ERROR(Read(buffer_.size() - end_));
  }
}

absl::StatusOr<CsvRows> CsvRows::Open(const std::string& path, char separator) {
  ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(path));
  CsvRows rows(std::move(lines));
  rows.separator_ = separator;
  std::string_view line;
  ASSIGN_OR_RETURN(const bool any, rows.lines_.Next(line));
  if (!any) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":1: the file is empty; a header was expected"));
  }
  rows.Split(line);
  for (const std::string_view field : rows.fields_) {
    rows.header_.emplace_back(field);
  }
  return rows;
}

size_t CsvRows::Find(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  return found == header_.end() ? npos : found - header_.begin();
}

absl::StatusOr<size_t> CsvRows::Column(std::string_view name) const {
  const size_t column = Find(name);
  if (column == npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(lines_.path(), ":1: no column \"", std::string(name),
                     "\" among ", ColumnsText(header_)));
  }
  if (std::count(header_.begin(), header_.end(), name) > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(lines_.path(), ":1: two columns are named \"",
                     std::string(name), "\"; which one counts?"));
  }
  return column;
}

void CsvRows::Split(std::string_view line) {
  fields_.clear();
  if (line.find('"') == std::string_view::npos) {
    const char* p = line.data();
    const char* const end = p + line.size();
    for (;;) {
      const void* found = std::memchr(p, separator_, end - p);
      const char* stop =
          found == nullptr ? end : static_cast<const char*>(found);
      fields_.emplace_back(p, stop - p);
      if (found == nullptr) return;
      p = stop + 1;
    }
  }
  // With quotes: fields are copied, each ended by a zero, then viewed.
  unquoted_.clear();
  std::vector<std::pair<size_t, size_t>> spans;
  bool quoted = false;
  size_t begin = 0;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || (line[i] == separator_ && !quoted)) {
      spans.emplace_back(begin, unquoted_.size() - begin);
      begin = unquoted_.size();
    } else if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        unquoted_ += line[++i];
      } else {
        quoted = !quoted;
      }
    } else {
      unquoted_ += line[i];
    }
  }
  for (const auto& [at, size] : spans) {
    fields_.push_back(std::string_view(unquoted_).substr(at, size));
  }
}

absl::StatusOr<bool> CsvRows::Next() {
  std::string_view line;
  do {
    ASSIGN_OR_RETURN(const bool more, lines_.Next(line));
    if (!more) return false;
  } while (line.empty());
  Split(line);
  if (fields_.size() != header_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Where(), ": ", fields_.size(), " fields, the header has ",
                     header_.size()));
  }
  return true;
}

std::string CsvRows::Where() const {
  return absl::StrCat(lines_.path(), ":", lines_.line());
}

absl::Status CsvRows::Bad(size_t column, std::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat(Where(), ": ", header_[column], " \"",
                   std::string(fields_[column]), "\" ", std::string(what)));
}

absl::StatusOr<double> CsvRows::Number(size_t column) const {
  std::string_view text = fields_[column];
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() ||
      end != text.data() + text.size() || !std::isfinite(value)) {
    return Bad(column, "is not a number");
  }
  return value;
}

absl::StatusOr<int64_t> CsvRows::Micros(size_t column,
                                        double us_per_unit) const {
  // Whole numbers, by far the most, without the general parser.
  const std::string_view text = fields_[column];
  double value = 0;
  int64_t whole = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size()) {
    value = static_cast<double>(whole);
  } else {
    ASSIGN_OR_RETURN(value, Number(column));
  }
  if (value < 0) return Bad(column, "is negative");
  const double us = value * us_per_unit;
  if (us > 3e17) return Bad(column, "is beyond 10,000 years");
  return std::llround(us);
}

absl::StatusOr<int64_t> CsvRows::Time(size_t column) const {
  int64_t us = 0;
  if (ParsePlainUtc(fields_[column], &us)) return us;
  absl::Time time;
  if (!ParseGridTime(fields_[column], &time)) {
    return Bad(column, "is not a time (like 2017-10-03T12:00:00Z)");
  }
  const int64_t year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  if (year < 1900 || year > 9999) {
    return Bad(column, "is not a time of this or any near age");
  }
  return absl::ToUnixMicros(time);
}

absl::StatusOr<uint32_t> CsvRows::Count(size_t column) const {
  constexpr uint32_t kMost = 1u << 30;
  constexpr char kBad[] = "is not a whole number from 1 to 1073741824";
  const std::string_view text = fields_[column];
  uint32_t whole = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc() || end != text.data() + text.size()) {
    ASSIGN_OR_RETURN(const double value, Number(column));
    if (value != std::floor(value) || value < 0 || value > kMost) {
      return Bad(column, kBad);
    }
    whole = static_cast<uint32_t>(value);
  }
  if (whole < 1 || whole > kMost) return Bad(column, kBad);
  return whole;
}

}  // namespace ccsched
