// The cheapest start for which there is room.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/room_search.h"

#include <algorithm>

namespace ccsched {
namespace {

// Calls visit(from, to) for each maximal interval of starts with room within
// [earliest, latest], in order, until it returns false.
template <typename Visit>
void ForEachRoom(const Timeline& timeline, int32_t limit, int64_t earliest,
                 int64_t latest, int64_t duration, const Visit& visit) {
  if (limit < 0) return;
  const int64_t length = std::max<int64_t>(duration, 1);
  int64_t start = earliest;
  while (start <= latest) {
    const int64_t blocked = timeline.LastAbove(start, start + length, limit);
    if (blocked > start) {
      start = timeline.FirstNotAbove(blocked, latest + 1, limit);
      continue;
    }
    const int64_t next =
        timeline.FirstAbove(start + length, latest + length, limit);
    if (!visit(start, next - length)) return;
    if (next >= latest + length) return;
    start = timeline.FirstNotAbove(next, latest + 1, limit);
  }
}

}  // namespace

void BestStartWithRoom(const PriceTable& prices, const Timeline& timeline,
                       int pool, int32_t capacity, int32_t occupied,
                       int64_t earliest, int64_t latest,
                       const RunLength& length, StartChoice& best) {
  ForEachRoom(timeline, capacity - occupied, earliest, latest, length.expected,
              [&](int64_t from, int64_t to) {
                BestStart(prices, pool, from, to, length, best);
                return true;
              });
}

int64_t FirstStartWithRoom(const Timeline& timeline, int32_t capacity,
                           int32_t occupied, int64_t earliest, int64_t latest,
                           int64_t duration) {
  int64_t first = -1;
  ForEachRoom(timeline, capacity - occupied, earliest, latest, duration,
              [&](int64_t from, int64_t) {
                first = from;
                return false;
              });
  return first;
}

}  // namespace ccsched
