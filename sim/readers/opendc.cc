// Reads OpenDC's tables of tasks and Alibaba's openb lists of pods.
// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "scheduler/base/status.h"
#include "sim/csv_rows.h"
#include "sim/readers/readers.h"
#include "sim/readers/sorted_trace.h"
#include "sim/readers/stamps.h"

namespace ccsched {
namespace {

constexpr double kMillisecond = 1000;  // in µs

class OpendcTrace : public TraceReader {
 public:
  struct Columns {
    size_t id = CsvRows::npos;
    size_t submit = CsvRows::npos;
    size_t duration = CsvRows::npos;
    size_t stop = CsvRows::npos;  // in place of the duration
    size_t count = CsvRows::npos;
  };
  OpendcTrace(CsvRows rows, Columns columns)
      : rows_(std::move(rows)), c_(columns) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    ASSIGN_OR_RETURN(const bool more, rows_.Next());
    if (!more) return false;
    ASSIGN_OR_RETURN(job.submit_us, Instant(c_.submit));
    if (c_.duration != CsvRows::npos) {
      ASSIGN_OR_RETURN(job.duration_us,
                       rows_.Micros(c_.duration, kMillisecond));
    } else {
      ASSIGN_OR_RETURN(const int64_t stop, Instant(c_.stop));
      if (stop < job.submit_us) {
        return rows_.Bad(c_.stop, "is before start_time");
      }
      job.duration_us = stop - job.submit_us;
    }
    ASSIGN_OR_RETURN(job.count, rows_.Count(c_.count));
    job.id.assign(rows_.Text(c_.id));
    if (job.id.empty()) return rows_.Bad(c_.id, "names no task");
    return true;
  }
  bool relative() const override { return false; }
  std::string Where() const override { return rows_.Where(); }

 private:
  // Milliseconds since 1970, or a time as people write it.
  absl::StatusOr<int64_t> Instant(size_t column) const {
    int64_t us = 0;
    bool zoned = false;
    if (ParseStamp(rows_.Text(column), &us, &zoned)) return us;
    return rows_.Micros(column, kMillisecond);
  }

  CsvRows rows_;
  const Columns c_;
};

class OpenbTrace : public TraceReader {
 public:
  struct Columns {
    size_t name, gpus, created, deleted, scheduled;
  };
  OpenbTrace(CsvRows rows, Columns columns)
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
  bool relative() const override { return true; }
  std::string Where() const override { return rows_.Where(); }
  uint64_t left_out() const override { return left_out_; }

 private:
  absl::StatusOr<bool> Fill(TraceJob& job) {
    ASSIGN_OR_RETURN(const double gpus, rows_.Number(c_.gpus));
    if (gpus == 0 || IsMissing(rows_.Text(c_.scheduled)) ||
        IsMissing(rows_.Text(c_.deleted))) {
      return false;
    }
    ASSIGN_OR_RETURN(job.count, rows_.Count(c_.gpus));
    ASSIGN_OR_RETURN(job.submit_us, rows_.Micros(c_.created));
    ASSIGN_OR_RETURN(const int64_t scheduled, rows_.Micros(c_.scheduled));
    ASSIGN_OR_RETURN(const int64_t deleted, rows_.Micros(c_.deleted));
    if (deleted < scheduled) {
      return rows_.Bad(c_.deleted, "is before scheduled_time");
    }
    job.duration_us = deleted - scheduled;
    job.id.assign(rows_.Text(c_.name));
    if (job.id.empty()) return rows_.Bad(c_.name, "names no pod");
    return true;
  }

  CsvRows rows_;
  const Columns c_;
  uint64_t left_out_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewOpendcTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  OpendcTrace::Columns c;
  ASSIGN_OR_RETURN(c.id, rows.Column("id"));
  ASSIGN_OR_RETURN(c.count, rows.Column("cpu_count"));
  c.submit = rows.Find("submission_time");
  if (c.submit != CsvRows::npos) {
    ASSIGN_OR_RETURN(c.duration, rows.Column("duration"));
  } else if (rows.Find("start_time") != CsvRows::npos) {
    ASSIGN_OR_RETURN(c.submit, rows.Column("start_time"));
    ASSIGN_OR_RETURN(c.stop, rows.Column("stop_time"));
  } else {
    return rows.Column("submission_time").status();
  }
  return std::make_unique<OpendcTrace>(std::move(rows), c);
}

absl::StatusOr<std::unique_ptr<TraceReader>> NewOpenbTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  OpenbTrace::Columns c;
  ASSIGN_OR_RETURN(c.name, rows.Column("name"));
  ASSIGN_OR_RETURN(c.gpus, rows.Column("num_gpu"));
  ASSIGN_OR_RETURN(c.created, rows.Column("creation_time"));
  ASSIGN_OR_RETURN(c.deleted, rows.Column("deletion_time"));
  ASSIGN_OR_RETURN(c.scheduled, rows.Column("scheduled_time"));
  return SortBySubmission(std::make_unique<OpenbTrace>(std::move(rows), c));
}

}  // namespace ccsched
