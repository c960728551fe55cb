// Who holds how much of a pool when: exact, quick to search for room.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_TIMELINE_H_
#define CCSCHED_POLICIES_PLANNER_TIMELINE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// The use of one pool over time, a step function with steps at any
// microsecond. Kept in leaves of a few minutes, each with the steps within it,
// under a tree that knows the highest and the lowest level of each part. So
// adding a stretch and finding the next moment above or below a level cost
// O(log of all time) and the steps of a leaf or two, however long the stretch
// and however full the pool is.
class Timeline {
 public:
  // REQUIRES: no stretch begins before 0 or ends after slots * kSlotUs.
  explicit Timeline(int32_t slots);

  void Add(int64_t from, int64_t to, int32_t count);
  void Remove(int64_t from, int64_t to, int32_t count) {
    Add(from, to, -count);
  }
  void Clear();
  // Has room for so many slots, no fewer than before.
  void Lengthen(int32_t slots);

  // The highest level anywhere in [from, to); 0 if that is empty.
  int32_t Peak(int64_t from, int64_t to) const;
  // The highest and the lowest level within a slot.
  int32_t peak(int32_t slot) const;
  int32_t low(int32_t slot) const;

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
  // Of a part of time, without what was added to a part that contains it.
  struct Node {
    int32_t high = 0;
    int32_t low = 0;
    int32_t added = 0;  // to all of it; of a leaf: its level at the beginning
  };
  // A leaf, and what was added to parts that contain it.
  struct Leaf {
    size_t index = 0;
    int32_t above = 0;
  };
  void AddChange(int64_t at, int32_t delta);
  void AddToLeaves(size_t first, size_t last, int32_t count);
  void Rescan(size_t leaf);
  // Makes all parts right again that contain leaves next to these two.
  void Refresh(size_t first, size_t last);
  void Pull(size_t node);
  // The sum of what was added to all that contains `node`.
  int32_t Above(size_t node) const;
  // The first leaf from `leaf` on, or the last one up to it, such that `wanted`
  // holds of it (and of all that contains it); leaves_ if there is none.
  template <typename Wanted>
  Leaf Next(size_t leaf, const Wanted& wanted) const;
  template <typename Wanted>
  Leaf Previous(size_t leaf, const Wanted& wanted) const;
  template <typename Wanted>
  Leaf Descend(size_t node, int32_t above, size_t side,
               const Wanted& wanted) const;

  size_t leaves_;            // a power of two
  std::vector<Node> nodes_;  // 1 is the root, 2i and 2i + 1 are parts of i
  std::vector<std::vector<Change>> changes_;  // by time, after a leaf's begin
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_TIMELINE_H_
