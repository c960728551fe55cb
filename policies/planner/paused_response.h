// The cheapest stretches of a job that pauses at least once, for a bound.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PAUSED_RESPONSE_H_
#define CCSCHED_POLICIES_PLANNER_PAUSED_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/stretch_response.h"
#include "policies/planner/worth_search.h"

namespace ccsched {

// As StretchSearch does it of all plans, bounds the cost of those with at least
// one pause. A job's cheapest plan has none or some: the lesser of this bound
// and of what it costs at least to run without a pause, which is known exactly
// (BestStart), is closer than the one bound of all, as that may mix a plan of
// too little work with one of too much, and pay for no pause.
// A stretch may be as short as one likes, so one of no length counts too: it
// costs but the worth of its overheads.
class PausedSearch {
 public:
  // At one worth, with room everywhere, of a job that has not started. If
  // `stretches` is not null, it is filled in time order, and has none of no
  // length. The result is per accelerator.
  WorthLook At(const PriceTable& prices, const std::vector<uint16_t>& pools,
               const PlanJob& job, double worth,
               std::vector<Stretch>* stretches = nullptr);

  // At the worth that gives the greatest bound, to 1e-6 of it or `evaluations`
  // looks; starts looking around `guess`.
  WorthTop Top(const PriceTable& prices, const std::vector<uint16_t>& pools,
               const PlanJob& job, double guess, int evaluations);

 private:
  struct Value {
    double cost = 0;
    double useful = 0;
    int16_t state = 0;  // in which the slot is left
  };
  // The best of those that run in the slot and stop at its end, having begun it
  // as `on` says, or at `enter` anew; leaves `on` as of its end.
  Value RunThrough(const PriceTable& prices, const std::vector<uint16_t>& pools,
                   double worth, const SlotPart& slot, const Value& enter,
                   size_t layer, int16_t* from);
  void Trace(const std::vector<uint16_t>& pools, const PlanJob& job,
             int64_t slot, size_t state, std::vector<Stretch>& stretches) const;

  // By layer (before the first pause; after it) and pool: running there.
  std::vector<Value> on_;
  // By slot and state, the state before it: running in a layer at a pool, and
  // paused at the slot's end.
  std::vector<int16_t> from_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PAUSED_RESPONSE_H_
