// The certified bound of a scenario.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SCENARIO_BOUND_H_
#define CCSCHED_SIM_SCENARIO_BOUND_H_

#include <optional>

#include "absl/status/statusor.h"
#include "scheduler/base/units.h"
#include "sim/scenario.h"
#include "sim/workload.h"

namespace ccsched {

// No schedule of these jobs that keeps capacity and promises emits less, even
// with everything known in advance. It stays true, if less tight, where a
// scenario has more than the bound looks at, for all of that only takes away
// from what a schedule may do, or adds to what it emits: nodes are one pool of
// accelerators, no node fails, and moving costs no bytes. Capacity is what a
// power cap leaves; an hourly PUE is exact. Absent where no schedule keeps all
// promises: the bound then exceeds what the dirtiest schedule could emit.
// Errors: those of CarbonBound.
absl::StatusOr<std::optional<GramsCo2e>> ScenarioBound(
    const Scenario& scenario, const Workload& workload);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SCENARIO_BOUND_H_
