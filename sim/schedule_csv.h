// Writes a schedule as CSV, one row for each stretch of running.
// SPDX-License-Identifier: Apache-2.0
//
// job_id,segment,site,accelerator,count,start,end,overhead_s,co2e_g,lost_s:
// start and end RFC 3339 UTC with microseconds, half-open; overhead_s the part
// of it spent on checkpoint or restart; co2e_g with that of the bytes that were
// moved for it; lost_s the useful work (of this row and, for an elastic job, of
// earlier ones of its attempt) that a node's failure undid. Rows come in the
// order of their ends.
#ifndef CCSCHED_SIM_SCHEDULE_CSV_H_
#define CCSCHED_SIM_SCHEDULE_CSV_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/scenario.h"
#include "sim/stretch.h"

namespace ccsched {

// Appends "2021-10-03T00:00:00.000000Z".
void AppendMicros(int64_t us, std::string& out);
// Appends the shortest text that reads as the same double.
void AppendDouble(double value, std::string& out);

// The file has its name when all of it is written: until then, and if it never
// comes to that, it is PATH.part.
class ScheduleCsv : public StretchSink {
 public:
  // Errors: FailedPrecondition naming the file if it can't be written.
  static absl::StatusOr<std::unique_ptr<ScheduleCsv>> Create(
      const std::string& path, const Topology& topology);
  ~ScheduleCsv() override;
  static std::string PartOf(const std::string& path);

  void OnStretch(const JobStretch& stretch) override;
  // REQUIRES: called once, at the end. Errors: as above.
  absl::Status Close();

 private:
  ScheduleCsv(std::string path, std::FILE* file, const Topology& topology);
  void Flush();

  const std::string path_;
  std::FILE* file_;
  const Topology& topology_;
  std::string buffer_;
  bool failed_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCHEDULE_CSV_H_
