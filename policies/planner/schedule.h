// A plan under construction: who runs where and when, and the room left.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_SCHEDULE_H_
#define CCSCHED_POLICIES_PLANNER_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/rigid_response.h"
#include "policies/planner/timeline.h"

namespace ccsched {

// Rigid jobs of an instance placed on timelines. A job may be unplaced.
class Schedule {
 public:
  struct Place {
    int16_t pool = -1;  // not placed
    int64_t start = 0;
  };

  // REQUIRES: `instance` outlives this.
  explicit Schedule(const PlanInstance& instance);

  // The cheapest start with room in the job's window; pool -1 if there is
  // none. The cost is that of one accelerator.
  StartChoice Cheapest(const PriceTable& prices, const PlanJob& job) const;
  // Improves `best` by the cheapest start with room at one pool.
  void CheapestAt(const PriceTable& prices, const PlanJob& job, int pool,
                  StartChoice& best) const;
  // The first start with room at one pool from the job's release on, whatever
  // its promise; -1 if there is none.
  int64_t FirstAt(const PlanJob& job, int pool) const;
  // Makes room for jobs appended to the instance.
  void Grow() { places_.resize(instance_.jobs.size()); }
  // Follows an instance that has more slots than before.
  void Lengthen();
  void Put(size_t job, int pool, int64_t start);
  void Take(size_t job);
  // Puts the job at its cheapest start, or, if there is no room in its
  // window, at the first start after it. Returns whether it keeps its promise.
  bool PutCheapest(const PriceTable& prices, size_t job);

  const Place& place(size_t job) const { return places_[job]; }
  Timeline& timeline(int pool) { return timelines_[pool]; }
  const Timeline& timeline(int pool) const { return timelines_[pool]; }

 private:
  const PlanInstance& instance_;
  std::vector<Timeline> timelines_;
  std::vector<Place> places_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_SCHEDULE_H_
