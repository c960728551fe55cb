// Who holds how much of a pool when: exact, quick to search for room.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_TIMELINE_H_
#define CCSCHED_POLICIES_PLANNER_TIMELINE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// The use of one pool over time, a step function with steps at any
// microsecond. Kept in buckets of a slot, each with its level at the
// beginning, its highest and lowest level and its steps within; so a stretch
// of n slots costs n additions, and a search looks at the steps of those
// buckets only whose level crosses the limit.
class Timeline {
 public:
  // REQUIRES: no stretch begins before 0 or ends after slots * kSlotUs.
  explicit Timeline(int32_t slots);

  void Add(int64_t from, int64_t to, int32_t count);
  void Remove(int64_t from, int64_t to, int32_t count) {
    Add(from, to, -count);
  }
  void Clear();

  // The highest level anywhere in [from, to); 0 if that is empty.
  int32_t Peak(int64_t from, int64_t to) const;
  // The highest level within a slot.
  int32_t peak(int32_t slot) const { return peak_[slot]; }

  // The end of the last part of [from, to) that is above `limit`, at most
  // `to`; or -1 if there is none.
  int64_t LastAbove(int64_t from, int64_t to, int32_t limit) const;
  // The first moment in [from, to) that is above `limit`, or `to`.
  int64_t FirstAbove(int64_t from, int64_t to, int32_t limit) const;
  // The first moment in [from, to) that is not above `limit`, or `to`.
  int64_t FirstNotAbove(int64_t from, int64_t to, int32_t limit) const;

 private:
  struct Change {
    int64_t at;
    int32_t delta;
  };
  void AddChange(int64_t at, int32_t delta);
  void Rescan(int64_t bucket);

  std::vector<int32_t> base_;    // level at the beginning of the bucket
  std::vector<int32_t> peak_;    // highest in it
  std::vector<int32_t> trough_;  // lowest in it
  std::vector<std::vector<Change>> changes_;  // by time, after its beginning
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_TIMELINE_H_
