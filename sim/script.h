// What happens in a run besides the jobs of its workload: a recorded day.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SCRIPT_H_
#define CCSCHED_SIM_SCRIPT_H_

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/event.h"

namespace ccsched {

// A job of the workload as it was really submitted, and how it really ended.
struct ScriptedJob {
  JobSubmitted submission;  // its shape's placement is not set
  Placement placement;
  Outcome outcome = Outcome::kSucceeded;
  // Its power over that of an accelerator of its pool at work.
  double load = 1;
};

// Takes the place of a scenario's nodes, forecasts and job defaults.
struct Script {
  // Nodes, forecasts, and what people did to jobs; in the order of their times.
  std::vector<std::pair<absl::Time, Event>> events;
  // That of JobId(i + 1), in the order of the workload.
  std::vector<ScriptedJob> jobs;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCRIPT_H_
