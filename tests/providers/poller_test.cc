// What is polled is delivered once, restarts included.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/providers/provider_fixture.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;

class PollerTest : public ProviderTest {
 protected:
  PollerTest() {
    *region_.add_provider() = config_;
    *cluster_.add_regions() = region_;
  }
  std::unique_ptr<Poller> MakePoller() {
    auto poller = Poller::Make(
        cluster_, &clock_,
        [this](v1::GridSeries s) {
          const std::lock_guard lock(mutex_);
          delivered_.push_back(std::move(s));
          some_.notify_all();
        },
        absl::ZeroDuration());
    EXPECT_TRUE(poller.ok()) << poller.status();
    return *std::move(poller);
  }
  void GoodServer() {
    server_.Then([](const httplib::Request& q, httplib::Response& r) {
      r.set_content(Sample(q.path.ends_with("history")
                               ? "electricity_maps_history.json"
                               : "electricity_maps_forecast.json"),
                    "application/json");
    });
  }

  v1::ClusterConfig cluster_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<v1::GridSeries> delivered_;
};

TEST_F(PollerTest, DeliversWhatIsNewAndNothingTwice) {
  GoodServer();
  const auto poller = MakePoller();
  poller->PollDue();
  ASSERT_EQ(delivered_.size(), 2);
  EXPECT_EQ(delivered_[0].region(), "XX");
  EXPECT_TRUE(delivered_[0].actual());
  EXPECT_EQ(delivered_[0].source(), "electricity-maps");
  EXPECT_EQ(delivered_[1].intensity_size(), 73);
  poller->PollDue();  // not due yet
  EXPECT_EQ(server_.requests().size(), 2);
  clock_.now += absl::Hours(1);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 4);
  EXPECT_EQ(delivered_.size(), 2);
}

TEST_F(PollerTest, ARevisedHourIsDeliveredAlone) {
  std::string revised = Sample("electricity_maps_history.json");
  const size_t at = revised.find("\"carbonIntensity\": 103");
  revised.replace(at, 22, "\"carbonIntensity\": 555");
  server_.Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"))
      .Then(200, revised)
      .Then(200, Sample("electricity_maps_forecast.json"));
  const auto poller = MakePoller();
  poller->PollDue();
  clock_.now += absl::Hours(1);
  poller->PollDue();
  ASSERT_EQ(delivered_.size(), 3);
  EXPECT_THAT(delivered_[2].intensity(), ElementsAre(555));
  EXPECT_EQ(delivered_[2].start().seconds() % 86400, 3 * 3600);
}

TEST_F(PollerTest, ARestartFetchesNothingTwice) {
  GoodServer();
  MakePoller()->PollDue();
  const auto before = delivered_;
  delivered_.clear();
  const auto poller = MakePoller();
  for (const auto& s : before) poller->Resume(s, clock_.now);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 2);
  clock_.now += absl::Hours(1);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 4);
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(PollerTest, AFailureIsTriedAgainSoonerThanTheNextTurnAndIsVisible) {
  server_.Then(401);
  const auto poller = MakePoller();
  poller->PollDue();
  const ProviderState state = poller->States().at(0);
  EXPECT_TRUE(absl::IsUnauthenticated(state.last_status));
  EXPECT_FALSE(state.last_good.has_value());
  EXPECT_EQ(state.next, clock_.now + absl::Minutes(1));
}

TEST_F(PollerTest, StopsAtOnceWhileAServerHangs) {
  server_.ThenHang();
  auto poller = MakePoller();
  poller->Start();
  while (server_.requests().empty()) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  poller.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(PollerTest, ItsThreadDelivers) {
  GoodServer();
  const auto poller = MakePoller();
  poller->Start();
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(some_.wait_for(lock, std::chrono::seconds(20),
                             [this] { return delivered_.size() == 2; }));
}

}  // namespace
}  // namespace ccsched
