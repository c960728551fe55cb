// Reads the Philly cluster's original job log, a JSON array, job by job.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "sim/csv_rows.h"
#include "sim/readers/readers.h"
#include "sim/readers/sorted_trace.h"
#include "sim/readers/stamps.h"

namespace ccsched {
namespace {

using Json = nlohmann::json;

// Far above what a job needs; what a parser makes of so much text is bounded.
constexpr size_t kLongestObject = size_t{1} << 22;
constexpr int kDeepest = 64;

// Cuts the objects of a JSON array out of a file, one at a time, however its
// lines are broken.
class ArrayOfObjects {
 public:
  explicit ArrayOfObjects(LineReader lines) : lines_(std::move(lines)) {}

  // The text of the next object; false at the end of the array.
  absl::StatusOr<bool> Next(std::string& object) {
    object.clear();
    depth_ = 0;
    for (;;) {
      while (at_ < line_.size()) {
        const char c = line_[at_++];
        if (depth_ == 0) {
          ASSIGN_OR_RETURN(const bool end, Between(c));
          if (end) return false;
          if (depth_ == 0) continue;
        } else {
          Inside(c);
        }
        object += c;
        if (depth_ == 0) return true;
        if (object.size() > kLongestObject || depth_ + lists_ > kDeepest) {
          return absl::FailedPreconditionError(absl::StrCat(
              Where(),
              ": a job of more than 4 MiB, or of lists in lists in "
              "lists"));
        }
      }
      if (depth_ > 0) object += '\n';
      ASSIGN_OR_RETURN(const bool more, lines_.Next(line_));
      at_ = 0;
      if (!more) return AtEnd();
    }
  }

  // Where the object read last begins.
  std::string Where() const {
    return absl::StrCat(lines_.path(), ":",
                        depth_ == 0 && begin_ > 0 ? begin_ : lines_.line());
  }

 private:
  // A character between two objects; true at the end of the array.
  absl::StatusOr<bool> Between(char c) {
    if (c == '{' && state_ == kWantsObject) {
      depth_ = 1;
      lists_ = 0;
      in_string_ = false;
      begin_ = lines_.line();
      state_ = kWantsComma;
    } else if ((c == '[' && state_ == kBefore) ||
               (c == ',' && state_ == kWantsComma)) {
      state_ = kWantsObject;
    } else if (c == ']' && (state_ == kWantsComma ||
                            (state_ == kWantsObject && begin_ == 0))) {
      state_ = kAfter;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return absl::FailedPreconditionError(
          absl::StrCat(lines_.path(), ":", lines_.line(), ": '",
                       std::string(1, c), "' where an array of jobs ",
                       state_ == kBefore ? "begins" : "goes on"));
    }
    return false;
  }

  void Inside(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}') {
      --depth_;
    } else if (c == '[') {
      ++lists_;
    } else if (c == ']') {
      --lists_;
    }
  }

  absl::StatusOr<bool> AtEnd() {
    if (state_ == kAfter) return false;
    return absl::FailedPreconditionError(absl::StrCat(
        lines_.path(), ":", lines_.line(), ": the file ends within its array"));
  }

  LineReader lines_;
  std::string_view line_;
  size_t at_ = 0;
  enum { kBefore, kWantsObject, kWantsComma, kAfter } state_ = kBefore;
  int depth_ = 0;  // only braces tell where an object ends
  int lists_ = 0;
  bool in_string_ = false, escaped_ = false;
  int64_t begin_ = 0;
};

class PhillyLogTrace : public TraceReader {
 public:
  explicit PhillyLogTrace(LineReader lines) : objects_(std::move(lines)) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, objects_.Next(text_));
      if (!more) return false;
      const Json object = Json::parse(text_, nullptr, false);
      if (object.is_discarded()) return Bad("is not valid JSON");
      ASSIGN_OR_RETURN(const bool ran, Fill(object, job));
      if (ran) return true;
      ++left_out_;
    }
  }
  bool relative() const override { return false; }
  std::string Where() const override { return objects_.Where(); }
  uint64_t left_out() const override { return left_out_; }

 private:
  absl::Status Bad(const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(Where(), ": a job that ", what));
  }

  absl::StatusOr<bool> Fill(const Json& object, TraceJob& job) const {
    job.Clear();
    RETURN_IF_ERROR(Text(object, "jobid", job.id));
    if (job.id.empty()) return Bad("has no jobid");
    RETURN_IF_ERROR(Text(object, "user", job.user));
    RETURN_IF_ERROR(Text(object, "vc", job.project));
    ASSIGN_OR_RETURN(const std::optional<int64_t> submit,
                     Stamp(object, "submitted_time"));
    if (!submit) return Bad("has no submitted_time");
    job.submit_us = *submit;
    const auto attempts = object.find("attempts");
    if (attempts == object.end() || !attempts->is_array()) {
      return Bad("has no list of attempts");
    }
    return AddAttempts(*attempts, job);
  }

  // False if it did not run, or was not logged to its end.
  absl::StatusOr<bool> AddAttempts(const Json& attempts, TraceJob& job) const {
    job.count = 0;
    for (const Json& attempt : attempts) {
      if (!attempt.is_object()) return Bad("has an attempt that is no object");
      ASSIGN_OR_RETURN(const std::optional<int64_t> start,
                       Stamp(attempt, "start_time"));
      ASSIGN_OR_RETURN(const std::optional<int64_t> end,
                       Stamp(attempt, "end_time"));
      if (!start || !end) return false;
      if (*end < *start)
        return Bad("has an attempt that ends before it starts");
      job.duration_us += *end - *start;
      if (job.count == 0) job.count = Gpus(attempt);
    }
    return job.count > 0;
  }

  static uint32_t Gpus(const Json& attempt) {
    const auto detail = attempt.find("detail");
    if (detail == attempt.end() || !detail->is_array()) return 0;
    size_t gpus = 0;
    for (const Json& server : *detail) {
      if (!server.is_object()) continue;
      const auto list = server.find("gpus");
      if (list != server.end() && list->is_array()) gpus += list->size();
    }
    return static_cast<uint32_t>(gpus);
  }

  // A string, or nothing for null.
  absl::Status Text(const Json& object, const char* key,
                    std::string& to) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return absl::OkStatus();
    if (!found->is_string()) {
      return Bad(absl::StrCat(
          "has a ", key, " that is no string: ",
          found->dump(-1, ' ', false, Json::error_handler_t::replace)));
    }
    to = found->get_ref<const std::string&>();
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<int64_t>> Stamp(const Json& object,
                                               const char* key) const {
    std::string text;
    RETURN_IF_ERROR(Text(object, key, text));
    if (IsMissing(text)) return std::optional<int64_t>();
    int64_t us = 0;
    bool zoned = false;
    if (!ParseStamp(text, &us, &zoned)) {
      return Bad(
          absl::StrCat("has a ", key, " that is no time: \"", text, "\""));
    }
    return std::optional<int64_t>(zoned ? us : PacificToUtc(us));
  }

  ArrayOfObjects objects_;
  std::string text_;
  uint64_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewPhillyLogTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(path));
  SortedTraceOptions options;
  options.drop_duplicates = true;
  return SortBySubmission(std::make_unique<PhillyLogTrace>(std::move(lines)),
                          std::move(options));
}

}  // namespace ccsched
