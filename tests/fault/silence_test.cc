// Hundreds of nodes that fall silent at once, and come back.
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <iostream>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/daemon/fake_agent.h"
#include "tests/fault/cluster.h"

namespace ccsched::testing {
namespace {

constexpr int kNodes = 300;

// A real scheduler, and agents without processes that a test can silence.
class SilenceTest : public ::testing::Test {
 protected:
  SilenceTest() : cluster_({.agents = 0, .lease = "3s", .heartbeat = "500ms"}) {
    hearts_ = std::thread([this] { Beat(); });
  }
  ~SilenceTest() override {
    stop_ = true;
    hearts_.join();
  }

  void TearDown() override {
    EXPECT_EQ(cluster_.UnexplainedDeaths(), std::vector<std::string>());
  }
  void Join() {
    for (int i = 0; i < kNodes; ++i) {
      agents_.push_back(std::make_unique<FakeAgent>(
          "unix:" + cluster_.dir() + "/s.sock",
          FakeNode{.node = absl::StrCat("n", i),
                   .accelerator = "v100",
                   .count = 1,
                   .state_id = absl::StrCat("state", i)}));
    }
    beating_ = kNodes;
    ASSERT_TRUE(cluster_.WaitForAccelerators(kNodes)) << cluster_.Logs();
  }
  // One job on each node, all of them running.
  void FillWithJobs() {
    std::vector<uint64_t> jobs;
    for (int i = 0; i < kNodes; ++i) {
      const auto id = cluster_.Submit("true", absl::StrCat("job", i));
      ASSERT_TRUE(id.ok()) << id.status();
      jobs_.push_back(*id);
    }
    for (const auto& agent : agents_) {
      const auto start = agent->WaitStart();
      ASSERT_TRUE(start.has_value());
      agent->Started(start->key());
      keys_.push_back(start->key());
    }
    for (const uint64_t job : jobs_) {
      ASSERT_TRUE(Eventually(absl::Seconds(20), [&] {
        const auto now = cluster_.Get(job);
        return now.ok() && now->state() == v1::JOB_RUNNING;
      })) << job;
    }
  }
  int CountNodes(const std::string& state) {
    const auto nodes = cluster_.Nodes();
    if (!nodes.ok()) return -1;
    int count = 0;
    for (const v1::NodeStatus& node : *nodes) count += node.state() == state;
    return count;
  }
  // How many jobs were ever started a second time.
  int CountRestarted() {
    int count = 0;
    for (const uint64_t job : jobs_) {
      const auto now = cluster_.Get(job);
      EXPECT_TRUE(now.ok()) << now.status();
      if (!now.ok() || now->attempts_size() != 1 ||
          now->state() != v1::JOB_RUNNING) {
        ++count;
      }
    }
    return count;
  }

  TestCluster cluster_;
  std::vector<std::unique_ptr<FakeAgent>> agents_;
  std::vector<uint64_t> jobs_;
  std::vector<v1::AttemptKey> keys_;
  // The first so many agents of `agents_` are heard.
  std::atomic<int> beating_{0};

 private:
  void Beat() {
    uint64_t sequence = 0;
    while (!stop_) {
      ++sequence;
      for (int i = 0; i < beating_; ++i) agents_[i]->Heartbeat(sequence);
      absl::SleepFor(absl::Milliseconds(300));
    }
  }

  std::atomic<bool> stop_{false};
  std::thread hearts_;
};

TEST_F(SilenceTest, NothingIsRestartedWhenAllNodesFallSilentAtOnce) {
  Join();
  FillWithJobs();
  beating_ = 0;
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return CountNodes("silent") == kNodes;
  })) << CountNodes("silent");
  // Twice their leases: the scheduler must take it for its own trouble.
  const absl::Time until = absl::Now() + absl::Seconds(8);
  while (absl::Now() < until) ASSERT_EQ(CountNodes("lost"), 0);
  EXPECT_EQ(CountRestarted(), 0);
  beating_ = kNodes;
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return CountNodes("up") == kNodes;
  })) << CountNodes("up");
  EXPECT_EQ(CountRestarted(), 0);
  for (int i = 0; i < kNodes; ++i) {
    agents_[i]->Ended(keys_[i], v1::OUTCOME_SUCCEEDED);
  }
  for (const uint64_t job : jobs_) {
    ASSERT_TRUE(Eventually(absl::Seconds(20), [&] {
      const auto now = cluster_.Get(job);
      return now.ok() && now->state() == v1::JOB_SUCCEEDED;
    })) << job;
  }
}

TEST_F(SilenceTest, AThirdThatStaysSilentIsLostAndTheRestIsLeftAlone) {
  Join();
  FillWithJobs();
  beating_ = kNodes - 100;
  ASSERT_TRUE(Eventually(absl::Seconds(40), [&] {
    return CountNodes("lost") == 100;
  })) << CountNodes("lost");
  EXPECT_EQ(CountNodes("up"), kNodes - 100);
  EXPECT_EQ(CountRestarted(), 100) << "those of the silent nodes queue again";
}

}  // namespace
}  // namespace ccsched::testing
