// MLPerf Training power: the energy of a node from its power log, and the log.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_MLPERF_H_
#define CCSCHED_SCHEDULER_CARBON_MLPERF_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/units.h"

namespace ccsched {

struct PowerReading {
  absl::Time at;  // the power since the reading before
  Watts power;
};

// One node_k.txt. Source: MLCommons Training policies, power measurement.
struct MlperfNode {
  absl::Time start, stop;
  std::vector<PowerReading> readings;
  double conversion_efficiency = 1;
  Watts interconnect;  // estimated share of the network
};

// Energy of the node: Σ power × time since the reading before (the first one
// since the start), times the conversion efficiency, brought from the measured
// span to the time to train. Errors: InvalidArgument for readings out of order
// or outside [start, stop], or none.
absl::StatusOr<Joules> MlperfEnergy(const MlperfNode& node,
                                    absl::Duration time_to_train);

// The lines of node_k.txt: ":::MLLOG {json}" each, keys
// power_measurement_start, power_reading, conversion_eff,
// interconnect_power_est, power_measurement_stop.
std::string MlperfLog(const MlperfNode& node);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_MLPERF_H_
