// Reads the metrics page of a DCGM exporter.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_DCGM_TEXT_H_
#define CCSCHED_AGENT_DCGM_TEXT_H_

#include <string_view>
#include <vector>

#include "agent/meter.h"

namespace ccsched {

// A reading for each `gpu` label, from 0 to the highest seen. Blanks, which
// DCGM writes as huge numbers, and instances of a cut device are left out.
// Prefers DCGM_FI_PROF_SM_ACTIVE to DCGM_FI_DEV_GPU_UTIL.
// Source: DCGM field identifiers and dcgm_fields.h (blank values).
std::vector<DeviceReading> ParseDcgm(std::string_view text);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_DCGM_TEXT_H_
