// The jobs of a scenario in the order of their submission.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(Workload jobs, LoadWorkload(scenario, {}));
//   ASSIGN_OR_RETURN(auto source, jobs.Open());
//   for (;;) {
//     ASSIGN_OR_RETURN(const SimJob* job, source->Next());
//     if (job == nullptr) break;
//   }
#ifndef CCSCHED_SIM_WORKLOAD_H_
#define CCSCHED_SIM_WORKLOAD_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/base/symbols.h"
#include "sim/scenario.h"

namespace ccsched {

inline constexpr int64_t kForeverUs = std::numeric_limits<int64_t>::max();

// A job to be simulated; times are microseconds since 1970.
struct SimJob {
  std::string id;
  int64_t submit_us = 0;
  int64_t duration_us = 0;            // of useful work, at `count`
  int64_t max_delay_us = kForeverUs;  // kForeverUs: nothing is promised
  uint32_t count = 1;
  uint32_t job_class = 0;  // index into WorkloadSpec::classes
  Symbol user, project, name;

  // The promise: it ends by then.
  int64_t deadline_us() const {
    return max_delay_us > kForeverUs - submit_us - duration_us
               ? kForeverUs
               : submit_us + duration_us + max_delay_us;
  }
};

// Yields jobs in the order of their submission. Not thread safe.
class JobSource {
 public:
  virtual ~JobSource() = default;
  // The next job, valid until the next call; null at the end.
  virtual absl::StatusOr<const SimJob*> Next() = 0;
};

// What a first pass over the jobs has found.
struct WorkloadFacts {
  uint64_t jobs = 0;      // taking part
  uint64_t outside = 0;   // submitted before the start or from the end on
  uint64_t bad_rows = 0;  // passed over, with --skip-bad-rows
  uint64_t left_out = 0;  // no jobs by the rules of the format
  std::vector<std::string> bad_row_samples;  // the first few messages
  uint32_t widest = 0;
  int64_t first_submit_us = 0;
  int64_t last_submit_us = 0;
  double accelerator_hours = 0;
  // By class, over the whole trace, also jobs outside the window.
  std::vector<double> class_mean_us;
};

// Immutable once loaded, and shared by runs in several threads.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual absl::StatusOr<std::unique_ptr<JobSource>> Open() const = 0;
  const WorkloadFacts& facts() const { return facts_; }
  const SymbolTable& symbols() const { return *symbols_; }

 protected:
  WorkloadFacts facts_;
  std::unique_ptr<SymbolTable> symbols_;
};

struct WorkloadOptions {
  // Count them instead of refusing, and take jobs of one id as different ones.
  bool skip_bad_rows = false;
  // Traces of up to so many jobs are kept in memory; a longer one is read
  // again by every run, and sorted on disk if it is not in the order of
  // submission.
  uint64_t jobs_in_memory = 2'000'000;
};

// Reads the scenario's trace once, checking every row and every job.
// Errors: InvalidArgument "file:line: …" for unreadable rows, and for a job id
// that was there before; naming the job for one that could never fit, at no
// pool that it may use.
absl::StatusOr<std::unique_ptr<Workload>> LoadWorkload(
    const Scenario& scenario, const WorkloadOptions& options);

// A workload of the given jobs, which need not be in order; for tests,
// synthetic traces and replays. `symbols` names their users and projects.
std::unique_ptr<Workload> MakeWorkload(std::vector<SimJob> jobs,
                                       const std::vector<JobClassSpec>& classes,
                                       const std::vector<std::string>& symbols);

// Whether a pool so made could hold a job of `count` accelerators: a job wider
// than a node takes whole nodes, a narrower one fits in one.
bool CouldHold(const PoolSize& pool, uint32_t count);

}  // namespace ccsched

#endif  // CCSCHED_SIM_WORKLOAD_H_
