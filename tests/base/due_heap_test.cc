// Tests of the heap of what is due when.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/due_heap.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

// Few times, so that many are equal; some before 1970.
TEST(DueHeapTest, GivesWhatAnOrderedSetGives) {
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE(seed);
    Random random(seed);
    DueHeap heap;
    std::set<std::pair<int64_t, uint32_t>> known;
    for (int i = 0; i < 20'000; ++i) {
      const int64_t at = static_cast<int64_t>(random.Below(500)) - 100;
      const uint32_t job = static_cast<uint32_t>(random.Next());
      if (known.emplace(at, job).second) heap.Push({at, job, job / 2});
      // As many come as go, so that it shrinks to nothing again and again.
      for (uint64_t n = random.Below(3); n > 0 && !known.empty(); --n) {
        ASSERT_FALSE(heap.empty());
        EXPECT_EQ(heap.top().at_us(), known.begin()->first);
        EXPECT_EQ(heap.top().job(), known.begin()->second);
        EXPECT_EQ(heap.top().slot(), known.begin()->second / 2);
        heap.Pop();
        known.erase(known.begin());
      }
      EXPECT_EQ(heap.empty(), known.empty());
    }
  }
}

}  // namespace
}  // namespace ccsched
