// `ccsched sim gen`.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/time.h"
#include "sim/command.h"
#include "sim/schedule_csv.h"
#include "sim/synthetic.h"

namespace ccsched {
namespace {

// "2021-10-03T00:00:00Z": traces count in whole seconds.
void AppendSecond(int64_t us, std::string& out) {
  AppendMicros(us, out);
  out.resize(out.size() - 8);
  out += 'Z';
}

absl::Status WriteJobs(const SimGenOptions& options, absl::Time start,
                       std::ostream& out) {
  SyntheticJobsOptions jobs{
      .jobs = options.jobs, .days = options.days, .seed = options.seed};
  if (!options.profile.empty()) jobs.profile = options.profile;
  ASSIGN_OR_RETURN(SyntheticJobs source, SyntheticJobs::Create(jobs));
  const int64_t start_us = absl::ToUnixMicros(start);
  std::string text = "job_id,submit_utc,duration_s,gpus,vc\n";
  TraceJob job;
  while (source.Next(job)) {
    absl::StrAppend(&text, job.id, ",");
    AppendSecond(start_us + job.submit_us, text);
    absl::StrAppend(&text, ",", job.duration_us / 1'000'000, ",", job.count,
                    ",", job.project, "\n");
    if (text.size() < size_t{1} << 16) continue;
    out << text;
    text.clear();
  }
  out << text;
  return absl::OkStatus();
}

absl::Status WriteGrid(const SimGenOptions& options, absl::Time start,
                       std::ostream& out) {
  const std::string profile =
      options.profile.empty() ? "solar" : options.profile;
  const int64_t hours = std::llround(options.days * 24);
  if (hours < 1 || hours > int64_t{24} * 36'500) {
    return absl::InvalidArgumentError(
        absl::StrCat("--days ", options.days, ": 1 hour to 36,500 days"));
  }
  ASSIGN_OR_RETURN(const StepSeries series,
                   SyntheticGrid(profile, start, hours, options.seed));
  std::string text = "utc,ci_lca\n";
  int64_t us = absl::ToUnixMicros(start);
  for (const double value : series.values()) {
    AppendSecond(us, text);
    text += ',';
    AppendDouble(value, text);
    text += '\n';
    us += 3'600'000'000;
  }
  out << text;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> RunSimGenCommand(const SimGenOptions& options,
                                     std::ostream& out, std::ostream& err) {
  ASSIGN_OR_RETURN(const absl::Time start, ParseRfc3339(options.start));
  const bool jobs = options.kind == "jobs";
  if (!jobs && options.kind != "grid") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", options.kind, "\" is not jobs or grid"));
  }
  const auto write = jobs ? WriteJobs : WriteGrid;
  if (options.file.empty()) {
    RETURN_IF_ERROR(write(options, start, out));
    return 0;
  }
  std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
  if (!file) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.file, ": can't be written"));
  }
  const LastWords last_words(
      options.on_interrupt, [&path = options.file]() -> std::string {
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored)) return "";
        std::filesystem::remove(path, ignored);
        return path + " was not finished and is gone again";
      });
  RETURN_IF_ERROR(write(options, start, file));
  file.close();
  if (!file) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.file, ": could not be written to its end"));
  }
  err << "wrote " << options.file << (jobs ? " (format: philly)\n" : "\n");
  return 0;
}

}  // namespace ccsched
