// What a plan emits.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_POLICIES_PLANNER_GRAMS_H_
#define CCSCHED_TESTS_POLICIES_PLANNER_GRAMS_H_

#include <cstddef>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"

namespace ccsched {

// Of all jobs, each at its place.
inline double Grams(const PlanInstance& plan, const Schedule& schedule) {
  const PriceTable carbon(plan);
  double grams = 0;
  for (size_t j = 0; j < plan.jobs.size(); ++j) {
    const Schedule::Place& place = schedule.place(j);
    grams += plan.jobs[j].count *
             carbon.Between(place.pool, place.start,
                            place.start + plan.jobs[j].duration);
  }
  return grams;
}

}  // namespace ccsched

#endif  // CCSCHED_TESTS_POLICIES_PLANNER_GRAMS_H_
