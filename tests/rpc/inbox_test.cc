// The inbox is bounded, keeps room for agents, and wakes who waits.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace ccsched {
namespace {

const auto kNoWait = std::chrono::steady_clock::time_point();

Input Client() {
  return StatusCall{{}, [](const absl::StatusOr<v1::StatusResponse>&) {}};
}

TEST(InboxTest, RefusesWhatIsBeyondItsCapacityAndLeavesItWhole) {
  Inbox inbox(2);
  for (int i = 0; i < 2; ++i) {
    Input input = Client();
    EXPECT_TRUE(inbox.Push(input).ok());
  }
  bool refused = false;
  Input third =
      StatusCall{{}, [&](const absl::StatusOr<v1::StatusResponse>& r) {
                   refused = absl::IsResourceExhausted(r.status());
                 }};
  const absl::Status status = inbox.Push(third);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(inbox.size(), 2u);
  Refuse(third, status);
  EXPECT_TRUE(refused);
}

TEST(InboxTest, HasRoomForAgentsWhenClientsHaveFilledIt) {
  Inbox inbox(1);
  Input client = Client();
  ASSERT_TRUE(inbox.Push(client).ok());
  Input agent = AgentReport{};
  EXPECT_TRUE(inbox.Push(agent, Lane::kAgent).ok());
}

TEST(InboxTest, CountsJobsNotMessages) {
  Inbox inbox(100);
  Input many = Client();
  ASSERT_TRUE(inbox.Push(many, Lane::kClient, 99).ok());
  Input two = Client();
  EXPECT_FALSE(inbox.Push(two, Lane::kClient, 2).ok());
  Input one = Client();
  EXPECT_TRUE(inbox.Push(one).ok());
  // One beyond all bounds still gets in when there is nothing else.
  std::vector<Input> out;
  inbox.Pop(1000, kNoWait, out);
  Input huge = Client();
  EXPECT_TRUE(inbox.Push(huge, Lane::kClient, 1'000'000).ok());
}

TEST(InboxTest, TellsAWaiterOnceWhenThereIsRoom) {
  Inbox inbox(2);
  for (int i = 0; i < 2; ++i) {
    Input input = Client();
    ASSERT_TRUE(inbox.Push(input).ok());
  }
  int told = 0;
  inbox.WhenRoom([&] { ++told; });
  EXPECT_EQ(told, 0);
  std::vector<Input> out;
  inbox.Pop(1, kNoWait, out);
  EXPECT_EQ(told, 1);
  inbox.Pop(1, kNoWait, out);
  EXPECT_EQ(told, 1);
}

TEST(InboxTest, PopsInOrderAndEndsOnceClosedAndEmpty) {
  Inbox inbox(8);
  Input reload = ReloadConfig{};
  Input client = Client();
  ASSERT_TRUE(inbox.Push(reload, Lane::kAgent).ok());
  ASSERT_TRUE(inbox.Push(client).ok());
  inbox.Close();
  Input late = Client();
  EXPECT_TRUE(absl::IsUnavailable(inbox.Push(late)));
  std::vector<Input> out;
  EXPECT_TRUE(inbox.Pop(10, kNoWait, out));
  ASSERT_EQ(out.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<ReloadConfig>(out[0]));
  EXPECT_FALSE(inbox.Pop(10, kNoWait, out));
}

TEST(InboxTest, WakesItsConsumer) {
  Inbox inbox(8);
  std::vector<Input> out;
  std::thread consumer([&] {
    inbox.Pop(1, std::chrono::steady_clock::now() + std::chrono::minutes(1),
              out);
  });
  Input client = Client();
  ASSERT_TRUE(inbox.Push(client).ok());
  consumer.join();
  EXPECT_EQ(out.size(), 1u);
}

TEST(InboxTest, RefusesClientsButNotAgentsWhileTheLedgerIsUnwritable) {
  Inbox inbox(8);
  inbox.RefuseClients(absl::UnavailableError("the disk is full"));
  Input client = Client();
  EXPECT_EQ(inbox.Push(client).message(), "the disk is full");
  Input agent = AgentReport{};
  EXPECT_TRUE(inbox.Push(agent, Lane::kAgent).ok());
  inbox.RefuseClients(absl::OkStatus());
  EXPECT_TRUE(inbox.Push(client).ok());
}

TEST(InboxTest, LetsSamplesWaitForWhatIsUrgent) {
  Inbox inbox(100'000);
  Input sample = AgentReport{};
  ASSERT_TRUE(inbox.Push(sample, Lane::kAgent, 1, Urgency::kNextWake).ok());
  std::vector<Input> out;
  // Nobody is woken: the wait lasts to its end, and then it is taken.
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(inbox.Pop(10, began + std::chrono::milliseconds(50), out));
  EXPECT_GE(std::chrono::steady_clock::now(),
            began + std::chrono::milliseconds(50));
  EXPECT_EQ(out.size(), 1u);
  // Together with the next that can't wait.
  const auto far = std::chrono::steady_clock::now() + std::chrono::hours(1);
  Input again = AgentReport{};
  ASSERT_TRUE(inbox.Push(again, Lane::kAgent, 1, Urgency::kNextWake).ok());
  Input client = Client();
  ASSERT_TRUE(inbox.Push(client).ok());
  EXPECT_TRUE(inbox.Pop(10, far, out));
  EXPECT_EQ(out.size(), 3u);
  // Or when they are many; what one pop leaves is not waited for again.
  for (int i = 0; i < 1024; ++i) {
    Input one = AgentReport{};
    ASSERT_TRUE(inbox.Push(one, Lane::kAgent, 1, Urgency::kNextWake).ok());
  }
  EXPECT_TRUE(inbox.Pop(1000, far, out));
  EXPECT_TRUE(inbox.Pop(1000, far, out));
  EXPECT_EQ(inbox.size(), 0u);
}

}  // namespace
}  // namespace ccsched
