// Watchers hear of each changed job once, and of an overflow.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/watch_hub.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

namespace ccsched {
namespace {

TEST(WatchHubTest, TellsOfAJobOnceHoweverOftenItChanged) {
  WatchHub hub;
  int notified = 0;
  const auto watch =
      std::make_shared<JobWatch>(std::vector<JobId>(), [&] { ++notified; });
  hub.Add(watch);
  hub.Publish({JobId(1), JobId(2), JobId(1)});
  hub.Publish({JobId(2)});
  EXPECT_EQ(notified, 1);
  EXPECT_EQ(watch->Take(), JobId(1));
  EXPECT_EQ(watch->Take(), JobId(2));
  EXPECT_EQ(watch->Take(), std::nullopt);
  hub.Publish({JobId(1)});
  EXPECT_EQ(watch->Take(), JobId(1));
}

TEST(WatchHubTest, BeginsWithTheNamedJobsAndLeavesOutOthers) {
  WatchHub hub;
  const auto watch =
      std::make_shared<JobWatch>(std::vector<JobId>{JobId(7)}, [] {});
  hub.Add(watch);
  EXPECT_EQ(watch->Take(), JobId(7));
  hub.Publish({JobId(6), JobId(7), JobId(8)});
  EXPECT_EQ(watch->Take(), JobId(7));
  EXPECT_EQ(watch->Take(), std::nullopt);
}

TEST(WatchHubTest, DoesNotGrowForAWatcherThatNeverReads) {
  WatchHub hub;
  const auto watch = std::make_shared<JobWatch>(std::vector<JobId>(), [] {});
  hub.Add(watch);
  for (uint64_t i = 0; i <= JobWatch::kPendingMax; ++i) {
    hub.Publish({JobId(i)});
  }
  EXPECT_TRUE(watch->overflowed());
}

TEST(WatchHubTest, TellsNobodyWhoHasLeft) {
  WatchHub hub;
  const auto watch = std::make_shared<JobWatch>(std::vector<JobId>(), [] {});
  hub.Add(watch);
  hub.Remove(watch.get());
  hub.Publish({JobId(1)});
  EXPECT_EQ(watch->Take(), std::nullopt);
}

}  // namespace
}  // namespace ccsched
