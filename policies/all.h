// What each policy's file offers the registry: its specification.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_ALL_H_
#define CCSCHED_POLICIES_ALL_H_

#include "policies/policy.h"

namespace ccsched {

PolicySpec FcfsPolicy();
PolicySpec EasyBackfillPolicy();
PolicySpec LowestCarbonNowPolicy();
PolicySpec LowestSlotPolicy();
PolicySpec LowestWindowPolicy();
PolicySpec CarbonTimePolicy();
PolicySpec WaitAwhilePolicy();
PolicySpec EcovisorPolicy();
PolicySpec CarbonScalerPolicy();
PolicySpec CapacityCurvePolicy();
PolicySpec ThresholdPolicy();
PolicySpec PlannerPolicy();

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_ALL_H_
