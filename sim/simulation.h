// Plays one scenario by one policy through the scheduler's own engine.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(SimResult result,
//                    Simulate(scenario, *workload, scenario.policies[0], {}));
#ifndef CCSCHED_SIM_SIMULATION_H_
#define CCSCHED_SIM_SIMULATION_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "policies/policy.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/script.h"
#include "sim/stretch.h"
#include "sim/workload.h"

namespace ccsched {

struct SimulationOptions {
  // Is told of every stretch and job, in the order of their ends. Not owned.
  StretchSink* sink = nullptr;
  bool keep_nodes = false;         // stretches name their nodes
  bool timing = true;              // measure decide_cpu and cpu
  const Script* script = nullptr;  // a recorded day; not owned
  // In place of the registry's policy of that name; for tests.
  std::function<std::unique_ptr<Policy>()> make_policy;
};

// Deterministic: the same arguments give the same figures (but for CPU times)
// and the same calls of the sink, in any thread. Events of one instant are one
// step of the engine. The run goes on until the last job has ended; jobs that
// can't end (none runs, no more data) count as unfinished, as does what the
// horizon cuts off.
// Errors: NotFound or InvalidArgument for the policy; OutOfRange naming the job
// and the region if a job runs beyond the end of a series; Internal if the
// engine refuses an event or a policy never lets time go on.
absl::StatusOr<SimResult> Simulate(const Scenario& scenario,
                                   const Workload& workload,
                                   const PolicyRun& policy,
                                   const SimulationOptions& options);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SIMULATION_H_
