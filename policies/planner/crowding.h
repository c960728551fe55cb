// Where so much must be done soon that nobody should pause.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_CROWDING_H_
#define CCSCHED_POLICIES_PLANNER_CROWDING_H_

#include <cstdint>
#include <vector>

#include "policies/planner/plan_book.h"

namespace ccsched {

// Each pause takes room for its overheads, and what pauses is to come back: in
// a cluster that is full that makes others miss their promises. So the jobs of
// a placement are crowded, for a day, where those that can run only there must
// do so much within two days, to keep their promises, that their pools will
// hardly hold it (the energetic test of cumulative scheduling: Baptiste, Le
// Pape, Nuijten, Constraint-Based Scheduling, 2001, ch. 3). What is planned is
// no measure: a job that has its pool to itself fills it.
class Crowding {
 public:
  // To be told of each new plan.
  void Look(const PlanBook& plan, int64_t now);
  // Whether jobs of that placement may pause.
  bool MayPause(uint32_t placement, int64_t now) const;

 private:
  std::vector<int64_t> until_;  // by placement
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_CROWDING_H_
