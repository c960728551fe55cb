// The widths of an elastic job that a bound has to look at.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SPEED_CORNERS_H_
#define CCSCHED_SIM_SPEED_CORNERS_H_

#include <cstdint>

#include "policies/planner/instance.h"
#include "scheduler/model/speedup.h"

namespace ccsched {

// The corners of a polygon that holds each whole width from `least` to `most`
// of a job of `count` accelerators, with its speed there. Only those that can
// be best: none that others, or for a job that may pause others and a pause,
// outdo at every price. What is left out is no loss, but that where there are
// more than a few widths a formula's speeds are rounded up (LineAbove).
// REQUIRES: 0 < least <= most, count > 0.
WidthCorners SpeedCorners(const Speedup& speedup, uint32_t count,
                          uint32_t least, uint32_t most, bool may_pause);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SPEED_CORNERS_H_
