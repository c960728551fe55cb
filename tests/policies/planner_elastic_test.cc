// The planner chooses the width of elastic jobs with their place.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

Play OneSite(const std::vector<double>& grid, uint32_t room) {
  ClusterBuilder cluster;
  cluster.Site("only");
  Play play(cluster.topology(), *MakePolicy("planner", {}));
  play.Forecast(0, grid).Node(0, room);
  return play;
}

std::vector<double> OneDip(size_t hour) {
  std::vector<double> grid(48, 300);
  grid[hour] = 50;
  return grid;
}

TEST(PlannerElasticTest, RunsAsWideAsItMayInTheOnlyCleanHour) {
  for (const bool suspendable : {false, true}) {
    Play play = OneSite(OneDip(3), 8);
    play.Job({.runtime_h = 4,
              .count = 2,
              .min_count = 1,
              .max_count = 8,
              .max_delay_h = 6,
              .suspendable = suspendable});
    EXPECT_EQ(play.Run().Stretches(1), "3-4@0x8") << suspendable;
  }
}

// Four hours on four accelerators; at half of them each does 1.41 times the
// work.
PlayJob Sublinear(double max_delay_h) {
  return {.runtime_h = 4,
          .count = 4,
          .min_count = 2,
          .max_count = 8,
          .exponent = 0.5,
          .max_delay_h = max_delay_h};
}

// The promise leaves time for it.
TEST(PlannerElasticTest, RunsNarrowWhereThatTakesLessAndThereIsTime) {
  Play play = OneSite(std::vector<double>(48, 300), 8);
  play.Job(Sublinear(12));
  const PlayResult result = play.Run();
  ASSERT_EQ(result.stretches.size(), 1u);
  EXPECT_EQ(result.stretches[0].count, 2u);
  EXPECT_LE(result.EndHours(1), 16 + 1e-6);
}

// The longer it turned out to be, the later it would end for being narrow.
TEST(PlannerElasticTest, RunsNoSlowerThanItsOwnWidthIfNobodyKnowsHowLong) {
  Play play = OneSite(std::vector<double>(48, 300), 8);
  PlayJob job = Sublinear(12);
  job.believed_h = 2;
  play.Job(job);
  const PlayResult result = play.Run();
  ASSERT_EQ(result.stretches.size(), 1u);
  EXPECT_GE(result.stretches[0].count, 4u);
  EXPECT_LE(result.EndHours(1), 16 + 1e-6) << result.Stretches(1);
}

TEST(PlannerElasticTest, AWidthThatWouldBreakThePromiseIsNotChosen) {
  Play play = OneSite(std::vector<double>(48, 300), 8);
  play.Job(Sublinear(1));
  const PlayResult result = play.Run();
  ASSERT_EQ(result.stretches.size(), 1u);
  EXPECT_GT(result.stretches[0].count, 2u);
  EXPECT_LE(result.EndHours(1), 5 + 1e-6) << result.Stretches(1);
}

TEST(PlannerElasticTest, StartsInTheRoomThatThereIs) {
  Play play = OneSite(std::vector<double>(48, 300), 8);
  play.Job({.runtime_h = 20, .count = 6, .max_delay_h = 0});
  play.Job({.submit_h = 1,
            .runtime_h = 2,
            .count = 4,
            .min_count = 1,
            .max_count = 8,
            .max_delay_h = 3});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(2), 6 + 1e-6) << result.Stretches(2);
  EXPECT_LE(result.stretches.back().count, 2u) << result.Stretches(2);
}

// It starts in what is left, and goes on wide when the hour is clean and its
// neighbour gone: that saves far more than the checkpoint costs.
TEST(PlannerElasticTest, GoesOnAtAnotherWidthWhereThatSavesMuch) {
  std::vector<double> grid(48, 600);
  for (size_t hour = 0; hour < 8; ++hour) grid[hour] = 60;
  Play play = OneSite(grid, 8);
  play.Job({.runtime_h = 3, .count = 7, .max_delay_h = 0});
  play.Job({.submit_h = 0.5,
            .runtime_h = 24,
            .count = 1,
            .max_count = 8,
            .max_delay_h = 0.25,
            .suspendable = true,
            .checkpoint_h = 0.05,
            .restart_h = 0.05});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.ends.size(), 2u);
  uint32_t widest = 0;
  for (const PlayStretch& s : result.stretches) {
    if (s.job == 2) widest = std::max(widest, s.count);
  }
  EXPECT_GT(widest, 1u) << result.Stretches(2);
  EXPECT_LT(result.EndHours(2), 8) << result.Stretches(2);
}

// Its length is a guess: it might be over sooner, and then it would have had to
// be by then.
TEST(PlannerElasticTest, OneOfUnknownLengthDoesNotStartLaterForBeingFaster) {
  Play play = OneSite(OneDip(9), 8);
  play.Job({.runtime_h = 1,
            .believed_h = 8,
            .count = 2,
            .min_count = 2,
            .max_count = 8,
            .max_delay_h = 6});
  const PlayResult result = play.Run();
  EXPECT_LE(result.StartHours(1), 6 + 1e-6) << result.Stretches(1);
}

}  // namespace
}  // namespace ccsched::testing
