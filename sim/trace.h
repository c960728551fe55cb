// Job traces as they are published, read one job at a time.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(auto reader, OpenTrace("philly", "jobs.csv"));
//   TraceJob job;
//   for (;;) {
//     ASSIGN_OR_RETURN(const bool more, reader->Next(job));
//     if (!more) break;
//   }
//
// A new format is one file with a class in an unnamed namespace and a factory
// `NewXTrace`, and one row in trace.cc. A trace is never held in memory by its
// reader.
#ifndef CCSCHED_SIM_TRACE_H_
#define CCSCHED_SIM_TRACE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ccsched {

// A job as a trace has it.
struct TraceJob {
  std::string id;  // empty: the trace has none
  int64_t submit_us =
      0;  // since 1970, or since the start: TraceReader::relative
  int64_t duration_us = 0;
  uint32_t count = 1;               // accelerators (or what the trace counts)
  std::string user, project, name;  // empty: not said

  void Clear();
};

// Not thread safe.
class TraceReader {
 public:
  virtual ~TraceReader() = default;
  // Reads the next job into `job`; false at the end of the trace.
  // Errors: InvalidArgument "file:line: …" for a row that can't be read, after
  // which reading may go on with the next one; any other code ends it.
  virtual absl::StatusOr<bool> Next(TraceJob& job) = 0;
  // Whether times count from the trace's own beginning.
  virtual bool relative() const = 0;
  // "file:line" of the job that Next read last.
  virtual std::string Where() const = 0;
  // Rows that are not jobs by the format's own rules (never run, say).
  virtual uint64_t left_out() const { return 0; }
};

struct TraceFormat {
  std::string_view name;
  std::string_view summary;  // one line: columns and source
  std::function<absl::StatusOr<std::unique_ptr<TraceReader>>(
      const std::string& path)>
      open;
};
// All formats, in the order in which they are listed to people.
absl::Span<const TraceFormat> TraceFormats();
// Errors: InvalidArgument naming the formats if there is none of this name.
absl::StatusOr<const TraceFormat*> FindTraceFormat(std::string_view name);

// Opens a trace (gzip or plain). Errors: InvalidArgument naming the formats if
// there is none of this name; NotFound if the file can't be read;
// InvalidArgument "file:1: …" if a column is missing.
absl::StatusOr<std::unique_ptr<TraceReader>> OpenTrace(std::string_view format,
                                                       const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SIM_TRACE_H_
