// Small trace files for the readers' tests, and reading them to the end.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_SIM_READERS_TRACE_FILES_H_
#define CCSCHED_TESTS_SIM_READERS_TRACE_FILES_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sim/trace.h"

namespace ccsched {

// A directory of files that goes with its test.
class TraceFiles {
 public:
  TraceFiles() {
    std::string pattern = testing::TempDir() + "/ccsched-trace-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TraceFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  std::string WriteGzip(const std::string& name,
                        const std::string& text) const {
    const std::string file = path_ + "/" + name;
    gzFile out = gzopen(file.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return file;
  }

 private:
  std::string path_;
};

struct ReadTrace {
  std::vector<TraceJob> jobs;
  std::vector<std::string> wheres;  // of the jobs
  std::vector<std::string> bad;     // messages of the rows passed over
  absl::Status end;                 // what ended it, if not its end
  uint64_t left_out = 0;
  bool relative = false;
};

// Reads to the end, passing over bad rows.
inline ReadTrace ReadAll(absl::StatusOr<std::unique_ptr<TraceReader>> opened) {
  ReadTrace result;
  if (!opened.ok()) {
    result.end = opened.status();
    return result;
  }
  TraceReader& reader = **opened;
  TraceJob job;
  for (;;) {
    const absl::StatusOr<bool> more = reader.Next(job);
    if (more.ok() && *more) {
      result.jobs.push_back(job);
      result.wheres.push_back(reader.Where());
    } else if (absl::IsInvalidArgument(more.status())) {
      result.bad.emplace_back(more.status().message());
    } else {
      result.end = more.status();
      break;
    }
  }
  result.left_out = reader.left_out();
  result.relative = reader.relative();
  return result;
}

// "id submit+duration xcount user/project/name", times in seconds.
inline std::string Line(const TraceJob& job) {
  return absl::StrCat(job.id, " ", job.submit_us / 1e6, "+",
                      job.duration_us / 1e6, " x", job.count, " ", job.user,
                      "/", job.project, "/", job.name);
}
inline std::vector<std::string> Lines(const ReadTrace& trace) {
  std::vector<std::string> lines;
  for (const TraceJob& job : trace.jobs) lines.push_back(Line(job));
  return lines;
}
// "2017-10-07T08:11:39Z" of a job's submission.
inline std::string SubmittedAt(const TraceJob& job) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                          absl::FromUnixMicros(job.submit_us),
                          absl::UTCTimeZone());
}

}  // namespace ccsched

#endif  // CCSCHED_TESTS_SIM_READERS_TRACE_FILES_H_
