// Reads the job logs of the Helios and Acme clusters.
// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "scheduler/base/status.h"
#include "sim/csv_rows.h"
#include "sim/readers/readers.h"
#include "sim/readers/stamps.h"

namespace ccsched {
namespace {

constexpr int64_t kChinaUs = int64_t{8} * 3600 * 1'000'000;

struct Columns {
  size_t id = CsvRows::npos;
  size_t user = CsvRows::npos;
  size_t gpus = CsvRows::npos;
  size_t submit = CsvRows::npos;
  size_t project = CsvRows::npos;  // vc, of Helios
  size_t name = CsvRows::npos;     // type, of Acme
  size_t start = CsvRows::npos;    // these two,
  size_t end = CsvRows::npos;
  size_t duration = CsvRows::npos;  // or this
};

class HeliosTrace : public TraceReader {
 public:
  HeliosTrace(CsvRows rows, Columns columns)
      : rows_(std::move(rows)), c_(columns) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows_.Next());
      if (!more) return false;
      ASSIGN_OR_RETURN(const bool is_job, Fill(job));
      if (is_job) return true;
      ++left_out_;
    }
  }
  bool relative() const override { return false; }
  std::string Where() const override { return rows_.Where(); }
  uint64_t left_out() const override { return left_out_; }

 private:
  // False if the row is no job that ran on GPUs.
  absl::StatusOr<bool> Fill(TraceJob& job) {
    ASSIGN_OR_RETURN(const double gpus, rows_.Number(c_.gpus));
    if (gpus == 0) return false;
    ASSIGN_OR_RETURN(job.count, rows_.Count(c_.gpus));
    if (IsMissing(rows_.Text(c_.submit))) {
      return rows_.Bad(c_.submit, "is no time of submission");
    }
    ASSIGN_OR_RETURN(const std::optional<int64_t> submit, Stamp(c_.submit));
    job.submit_us = *submit;
    ASSIGN_OR_RETURN(const std::optional<int64_t> duration, Duration());
    if (!duration) return false;
    job.duration_us = *duration;
    job.id.assign(rows_.Text(c_.id));
    if (job.id.empty()) return rows_.Bad(c_.id, "names no job");
    Copy(c_.user, job.user);
    Copy(c_.project, job.project);
    Copy(c_.name, job.name);
    return true;
  }

  // Absent if it never ran.
  absl::StatusOr<std::optional<int64_t>> Duration() const {
    if (c_.start != CsvRows::npos && c_.end != CsvRows::npos) {
      ASSIGN_OR_RETURN(const std::optional<int64_t> start, Stamp(c_.start));
      ASSIGN_OR_RETURN(const std::optional<int64_t> end, Stamp(c_.end));
      if (!start || !end) return std::optional<int64_t>();
      if (*end < *start) return rows_.Bad(c_.end, "is before start_time");
      return std::optional<int64_t>(*end - *start);
    }
    if (IsMissing(rows_.Text(c_.duration))) return std::optional<int64_t>();
    ASSIGN_OR_RETURN(const int64_t duration, rows_.Micros(c_.duration));
    return std::optional<int64_t>(duration);
  }

  absl::StatusOr<std::optional<int64_t>> Stamp(size_t column) const {
    const std::string_view text = rows_.Text(column);
    if (IsMissing(text)) return std::optional<int64_t>();
    int64_t us = 0;
    bool zoned = false;
    if (!ParseStamp(text, &us, &zoned)) {
      return rows_.Bad(column, "is not a time (like 2020-06-09 18:41:01)");
    }
    return std::optional<int64_t>(zoned ? us : us - kChinaUs);
  }

  void Copy(size_t column, std::string& to) const {
    to.clear();
    if (column != CsvRows::npos && !IsMissing(rows_.Text(column))) {
      to.assign(rows_.Text(column));
    }
  }

  CsvRows rows_;
  const Columns c_;
  uint64_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewHeliosTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  Columns c;
  ASSIGN_OR_RETURN(c.id, rows.Column("job_id"));
  ASSIGN_OR_RETURN(c.gpus, rows.Column("gpu_num"));
  ASSIGN_OR_RETURN(c.submit, rows.Column("submit_time"));
  c.start = rows.Find("start_time");
  c.end = rows.Find("end_time");
  if (c.start == CsvRows::npos || c.end == CsvRows::npos) {
    ASSIGN_OR_RETURN(c.duration, rows.Column("duration"));
  }
  c.user = rows.Find("user");
  c.project = rows.Find("vc");
  c.name = rows.Find("type");
  return std::make_unique<HeliosTrace>(std::move(rows), c);
}

}  // namespace ccsched
