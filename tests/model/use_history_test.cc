// Tests of the history of an attempt's use.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/use_history.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;

TEST(UseHistoryTest, AveragesByTheMinute) {
  UseHistory history;
  history.Add(absl::Seconds(0), absl::Seconds(30), 1, true);
  history.Add(absl::Seconds(30), absl::Seconds(90), 0, true);
  history.Add(absl::Seconds(90), absl::Seconds(120), 1, true);
  EXPECT_THAT(history.Levels(), ElementsAre(4, 4));
  EXPECT_EQ(history.Text(), "a60 44");
}

TEST(UseHistoryTest, WhatWasNotReportedIsUnknownAndNotZero) {
  UseHistory history;
  history.Add(absl::Seconds(0), absl::Seconds(60), 1, false);
  history.Add(absl::Seconds(120), absl::Seconds(180), 0, false);
  EXPECT_THAT(history.Levels(), ElementsAre(8, 9, 0));
  EXPECT_EQ(history.Text(), "p60 8.0");
}

TEST(UseHistoryTest, ADaySetInFewStepsThatKeepItsMean) {
  UseHistory history;
  for (int i = 0; i < 24 * 60; ++i) {
    history.Add(absl::Minutes(i), absl::Minutes(i + 1), i % 2, true);
  }
  EXPECT_LE(history.Levels().size(), UseHistory::kStepsMax);
  EXPECT_EQ(history.step(), absl::Minutes(32));
  for (const unsigned level : history.Levels()) EXPECT_EQ(level, 4u);
}

TEST(UseHistoryTest, IsIdleSinceTheLastStepInWhichItDidSomething) {
  UseHistory history;
  history.Add(absl::Minutes(0), absl::Minutes(1), 0, true);
  history.Add(absl::Minutes(1), absl::Minutes(2), 0.05, true);
  history.Add(absl::Minutes(2), absl::Minutes(42), 0, true);
  EXPECT_EQ(history.Idle(), absl::Minutes(40));
}

TEST(UseHistoryTest, IsTheSameAfterTheLedger) {
  UseHistory history;
  history.Add(absl::Minutes(0), absl::Minutes(1), 0.5, true);
  history.Add(absl::Minutes(3), absl::Minutes(4), 1, true);
  const UseHistory again = UseHistory::FromText(history.Text());
  EXPECT_EQ(again.Text(), "a60 4..8");
  EXPECT_TRUE(UseHistory::FromText("nonsense").empty());
  EXPECT_TRUE(UseHistory::FromText("").empty());
}

TEST(UseHistoryTest, AcceleratorsCountForMoreThanProcessors) {
  UseHistory history;
  history.Add(absl::Minutes(0), absl::Minutes(1), 1, false);
  history.Add(absl::Minutes(1), absl::Minutes(2), 0.5, true);
  history.Add(absl::Minutes(2), absl::Minutes(3), 1, false);
  EXPECT_THAT(history.Levels(), ElementsAre(9, 4));
  EXPECT_TRUE(history.of_accelerators());
}

}  // namespace
}  // namespace ccsched
