// What silence means: unknown, lost, or the scheduler's own trouble.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/daemon/node_table.h"

namespace ccsched {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NoLink : public AgentLink {
 public:
  bool Send(v1::SchedulerMessage) override { return true; }
  void Accept(std::shared_ptr<NodeLease>) override {}
  void Close(absl::Status) override {}
  const std::string& certificate_name() const override { return name_; }

 private:
  const std::string name_;
};

class LeasesTest : public ::testing::Test {
 protected:
  // Nodes that were all heard at `start_`.
  void AddNodes(int count) {
    for (int i = 0; i < count; ++i) {
      NodeEntry& node = nodes_.Add(absl::StrCat("n", i), PoolId(0));
      nodes_.SetLink(node, std::make_shared<NoLink>());
      node.lease = std::make_shared<NodeLease>(start_);
      node.joined = true;
      node.state = NodeState::kUp;
    }
  }
  void Hear(int from, int to, seconds at) {
    for (int i = from; i < to; ++i) {
      nodes_.Find(absl::StrCat("n", i))->lease->Renew(start_ + at);
    }
  }
  LeaseVerdict Judge(seconds at) {
    LeaseVerdict verdict = JudgeLeases(nodes_, times_, start_ + at);
    for (NodeEntry* node : verdict.silent) node->state = NodeState::kSilent;
    for (NodeEntry* node : verdict.heard) node->state = NodeState::kUp;
    for (NodeEntry* node : verdict.lost) node->state = NodeState::kLost;
    return verdict;
  }
  NodeEntry* Node(int i) { return nodes_.Find(absl::StrCat("n", i)); }

  const RealTime start_{seconds(1'000'000)};
  const LeaseTimes times_{seconds(3), seconds(15)};
  NodeTable nodes_;
};

TEST_F(LeasesTest, ASilentNodeIsUnknownUntilItsLeaseIsOver) {
  AddNodes(4);
  Hear(1, 4, seconds(5));
  EXPECT_THAT(Judge(seconds(5)).silent, ElementsAre(Node(0)));
  Hear(1, 4, seconds(14));
  EXPECT_THAT(Judge(seconds(14)).lost, IsEmpty());
  Hear(1, 4, seconds(16));
  EXPECT_THAT(Judge(seconds(16)).lost, ElementsAre(Node(0)));
  EXPECT_FALSE(Node(0)->lease->Renew(start_ + seconds(16)))
      << "it has to register again";
}

TEST_F(LeasesTest, ANodeHeardAgainIsUpAgain) {
  AddNodes(4);
  Hear(1, 4, seconds(5));
  Judge(seconds(5));
  Hear(0, 4, seconds(6));
  EXPECT_THAT(Judge(seconds(6)).heard, ElementsAre(Node(0)));
}

TEST_F(LeasesTest, ManyAtOnceAreTheSchedulersTrouble) {
  AddNodes(5);
  Hear(3, 5, seconds(16));
  const LeaseVerdict verdict = Judge(seconds(16));
  EXPECT_THAT(verdict.lost, IsEmpty());
  EXPECT_EQ(verdict.held_back, 3u);
  // When the others are back, the one that stays away is lost.
  Hear(1, 5, seconds(17));
  EXPECT_THAT(Judge(seconds(17)).lost, ElementsAre(Node(0)));
}

TEST_F(LeasesTest, TwoOfFiveAreNotMany) {
  AddNodes(5);
  Hear(2, 5, seconds(16));
  EXPECT_THAT(Judge(seconds(16)).lost, ElementsAre(Node(0), Node(1)));
}

TEST_F(LeasesTest, AllOfTwoAreTheSchedulersTrouble) {
  AddNodes(2);
  EXPECT_THAT(Judge(seconds(60)).lost, IsEmpty());
}

TEST_F(LeasesTest, ARecordedNodeHasAWholeLeaseToComeBack) {
  AddNodes(2);
  NodeRow row;
  row.id = NodeId(7);
  row.name = "recorded";
  NodeEntry& node = nodes_.Restore(row, PoolId(0));
  node.lease = std::make_shared<NodeLease>(start_);
  Hear(0, 2, seconds(14));
  EXPECT_THAT(Judge(seconds(14)).lost, IsEmpty());
  Hear(0, 2, seconds(16));
  EXPECT_THAT(Judge(seconds(16)).lost, ElementsAre(&node));
  EXPECT_EQ(nodes_.Add("next", PoolId(0)).id, NodeId(8));
}

}  // namespace
}  // namespace ccsched
