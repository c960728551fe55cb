// A file of forecasts as they were issued, each row with its time of issue.
// SPDX-License-Identifier: Apache-2.0
#include "sim/issued_forecasts.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/forecast.h"
#include "sim/csv_rows.h"

namespace ccsched {
namespace {

class IssuedReader {
 public:
  IssuedReader(RegionId region, CsvRows rows, absl::Time start)
      : region_(region), rows_(std::move(rows)), start_(start) {}

  absl::StatusOr<std::vector<ForecastIssue>> Read(const IssuedFile& file) {
    ASSIGN_OR_RETURN(const size_t issued, rows_.Column(file.issued));
    ASSIGN_OR_RETURN(const size_t utc, rows_.Column(file.utc));
    ASSIGN_OR_RETURN(const size_t value, rows_.Column(file.value));
    const int64_t offset = absl::ToInt64Microseconds(file.offset);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows_.Next());
      if (!more) break;
      ASSIGN_OR_RETURN(const int64_t at, rows_.Time(issued));
      if (values_.empty() || at != issued_us_) {
        RETURN_IF_ERROR(Close());
        if (!issues_.empty() && at <= issued_us_) {
          return rows_.Bad(issued, "is not after the issue before it");
        }
        issued_us_ = at;
      }
      ASSIGN_OR_RETURN(const int64_t time, rows_.Time(utc));
      RETURN_IF_ERROR(Place(time + offset, utc));
      ASSIGN_OR_RETURN(const double grams, rows_.Number(value));
      if (!(grams >= 0)) return rows_.Bad(value, "is negative");
      values_.push_back(grams);
    }
    RETURN_IF_ERROR(Close());
    if (!issues_.empty() && issues_.front().at <= start_) return Taken();
    return absl::InvalidArgumentError(
        absl::StrCat(file.path, ": no forecast was issued by the start, ",
                     absl::FormatTime(start_, absl::UTCTimeZone())));
  }

 private:
  // The row's time has to follow the one before it by the issue's step.
  absl::Status Place(int64_t time, size_t column) {
    if (values_.empty()) {
      first_us_ = time;
      step_us_ = 0;
    } else if (values_.size() == 1) {
      step_us_ = time - first_us_;
    }
    const int64_t expected =
        first_us_ + static_cast<int64_t>(values_.size()) * step_us_;
    if (values_.empty() || (step_us_ > 0 && time == expected)) {
      return absl::OkStatus();
    }
    return rows_.Bad(column, "does not follow the row before it by a step");
  }

  // The issue is complete.
  absl::Status Close() {
    if (values_.empty()) return absl::OkStatus();
    const absl::Duration step =
        step_us_ > 0 ? absl::Microseconds(step_us_) : absl::Hours(1);
    ASSIGN_OR_RETURN(StepSeries series,
                     StepSeries::Create(absl::FromUnixMicros(first_us_), step,
                                        std::move(values_)));
    values_.clear();
    const absl::Time at = absl::FromUnixMicros(issued_us_);
    issues_.push_back(
        {at, region_, std::make_shared<const Forecast>(at, std::move(series))});
    return absl::OkStatus();
  }

  // Of those from before the start only what may still reach beyond it.
  std::vector<ForecastIssue> Taken() {
    std::vector<ForecastIssue> taken;
    for (ForecastIssue& issue : issues_) {
      if (issue.at <= start_ && issue.forecast->series().end() <= start_) {
        continue;
      }
      issue.at = std::max(issue.at, start_);
      taken.push_back(std::move(issue));
    }
    return taken;
  }

  const RegionId region_;
  CsvRows rows_;
  const absl::Time start_;
  std::vector<ForecastIssue> issues_;
  int64_t issued_us_ = 0, first_us_ = 0, step_us_ = 0;
  std::vector<double> values_;
};

}  // namespace

absl::StatusOr<std::vector<ForecastIssue>> ReadIssuedForecasts(
    RegionId region, const IssuedFile& file, absl::Time start) {
  ASSIGN_OR_RETURN(CsvRows rows, CsvRows::Open(file.path));
  return IssuedReader(region, std::move(rows), start).Read(file);
}

}  // namespace ccsched
