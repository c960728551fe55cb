// Reads the Standard Workload Format of the Parallel Workloads Archive.
// SPDX-License-Identifier: Apache-2.0
//
// 18 numbers a line, -1 where nothing is known; comments begin with ';', and
// those at the top describe the log. Source: version 2.2 of the format,
// https://www.cs.huji.ac.il/labs/parallel/workload/swf.html
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "sim/csv_rows.h"
#include "sim/readers/readers.h"

namespace ccsched {
namespace {

constexpr size_t kFields = 18;
constexpr std::array<const char*, kFields> kNames = {"job number",
                                                     "submit time",
                                                     "wait time",
                                                     "run time",
                                                     "allocated processors",
                                                     "average CPU time",
                                                     "used memory",
                                                     "requested processors",
                                                     "requested time",
                                                     "requested memory",
                                                     "status",
                                                     "user",
                                                     "group",
                                                     "executable",
                                                     "queue",
                                                     "partition",
                                                     "preceding job",
                                                     "think time"};
enum Field : size_t {
  kJob = 0,
  kSubmit = 1,
  kRun = 3,
  kAllocated = 4,
  kRequested = 7,
  kStatus = 10,
  kUser = 11,
  kGroup = 12,
  kExecutable = 13,
};

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

class SwfTrace : public TraceReader {
 public:
  explicit SwfTrace(LineReader lines) : lines_(std::move(lines)) {}

  // Reads the comments at the top, up to the first job.
  absl::Status ReadHeader() {
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, NextLine());
      if (!more || line_[0] != ';') {
        pending_ = more;
        return absl::OkStatus();
      }
      constexpr std::string_view kStart = "UnixStartTime:";
      std::string_view comment = line_.substr(1);
      while (!comment.empty() && IsBlank(comment[0])) comment.remove_prefix(1);
      if (!comment.starts_with(kStart)) continue;
      comment.remove_prefix(kStart.size());
      double start = 0;
      if (!ParseNumber(absl::StripAsciiWhitespace(ToAbsl(comment)), &start) ||
          start > 1e11) {
        return absl::InvalidArgumentError(
            absl::StrCat(Where(), ": UnixStartTime \"", ToAbsl(comment),
                         "\" is not a number of seconds"));
      }
      // Some logs say -1 or 0 for unknown.
      if (start > 0) start_us_ = std::llround(start * 1e6);
    }
  }

  absl::StatusOr<bool> Next(TraceJob& job) override {
    for (;;) {
      if (!std::exchange(pending_, false)) {
        ASSIGN_OR_RETURN(const bool more, NextLine());
        if (!more) return false;
      }
      if (line_[0] == ';') continue;
      RETURN_IF_ERROR(Split());
      if (IsJob()) {
        RETURN_IF_ERROR(Fill(job));
        return true;
      }
      ++left_out_;
    }
  }
  bool relative() const override { return !start_us_.has_value(); }
  std::string Where() const override {
    return absl::StrCat(lines_.path(), ":", lines_.line());
  }
  uint64_t left_out() const override { return left_out_; }

 private:
  // The next line that is not blank, without the blanks around it.
  absl::StatusOr<bool> NextLine() {
    do {
      ASSIGN_OR_RETURN(const bool more, lines_.Next(line_));
      if (!more) return false;
      line_ = ToStd(absl::StripAsciiWhitespace(ToAbsl(line_)));
    } while (line_.empty());
    return true;
  }

  static bool ParseNumber(absl::string_view text, double* value) {
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), *value);
    return error == std::errc() && end == text.data() + text.size() &&
           std::isfinite(*value);
  }

  absl::Status Bad(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(Where(), ": ", what));
  }

  absl::Status Split() {
    size_t n = 0;
    std::string_view rest = line_;
    while (!rest.empty()) {
      size_t size = 0;
      while (size < rest.size() && !IsBlank(rest[size])) ++size;
      const std::string_view text = rest.substr(0, size);
      if (n < kFields && !ParseNumber(ToAbsl(text), &fields_[n])) {
        return Bad(
            absl::StrCat(kNames[n], " \"", ToAbsl(text), "\" is not a number"));
      }
      ++n;
      rest.remove_prefix(size);
      while (!rest.empty() && IsBlank(rest[0])) rest.remove_prefix(1);
    }
    if (n == kFields) return absl::OkStatus();
    return Bad(absl::StrCat(n, " fields, the format has ", kFields));
  }

  bool IsJob() const {
    const double status = fields_[kStatus];
    if (status == 2 || status == 3 || status == 4) return false;
    return fields_[kRun] >= 0 && Processors() > 0;
  }

  double Processors() const {
    return fields_[kAllocated] > 0 ? fields_[kAllocated] : fields_[kRequested];
  }

  absl::Status Fill(TraceJob& job) {
    const double submit = fields_[kSubmit];
    if (submit < 0) return Bad(absl::StrCat("submit time ", submit));
    if (submit > 1e11 || fields_[kRun] > 1e11) {
      return Bad("a time beyond 3,000 years");
    }
    const double count = Processors();
    if (count != std::floor(count) || count > (1 << 30)) {
      return Bad(absl::StrCat(count, " processors"));
    }
    job.Clear();
    job.id = absl::StrCat(static_cast<int64_t>(fields_[kJob]));
    job.submit_us = std::llround(submit * 1e6) + start_us_.value_or(0);
    job.duration_us = std::llround(fields_[kRun] * 1e6);
    job.count = static_cast<uint32_t>(count);
    Name(kUser, "u", job.user);
    Name(kGroup, "g", job.project);
    Name(kExecutable, "x", job.name);
    return absl::OkStatus();
  }

  // People and programs are numbered in this format.
  void Name(Field field, const char* prefix, std::string& to) const {
    if (fields_[field] < 0) return;
    to = absl::StrCat(prefix, static_cast<int64_t>(fields_[field]));
  }

  LineReader lines_;
  std::string_view line_;
  bool pending_ = false;  // line_ is not yet used
  std::array<double, kFields> fields_{};
  std::optional<int64_t> start_us_;
  uint64_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewSwfTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(path));
  auto trace = std::make_unique<SwfTrace>(std::move(lines));
  RETURN_IF_ERROR(trace->ReadHeader());
  return trace;
}

}  // namespace ccsched
