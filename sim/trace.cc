// The list of trace formats.
// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "sim/readers/readers.h"
#include "sim/trace_readers.h"

namespace ccsched {

void TraceJob::Clear() {
  id.clear();
  submit_us = 0;
  duration_us = 0;
  count = 1;
  user.clear();
  project.clear();
  name.clear();
}

absl::Span<const TraceFormat> TraceFormats() {
  static const auto* formats = new std::array<TraceFormat, 9>{{
      {"philly", "job_id, submit_utc, duration_s, gpus, vc (Microsoft Philly)",
       NewPhillyTrace},
      {"gaia", "arrival_time, length, cpus (GAIA's artefact)", NewGaiaTrace},
      {"relative", "job_id, submit_s, duration_s, slots", NewRelativeTrace},
      {"philly-log", "cluster_job_log, a JSON array (Microsoft Philly)",
       NewPhillyLogTrace},
      {"swf", "Standard Workload Format 2.2 (Parallel Workloads Archive)",
       NewSwfTrace},
      {"helios", "cluster_log.csv; also Acme's trace_seren and trace_kalos.csv",
       NewHeliosTrace},
      {"pai", "a folder of pai_job_table.csv, _task_ and _instance_ (Alibaba)",
       NewPaiTrace},
      {"openb", "openb_pod_list_*.csv (Alibaba 2023)", NewOpenbTrace},
      {"opendc", "id, submission_time, duration (ms), cpu_count (SURF, OpenDC)",
       NewOpendcTrace},
  }};
  return *formats;
}

absl::StatusOr<const TraceFormat*> FindTraceFormat(std::string_view name) {
  std::vector<std::string> names;
  for (const TraceFormat& known : TraceFormats()) {
    if (known.name == name) return &known;
    names.emplace_back(known.name);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no trace format \"", ToAbsl(name), "\"", AmongKnown(name, names)));
}

absl::StatusOr<std::unique_ptr<TraceReader>> OpenTrace(
    std::string_view format, const std::string& path) {
  ASSIGN_OR_RETURN(const TraceFormat* const known, FindTraceFormat(format));
  return known->open(path);
}

}  // namespace ccsched
