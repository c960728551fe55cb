// Tells where the gap between a plan and the bound lies.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_POLICIES_PLANNER_LAB_ANATOMY_H_
#define CCSCHED_TESTS_POLICIES_PLANNER_LAB_ANATOMY_H_

#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "tests/policies/planner/lab_live.h"

namespace ccsched {

// Prints the gap by the size of jobs, by pool and by day. With the bound's
// prices it is exactly
//   sum over jobs of (what its plan costs - what its cheapest would)
//   + sum over slots of price * room left unused.
void PrintAnatomy(const PlanInstance& plan, const PriceTable& priced,
                  const std::vector<double>& prices, const LiveResult& live,
                  double bound);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_POLICIES_PLANNER_LAB_ANATOMY_H_
