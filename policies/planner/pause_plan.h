// A plan in stretches for a job that may be suspended, where there is room.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PAUSE_PLAN_H_
#define CCSCHED_POLICIES_PLANNER_PAUSE_PLAN_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"
#include "policies/planner/stretch_response.h"

namespace ccsched {

// When a job is to pause.
struct PauseOptions {
  // Pauses must save such a share of what running on costs.
  double least_gain = 0;
  // Each taking up again is taken to cost so many times the worth of its
  // overheads beyond them: the room that is planned for it may be another's by
  // then, and what an hour is cheaper than the next is partly a guess.
  double reluctance = 0;
};

// Keeps its buffers between calls.
class PausePlanner {
 public:
  // Fills `stretches` with the cheapest found that do all of the job's work
  // within its window and leave others their room; each includes its own
  // overheads. Unbroken running counts too, and is preferred unless pauses
  // save enough of its cost and of its carbon: prices alone
  // are no reason to leave, they are guesses of what others will want, and
  // room that is left for a price may stay empty. Returns the cost of one
  // accelerator, or infinity and no stretches if nothing fits. `worth` is a
  // guess, and is left at what was found.
  double Plan(const PlanInstance& instance, const PriceTable& prices,
              const PriceTable& carbon, const Schedule& schedule,
              const PlanJob& job, const StretchOrigin& origin,
              const PauseOptions& options, double& worth,
              std::vector<Stretch>& stretches);

 private:
  void FindOpen(const PlanInstance& instance, const Schedule& schedule,
                const PlanJob& job);
  double Unbroken(const PlanInstance& instance, const PriceTable& prices,
                  const Schedule& schedule, const PlanJob& job,
                  const StretchOrigin& origin, Stretch& stretch) const;

  StretchSearch search_;
  OpenSlots open_;
};

// Cuts what is too much off the dearest ends of the stretches until they do
// just the job's work. Returns false if that can't be done.
bool TrimStretches(const PriceTable& prices, const PlanJob& job,
                   const StretchOrigin& origin,
                   std::vector<Stretch>& stretches);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PAUSE_PLAN_H_
