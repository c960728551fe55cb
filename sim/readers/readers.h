// Readers of traces in their publishers' own formats; use OpenTrace.
// SPDX-License-Identifier: Apache-2.0
//
// All of them stream: memory does not grow with the trace. Those whose files
// are not in the order of submission sort on disk (see sorted_trace.h).
// Rows that are no jobs here (never started, still running, no accelerator)
// are counted by TraceReader::left_out.
#ifndef CCSCHED_SIM_READERS_READERS_H_
#define CCSCHED_SIM_READERS_READERS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sim/trace.h"

namespace ccsched {

// The Philly cluster's original `cluster_job_log`, a JSON array of jobs with
// their attempts. A job's duration is the time of all its attempts together,
// its count the accelerators of the first. Its clock has no zone and is taken
// as US Pacific. Left out: jobs with no attempt, or with an attempt whose
// beginning or end was not logged. Sorted on disk; exact duplicates dropped.
// Source: Jeon et al., USENIX ATC'19; msr-fiddle/philly-traces.
absl::StatusOr<std::unique_ptr<TraceReader>> NewPhillyLogTrace(
    const std::string& path);

// Standard Workload Format 2.2. Allocated processors, or the requested ones
// where those are missing. Absolute if the header gives UnixStartTime,
// relative if not. Left out: jobs that never ran (-1), and lines of status 2,
// 3 and 4, the parts of a job that has a line for the whole of it.
// Source: Feitelson, the Parallel Workloads Archive.
absl::StatusOr<std::unique_ptr<TraceReader>> NewSwfTrace(
    const std::string& path);

// Helios' cluster_log.csv and Acme's trace_seren.csv and trace_kalos.csv.
// Times without a zone are China's (UTC+8). The duration is the end less the
// start: Kalos' own includes the queue. Left out: jobs that never started, and
// jobs without a GPU. Source: Hu et al., SC'21 and NSDI'24.
absl::StatusOr<std::unique_ptr<TraceReader>> NewHeliosTrace(
    const std::string& path);

// Alibaba PAI 2020: a folder with pai_job_table.csv, pai_task_table.csv and, if
// it is there, pai_instance_table.csv (or .csv.gz; with a header or without),
// or the path of the job table among them. GPUs: the tasks' instances times
// their planned share, added up and rounded up to whole ones. Duration: from
// the first start to the last end of the instances of tasks with GPUs; of
// those tasks, where no instance is known. Times are read as Unix time, which
// keeps hour and weekday as they were; the year is 1970: shift by whole weeks.
// Joined and sorted on disk. Source: Weng et al., NSDI'22.
absl::StatusOr<std::unique_ptr<TraceReader>> NewPaiTrace(
    const std::string& path);

// Alibaba's openb_pod_list_*.csv of 2023: runs from its scheduling to its
// deletion; a share of a GPU counts as one. Left out: pods without a GPU, and
// those never scheduled. Sorted on disk. Source: Weng et al., ATC'23.
absl::StatusOr<std::unique_ptr<TraceReader>> NewOpenbTrace(
    const std::string& path);

// OpenDC's table of tasks, such as SURF Lisa's, as CSV: id, submission_time
// and duration in milliseconds, cpu_count. Older tables have start_time and
// stop_time instead. Source: Mastenbroek et al., CCGrid'21.
absl::StatusOr<std::unique_ptr<TraceReader>> NewOpendcTrace(
    const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SIM_READERS_READERS_H_
