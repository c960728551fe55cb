// Tests of the index of live jobs by their numbers.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/id_index.h"

#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

TEST(IdIndexTest, FindsWhatAMapFindsWhateverNumbersCome) {
  for (const uint64_t spread : {1, 40, 5'000, 300'000'000}) {
    SCOPED_TRACE(spread);
    Random random(spread);
    IdIndex index;
    std::map<uint64_t, uint32_t> known;
    uint64_t next = 1;
    for (uint32_t value = 0; value < 20'000; ++value) {
      // Mostly in order, now and then far ahead or far behind.
      next += 1 + random.Below(spread);
      const uint64_t id = random.Below(50) > 0 ? next
                          : random.Below(2) > 0
                              ? ~uint64_t{0} - random.Below(1'000)
                              : random.Below(next);
      if (known.emplace(id, value).second) index.Insert(id, value);
      if (random.Below(3) == 0) continue;
      auto gone = known.lower_bound(random.Below(next));
      if (gone == known.end()) gone = known.begin();
      index.Erase(gone->first);
      EXPECT_EQ(index.Find(gone->first), IdIndex::kNone);
      known.erase(gone);
    }
    for (const auto& [id, value] : known) ASSERT_EQ(index.Find(id), value);
    for (int i = 0; i < 1'000; ++i) {
      const uint64_t id = random.Below(next);
      EXPECT_EQ(index.Find(id) == IdIndex::kNone, !known.contains(id));
    }
  }
}

TEST(IdIndexTest, TheLargestNumberIsANumberToo) {
  IdIndex index;
  EXPECT_EQ(index.Find(~uint64_t{0}), IdIndex::kNone);
  index.Insert(~uint64_t{0}, 7);
  index.Insert(0, 8);
  EXPECT_EQ(index.Find(~uint64_t{0}), 7u);
  EXPECT_EQ(index.Find(0), 8u);
  index.Erase(~uint64_t{0});
  index.Erase(0);
  EXPECT_EQ(index.Find(0), IdIndex::kNone);
}

}  // namespace
}  // namespace ccsched
