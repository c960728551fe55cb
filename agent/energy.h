// The modelled meter: power from the measured use of processors.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_ENERGY_H_
#define CCSCHED_AGENT_ENERGY_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "agent/attempt_book.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/base/units.h"

namespace ccsched {

// How far an attempt's energy has been counted.
struct UseMark {
  absl::Time until;    // the cluster's time
  int64_t cpu_ns = 0;  // CPU time of all of its processes up to then, real
};

// What a modelled sample is computed from.
struct ModelledUse {
  UseMark from;
  UseMark to;
  absl::Duration real;  // real time between the two
  uint32_t count = 0;   // accelerators
  Watts idle;           // of one
  Watts active;
};

// CPU time over real time and accelerators, in [0, 1]; nothing if no time
// passed.
std::optional<double> Utilisation(const ModelledUse& use);

// Power is linear in use, as CPU-bound load is measured to be within a few
// percent: idle + utilisation x (active - idle), for each accelerator.
// `method` is "modelled", or "estimated" if `utilisation` is not of this
// stretch of time.
// Source: Fan, Weber, Barroso, "Power provisioning for a warehouse-sized
// computer", ISCA 2007, section 2.3 (the linear model).
v1::EnergySample ModelledSample(AttemptId id, const ModelledUse& use,
                                double utilisation, const char* method);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_ENERGY_H_
