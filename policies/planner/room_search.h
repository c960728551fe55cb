// The cheapest start for which there is room.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_ROOM_SEARCH_H_
#define CCSCHED_POLICIES_PLANNER_ROOM_SEARCH_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/rigid_response.h"
#include "policies/planner/timeline.h"

namespace ccsched {

// Improves `best` by the cheapest start in [earliest, latest] at `pool` such
// that `occupied` accelerators stay free of others until its end.
// Room is sought for the expected length.
// REQUIRES: as BestStart(); latest + expected within the timeline.
void BestStartWithRoom(const PriceTable& prices, const Timeline& timeline,
                       int pool, int32_t capacity, int32_t occupied,
                       int64_t earliest, int64_t latest,
                       const RunLength& length, StartChoice& best);

// The first start in [earliest, latest] with room, or -1.
int64_t FirstStartWithRoom(const Timeline& timeline, int32_t capacity,
                           int32_t occupied, int64_t earliest, int64_t latest,
                           int64_t duration);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_ROOM_SEARCH_H_
