// Runs all policies of a scenario, and its bound, in parallel.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RUN_ALL_H_
#define CCSCHED_SIM_RUN_ALL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"
#include "sim/workload.h"

namespace ccsched {

struct RunAllOptions {
  int threads = 0;
  bool bound = false;
  bool timing = true;
  std::string schedule_dir;  // made if missing; empty: no schedules
  // Another listener of each run, by its index; may give null. Called before
  // the run, from any thread.
  std::function<StretchSink*(size_t run)> sink;
  // Called from any thread, one at a time, when a task is done.
  std::function<void(size_t done, size_t all)> progress;
};

// Takes away what runs that were cut short have written of their schedules.
void RemoveUnfinished(const Scenario& scenario,
                      const std::string& schedule_dir);

// The results in the order of scenario.policies, whatever the threads. Each has
// its saving against the first run of the policy fcfs, if there is one.
// Errors: the first run's, in that order, that failed.
absl::StatusOr<std::vector<SimResult>> RunAll(const Scenario& scenario,
                                              const Workload& workload,
                                              const RunAllOptions& options);

}  // namespace ccsched

#endif  // CCSCHED_SIM_RUN_ALL_H_
