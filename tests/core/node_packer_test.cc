// Tests of node packing: all or nothing, best fit, whole nodes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/node_packer.h"

#include <map>

#include "gtest/gtest.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

class NodePackerTest : public ::testing::Test {
 protected:
  void Join(int nodes, uint32_t size) {
    for (int i = 0; i < nodes; ++i) packer_.Join(NodeId(i), size, false, use_);
  }
  NodePacker packer_;
  PoolUse use_;
};

TEST_F(NodePackerTest, GivesANarrowJobTheFullestNodeThatHoldsIt) {
  Join(3, 8);
  EXPECT_EQ(packer_.Take({.count = 5}, use_)[0].node, NodeId(0));
  EXPECT_EQ(packer_.Take({.count = 4}, use_)[0].node, NodeId(1));
  EXPECT_EQ(packer_.Take({.count = 3}, use_)[0].node, NodeId(0));
  EXPECT_EQ(use_.free, 12u);
}

TEST_F(NodePackerTest, GivesAWideJobWholeEmptyNodes) {
  Join(3, 8);
  packer_.Take({.count = 1}, use_);
  const NodeShares wide = packer_.Take({.count = 12}, use_);
  ASSERT_EQ(wide.size(), 2u);
  EXPECT_EQ(wide[0].count + wide[1].count, 12u);
  EXPECT_EQ(use_.free, 7u);  // the rest of the second node is blocked
  packer_.Release({.count = 12}, wide, use_);
  EXPECT_EQ(use_.free, 23u);
}

TEST_F(NodePackerTest, RefusesANarrowJobThatOnlyFitsInPieces) {
  Join(2, 8);
  packer_.Take({.count = 5}, use_);
  packer_.Take({.count = 5}, use_);
  EXPECT_EQ(use_.free, 6u);
  EXPECT_FALSE(packer_.Fits({.count = 6}, use_));
  EXPECT_TRUE(packer_.Take({.count = 6}, use_).empty());
  EXPECT_EQ(use_.free, 6u);
}

TEST_F(NodePackerTest, SpreadsOverExactlyTheNodesAskedFor) {
  Join(4, 8);
  const NodeShares shares = packer_.Take({.count = 8, .nodes = 4}, use_);
  ASSERT_EQ(shares.size(), 4u);
  for (const NodeShare& share : shares) EXPECT_EQ(share.count, 2u);
  EXPECT_FALSE(packer_.Fits({.count = 5, .nodes = 5}, use_));
}

TEST_F(NodePackerTest, UsesNoSilentAndNoDrainedNode) {
  Join(2, 8);
  packer_.SetSilent(NodeId(0), true, use_);
  EXPECT_EQ(use_.total, 8u);
  packer_.SetDrained(NodeId(1), true, use_);
  EXPECT_EQ(use_.total, 0u);
  EXPECT_FALSE(packer_.Fits({.count = 1}, use_));
  EXPECT_TRUE(packer_.CouldFit({.count = 8}));
  packer_.Join(NodeId(0), 8, false, use_);
  EXPECT_TRUE(packer_.Fits({.count = 8}, use_));
}

TEST_F(NodePackerTest, KeepsWhatANodeHoldsWhenItComesBackSmaller) {
  Join(2, 8);
  const NodeShares held = packer_.Take({.count = 6}, use_);
  packer_.Join(held[0].node, 4, false, use_);
  EXPECT_EQ(use_.total, 12u);
  EXPECT_EQ(use_.free, 8u);
  packer_.Release({.count = 6}, held, use_);
  EXPECT_EQ(use_.free, 12u);
}

TEST_F(NodePackerTest, PutsAJobInAnImageOnlyWhereImagesRun) {
  packer_.Join(NodeId(0), 8, false, use_);
  packer_.Join(NodeId(1), 8, true, use_);
  packer_.Join(NodeId(2), 4, true, use_);
  const Demand narrow{.count = 4, .container = true};
  EXPECT_EQ(packer_.Take(narrow, use_)[0].node, NodeId(2));
  // Wider than any node that runs images: whole ones of those.
  EXPECT_TRUE(packer_.CouldFit({.count = 12, .container = true}));
  EXPECT_FALSE(packer_.CouldFit({.count = 13, .container = true}));
  EXPECT_FALSE(packer_.Fits({.count = 12, .container = true}, use_));
  packer_.Release(narrow, {{NodeId(2), 4}}, use_);
  const Demand wide{.count = 12, .container = true};
  const NodeShares shares = packer_.Take(wide, use_);
  ASSERT_EQ(shares.size(), 2u);
  EXPECT_EQ(use_.free, 8u);
  EXPECT_FALSE(packer_.Fits({.count = 1, .container = true}, use_));
  EXPECT_TRUE(packer_.Fits({.count = 8}, use_));
  // A node that comes back without its container runtime.
  packer_.Release(wide, shares, use_);
  packer_.Join(NodeId(1), 8, false, use_);
  EXPECT_FALSE(packer_.CouldFit({.count = 8, .container = true}));
  EXPECT_FALSE(packer_.CouldFit({.count = 2, .nodes = 2, .container = true}));
}

// Against a model that counts naively, over random takes and releases.
TEST_F(NodePackerTest, CountsWhatIsFreeThroughAnyHistory) {
  const uint64_t seed = 20211003;
  SCOPED_TRACE(seed);
  Random random(seed);
  constexpr uint32_t kNodes = 5, kSize = 8;
  Join(kNodes, kSize);
  std::map<int, std::pair<Demand, NodeShares>> held;
  for (int step = 0; step < 5000; ++step) {
    if (random.Below(2) == 0 || held.empty()) {
      const Demand demand{.count = static_cast<uint32_t>(1 + random.Below(20))};
      const NodeShares shares = packer_.Take(demand, use_);
      if (!shares.empty()) held[step] = {demand, shares};
    } else {
      auto it = held.begin();
      std::advance(it, random.Below(held.size()));
      packer_.Release(it->second.first, it->second.second, use_);
      held.erase(it);
    }
    std::map<NodeId, uint32_t> used;
    for (const auto& [key, job] : held) {
      for (const NodeShare& share : job.second) {
        used[share.node] += job.second.size() > 1 ? kSize : share.count;
      }
    }
    uint32_t free = kNodes * kSize;
    for (const auto& [node, count] : used) {
      ASSERT_LE(count, kSize);
      free -= count;
    }
    ASSERT_EQ(use_.free, free);
  }
}

}  // namespace
}  // namespace ccsched
