// Reads Alibaba's PAI trace of 2020, joining its tables of jobs, tasks and
// instances.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "sim/csv_rows.h"
#include "sim/readers/readers.h"
#include "sim/readers/sorted_trace.h"
#include "sim/readers/stamps.h"

namespace ccsched {
namespace {

// The tables, with their columns; the files may lack the header. Which of them
// are kept, in this order, for the join.
struct Table {
  const char* name;
  std::vector<std::string_view> columns;
  std::vector<size_t> kept;
};
const std::array<Table, 3>& Tables() {
  static const auto* tables = new std::array<Table, 3>{{
      {"pai_job_table",
       {"job_name", "inst_id", "user", "status", "start_time", "end_time"},
       {2, 4}},
      {"pai_task_table",
       {"job_name", "task_name", "inst_num", "status", "start_time", "end_time",
        "plan_cpu", "plan_mem", "plan_gpu", "gpu_type"},
       {1, 2, 8, 4, 5}},
      {"pai_instance_table",
       {"job_name", "task_name", "inst_name", "worker_name", "inst_id",
        "status", "start_time", "end_time", "machine"},
       {1, 6, 7}},
  }};
  return *tables;
}

std::vector<std::string_view> SplitFields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// A row of a table as it came out of the join.
struct Row {
  char table = 0;
  int64_t line = 0;
  std::vector<std::string> fields;  // the kept ones
};

// A job of more rows is none: it is kept in memory, and its tasks are compared
// with each other.
constexpr size_t kRowsMax = 1'000'000;
constexpr size_t kTasksMax = 10'000;

// From the first start to the last end of several stretches.
struct Span {
  std::optional<double> start, end;
  void Add(double from, double to) {
    start = std::min(start.value_or(from), from);
    end = std::max(end.value_or(to), to);
  }
};

class PaiTrace : public TraceReader {
 public:
  // `files`: of the tables, in their order; one that is not there is empty.
  explicit PaiTrace(std::array<std::string, 3> files)
      : files_(std::move(files)) {}

  absl::Status OpenTable() {
    ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(files_[table_]));
    lines_.emplace(std::move(lines));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(TraceJob& job) override {
    while (table_ < files_.size()) RETURN_IF_ERROR(ReadTables());
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, NextGroup());
      if (!more) return false;
      ASSIGN_OR_RETURN(const bool is_job, Join(job));
      if (is_job) return true;
      ++left_out_;
    }
  }
  bool relative() const override { return false; }
  std::string Where() const override {
    const size_t table = std::min(table_, files_.size() - 1);
    return reading_ && lines_ ? absl::StrCat(files_[table], ":", lines_->line())
                              : absl::StrCat(files_[0], ":", job_line_);
  }
  uint64_t left_out() const override { return left_out_; }

 private:
  // Puts the rows of all tables into the sort. Stops at each bad one.
  absl::Status ReadTables() {
    while (table_ < files_.size()) {
      if (!files_[table_].empty()) {
        if (!lines_) RETURN_IF_ERROR(OpenTable());
        std::string_view line;
        for (;;) {
          ASSIGN_OR_RETURN(const bool more, lines_->Next(line));
          if (!more) break;
          if (!line.empty()) RETURN_IF_ERROR(AddRow(line));
        }
      }
      lines_.reset();
      ++table_;
    }
    reading_ = false;
    RETURN_IF_ERROR(sort_.Finish());
    return ReadRow();
  }

  absl::Status AddRow(std::string_view line) {
    const Table& table = Tables()[table_];
    const std::vector<std::string_view> fields = SplitFields(line);
    if (fields.size() != table.columns.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Where(), ": ", fields.size(), " fields, ", table.name,
                       " has ", table.columns.size()));
    }
    if (lines_->line() == 1 && fields == table.columns) return absl::OkStatus();
    if (fields[0].empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Where(), ": job_name is empty"));
    }
    // Sorted by job, then table, then as they stood.
    std::string key(fields[0]);
    key += '\0';
    key += static_cast<char>('0' + table_);
    std::string value = absl::StrCat(lines_->line());
    for (const size_t column : table.kept) {
      value += ',';
      value += fields[column];
    }
    return sort_.Add(key, value);
  }

  // Moves to the next row of the join.
  absl::Status ReadRow() {
    ASSIGN_OR_RETURN(more_rows_, sort_.Next());
    if (!more_rows_) return absl::OkStatus();
    row_job_.assign(sort_.key().substr(0, sort_.key().size() - 2));
    row_.table = sort_.key().back();
    row_.fields.clear();
    for (const std::string_view field : SplitFields(sort_.value())) {
      row_.fields.emplace_back(field);
    }
    const std::string& line = row_.fields[0];
    std::from_chars(line.data(), line.data() + line.size(), row_.line);
    row_.fields.erase(row_.fields.begin());
    return absl::OkStatus();
  }

  // Gathers the rows of one job.
  absl::StatusOr<bool> NextGroup() {
    if (!more_rows_) return false;
    job_name_ = row_job_;
    jobs_.clear();
    tasks_.clear();
    instances_.clear();
    too_many_ = false;
    while (more_rows_ && row_job_ == job_name_) {
      std::vector<Row>& rows = row_.table == '0'   ? jobs_
                               : row_.table == '1' ? tasks_
                                                   : instances_;
      too_many_ |= rows.size() >= (row_.table == '1' ? kTasksMax : kRowsMax);
      if (!too_many_) rows.push_back(std::move(row_));
      row_ = Row();
      RETURN_IF_ERROR(ReadRow());
    }
    return true;
  }

  absl::Status Bad(const Row& row, size_t column, const char* what) const {
    const size_t table = row.table - '0';
    return absl::InvalidArgumentError(absl::StrCat(
        files_[table], ":", row.line, ": ",
        ToAbsl(Tables()[table].columns[Tables()[table].kept[column]]), " \"",
        row.fields[column], "\" ", what));
  }

  // A number; absent where nothing is given.
  absl::StatusOr<std::optional<double>> Number(const Row& row,
                                               size_t column) const {
    const std::string& text = row.fields[column];
    if (IsMissing(text)) return std::optional<double>();
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() ||
        !(value >= 0 && value < 1e11)) {
      return Bad(row, column, "is not a number of zero or more");
    }
    return std::optional<double>(value);
  }

  // Adds the stretch in columns `at` and `at + 1`; 0 stands for unknown.
  absl::Status AddSpan(const Row& row, size_t at, Span& span) const {
    ASSIGN_OR_RETURN(const std::optional<double> start, Number(row, at));
    ASSIGN_OR_RETURN(const std::optional<double> end, Number(row, at + 1));
    if (!start || !end || *start == 0 || *end == 0) return absl::OkStatus();
    if (*end < *start) return Bad(row, at + 1, "is before start_time");
    span.Add(*start, *end);
    return absl::OkStatus();
  }

  // Makes one job of the group. False if it is none.
  absl::StatusOr<bool> Join(TraceJob& job) {
    if (jobs_.empty() || tasks_.empty()) return false;
    job_line_ = jobs_[0].line;
    if (too_many_) {
      return absl::InvalidArgumentError(
          absl::StrCat(files_[0], ":", job_line_, ": job ", job_name_,
                       " has too many tasks or instances to be one"));
    }
    for (const Row& other : jobs_) {
      if (other.fields != jobs_[0].fields) {
        return absl::InvalidArgumentError(absl::StrCat(
            files_[0], ":", other.line, ": job ", job_name_, " is in line ",
            jobs_[0].line, " already, and differs"));
      }
    }
    left_out_ += jobs_.size() - 1;
    ASSIGN_OR_RETURN(const std::optional<double> submit, Number(jobs_[0], 1));
    double gpus = 0;
    Span span;
    RETURN_IF_ERROR(AddTasks(gpus, span));
    if (!submit || *submit == 0 || gpus == 0 || !span.start) return false;
    if (gpus > (1 << 30)) {
      return Bad(tasks_[0], 2, "is more GPUs than there can be");
    }
    job.Clear();
    job.id = job_name_;
    job.user = jobs_[0].fields[0];
    job.submit_us = std::llround(*submit * 1e6);
    job.duration_us = std::llround((*span.end - *span.start) * 1e6);
    job.count = static_cast<uint32_t>(std::ceil(gpus - 1e-9));
    return true;
  }

  // The GPUs that the tasks planned, and when they ran.
  absl::Status AddTasks(double& gpus, Span& span) const {
    Span of_tasks, of_instances;
    std::vector<std::string_view> with_gpus;
    for (size_t i = 0; i < tasks_.size(); ++i) {
      const Row& task = tasks_[i];
      const auto same = [&](const Row& r) { return r.fields == task.fields; };
      const auto here = tasks_.begin() + static_cast<ptrdiff_t>(i);
      if (std::any_of(tasks_.begin(), here, same)) continue;
      ASSIGN_OR_RETURN(const std::optional<double> instances, Number(task, 1));
      ASSIGN_OR_RETURN(const std::optional<double> plan, Number(task, 2));
      const double wanted = instances.value_or(0) * plan.value_or(0) / 100;
      if (wanted == 0) continue;
      gpus += wanted;
      with_gpus.push_back(task.fields[0]);
      RETURN_IF_ERROR(AddSpan(task, 3, of_tasks));
    }
    for (const Row& instance : instances_) {
      if (std::find(with_gpus.begin(), with_gpus.end(), instance.fields[0]) !=
          with_gpus.end()) {
        RETURN_IF_ERROR(AddSpan(instance, 1, of_instances));
      }
    }
    span = of_instances.start ? of_instances : of_tasks;
    return absl::OkStatus();
  }

  const std::array<std::string, 3> files_;
  size_t table_ = 0;  // being read
  std::optional<LineReader> lines_;
  bool reading_ = true;
  ExternalSort sort_;

  bool more_rows_ = false;
  Row row_;  // the next one of the join, of job row_job_
  std::string row_job_;
  std::string job_name_;
  int64_t job_line_ = 0;
  std::vector<Row> jobs_, tasks_, instances_;
  bool too_many_ = false;  // rows of this job
  uint64_t left_out_ = 0;
};

// The table's file, plain or gzip; empty if there is none.
std::string FileOf(const std::filesystem::path& folder, const char* table) {
  for (const char* ending : {".csv", ".csv.gz"}) {
    const std::filesystem::path file = folder / (std::string(table) + ending);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) return file.string();
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceReader>> NewPaiTrace(
    const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path folder =
      std::filesystem::is_directory(path, ignored)
          ? std::filesystem::path(path)
          : std::filesystem::path(path).parent_path();
  std::array<std::string, 3> files;
  for (size_t i = 0; i < files.size(); ++i) {
    files[i] = FileOf(folder, Tables()[i].name);
    const bool needed = i < 2;
    if (files[i].empty() && needed) {
      return absl::NotFoundError(
          absl::StrCat((folder / Tables()[i].name).string(),
                       ".csv: not there (unpack the .tar.gz first)"));
    }
  }
  auto trace = std::make_unique<PaiTrace>(std::move(files));
  RETURN_IF_ERROR(trace->OpenTable());
  return SortBySubmission(std::move(trace));
}

}  // namespace ccsched
