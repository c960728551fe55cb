// Other choices for a training run, and the factor that each would bring.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_WHAT_IF_H_
#define CCSCHED_SCHEDULER_CARBON_WHAT_IF_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/carbon/footprint.h"

namespace ccsched {

// One step from a run to another. Factors are before ÷ after: 5.4 means that
// it emits 5.4 times less.
struct Change {
  std::string what;  // "PUE 1.59 to 1.11"
  TrainingRun run;   // after it
  FootprintResult result;
  double energy_factor = 1, gross_factor = 1, net_factor = 1;
};

// Carries out `changes` one after the other, each on the outcome of the last:
//   pue=1.1, chips=8, days=2, watts=250, gross=300, net=80 (g/kWh): that value
//   datacenter=NAME   the PUE and the intensities of a known datacenter
//   accelerator=NAME  measured, where a known run has this model on it, else
//                     scaled by measured TFLOPS
//   model=NAME        measured, where a known run has it on this accelerator,
//                     else scaled by total FLOPs
//   NAME              all of another known run, step by step
// `known` is where names are looked up. Errors: InvalidArgument or NotFound,
// naming the change.
absl::StatusOr<std::vector<Change>> WhatIf(
    const TrainingRun& base, absl::Span<const std::string> changes,
    absl::Span<const TrainingRun> known);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_WHAT_IF_H_
