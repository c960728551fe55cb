// Readers of the plain CSV traces: philly, gaia and relative.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "scheduler/base/status.h"
#include "sim/csv_rows.h"
#include "sim/trace_readers.h"

namespace ccsched {
namespace {

// Where each value stands in such a file.
struct Columns {
  size_t id = CsvRows::npos;
  size_t submit = CsvRows::npos;
  size_t duration = CsvRows::npos;
  size_t count = CsvRows::npos;
  size_t user = CsvRows::npos;
  size_t project = CsvRows::npos;
};

class CsvTrace : public TraceReader {
 public:
  CsvTrace(CsvRows rows, Columns columns, bool relative)
      : rows_(std::move(rows)), columns_(columns), relative_(relative) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    ASSIGN_OR_RETURN(const bool more, rows_.Next());
    if (!more) return false;
    const Columns& c = columns_;
    if (relative_) {
      ASSIGN_OR_RETURN(job.submit_us, rows_.Micros(c.submit));
    } else {
      ASSIGN_OR_RETURN(job.submit_us, rows_.Time(c.submit));
    }
    ASSIGN_OR_RETURN(job.duration_us, rows_.Micros(c.duration));
    ASSIGN_OR_RETURN(job.count, rows_.Count(c.count));
    Copy(c.user, job.user);
    Copy(c.project, job.project);
    if (c.id == CsvRows::npos) {
      job.id.clear();
      return true;
    }
    if (rows_.Text(c.id).empty()) return rows_.Bad(c.id, "names no job");
    Copy(c.id, job.id);
    return true;
  }
  bool relative() const override { return relative_; }
  std::string Where() const override { return rows_.Where(); }

 private:
  void Copy(size_t column, std::string& to) const {
    if (column == CsvRows::npos) {
      to.clear();
    } else {
      to.assign(rows_.Text(column));
    }
  }

  CsvRows rows_;
  const Columns columns_;
  const bool relative_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewPhillyTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  Columns c;
  ASSIGN_OR_RETURN(c.id, rows.Column("job_id"));
  ASSIGN_OR_RETURN(c.submit, rows.Column("submit_utc"));
  ASSIGN_OR_RETURN(c.duration, rows.Column("duration_s"));
  ASSIGN_OR_RETURN(c.count, rows.Column("gpus"));
  c.user = rows.Find("user");
  c.project = rows.Find("vc");
  return std::make_unique<CsvTrace>(std::move(rows), c, false);
}

absl::StatusOr<std::unique_ptr<TraceReader>> NewGaiaTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  Columns c;
  ASSIGN_OR_RETURN(c.submit, rows.Column("arrival_time"));
  ASSIGN_OR_RETURN(c.duration, rows.Column("length"));
  ASSIGN_OR_RETURN(c.count, rows.Column("cpus"));
  return std::make_unique<CsvTrace>(std::move(rows), c, true);
}

absl::StatusOr<std::unique_ptr<TraceReader>> NewRelativeTrace(
    const std::string& path) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(path));
  Columns c;
  c.id = rows.Find("job_id");
  ASSIGN_OR_RETURN(c.submit, rows.Column("submit_s"));
  ASSIGN_OR_RETURN(c.duration, rows.Column("duration_s"));
  ASSIGN_OR_RETURN(c.count, rows.Column("slots"));
  c.user = rows.Find("user");
  c.project = rows.Find("project");
  return std::make_unique<CsvTrace>(std::move(rows), c, true);
}

}  // namespace ccsched
