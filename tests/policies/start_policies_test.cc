// Policies that start each job once: queue order, sites, hours.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

Topology Sites(int n) {
  ClusterBuilder cluster;
  for (int i = 0; i < n; ++i) cluster.Site("site" + std::to_string(i));
  return cluster.topology();
}

Play OneSite(const std::string& policy, std::vector<double> grid,
             uint32_t room = 8,
             std::optional<absl::Time> horizon = std::nullopt) {
  Play play(Sites(1), *MakePolicy(policy, {}), horizon);
  play.Forecast(0, std::move(grid)).Node(0, room);
  return play;
}

std::vector<double> Flat(double value) {
  return std::vector<double>(24, value);
}

// --- fcfs

TEST(FcfsTest, TakesTheFirstListedSiteWithRoom) {
  Play play(Sites(2), *MakePolicy("fcfs", {}));
  play.Forecast(0, Flat(500)).Forecast(1, Flat(1)).Node(0, 4).Node(1, 4);
  play.Job({.count = 3}).Job({.count = 3}).Job({.count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(1), "0-1@0x3");
  EXPECT_EQ(result.Stretches(2), "0-1@1x3");
  EXPECT_EQ(result.Stretches(3), "0-1@0x1");
}

TEST(FcfsTest, TheHeadBlocksAllBehindIt) {
  Play play = OneSite("fcfs", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .runtime_h = 1, .count = 2});
  play.Job({.submit_h = 0.75, .runtime_h = 1, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2-3@0x2");
  EXPECT_EQ(result.Stretches(3), "2-3@0x1");
}

TEST(FcfsTest, HigherPriorityGoesFirst) {
  Play play = OneSite("fcfs", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 4});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 1, .count = 3, .priority = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(3), "2-3@0x3");
  EXPECT_EQ(result.Stretches(2), "3-4@0x4");
}

TEST(FcfsTest, AnUrgentArrivalIsTriedThoughTheHeadIsBlocked) {
  Play play = OneSite("fcfs", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 1, .runtime_h = 0.5, .count = 1, .priority = 1});
  EXPECT_EQ(play.Run().Stretches(3), "1-1.5@0x1");
}

// --- easy-backfill

TEST(EasyBackfillTest, AShortJobPassesTheHead) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 0.75, .runtime_h = 1, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2-3@0x4");
  EXPECT_EQ(result.Stretches(3), "0.75-1.75@0x1");
}

TEST(EasyBackfillTest, ALongJobThatWouldDelayTheHeadDoesNot) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 0.75, .runtime_h = 1.5, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2-3@0x4");
  EXPECT_EQ(result.Stretches(3), "3-4.5@0x1");
}

TEST(EasyBackfillTest, ALongJobPassesWhereEnoughStaysFree) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 3});
  play.Job({.submit_h = 0.75, .runtime_h = 9, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2-3@0x3");
  EXPECT_EQ(result.Stretches(3), "0.75-9.75@0x1");
}

TEST(EasyBackfillTest, TheSpareRoomIsGivenOnce) {
  Play play = OneSite("easy-backfill", Flat(1), 5);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 0.6, .runtime_h = 9, .count = 1});
  play.Job({.submit_h = 0.7, .runtime_h = 9, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2-3@0x4");
  EXPECT_EQ(result.StartHours(3), 0.6);
  EXPECT_EQ(result.StartHours(4), 3);
}

TEST(EasyBackfillTest, AShorterJobOfTheSameShapePassesALongerOne) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 0.6, .runtime_h = 5, .count = 1});
  play.Job({.submit_h = 0.7, .runtime_h = 1, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(4), "0.7-1.7@0x1");
  EXPECT_EQ(result.StartHours(3), 3);
}

TEST(EasyBackfillTest, AStreamOfNarrowJobsNeverStarvesTheHead) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  // Narrow jobs come for ever; each could take what the last one leaves.
  for (int i = 0; i < 160; ++i) play.Job({.submit_h = 0.25 * i});
  play.Job({.submit_h = 3.1, .count = 4});
  // What ran when it came ends within the hour.
  EXPECT_LE(play.Run().StartHours(161), 4.1);
}

TEST(EasyBackfillTest, TheHeadStartsThoughRuntimesAreUnderestimated) {
  Play play = OneSite("easy-backfill", Flat(1), 4);
  // All run four times as long as they are believed to.
  for (int i = 0; i < 160; ++i) {
    play.Job({.submit_h = 0.25 * i, .runtime_h = 1, .believed_h = 0.25});
  }
  play.Job({.submit_h = 3.1, .count = 4});
  // It may lose a round to each wrong guess, but not every round.
  EXPECT_LE(play.Run().StartHours(161), 12);
}

// --- planner

TEST(PlannerTest, HigherPriorityChoosesItsHourFirst) {
  std::vector<double> grid = Flat(500);
  grid[5] = 100;
  grid[6] = 150;
  Play play = OneSite("planner", grid, 4);
  play.Job({.count = 4, .max_delay_h = 12});
  play.Job({.submit_h = 0.5, .count = 4, .max_delay_h = 12, .priority = 5});
  // Another hour, another planning: now all choose again.
  play.Job({.submit_h = 1.5, .runtime_h = 0.25, .count = 1, .max_delay_h = 0});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.StartHours(2), 5);
  EXPECT_EQ(result.StartHours(1), 6);
}

// --- lowest-carbon-now

TEST(LowestCarbonNowTest, FollowsTheCleanestSiteHourByHour) {
  Play play(Sites(2), *MakePolicy("lowest-carbon-now", {}));
  std::vector<double> falling = {300, 50};
  falling.resize(24, 50);
  play.Forecast(0, falling).Forecast(1, Flat(100)).Node(0, 4).Node(1, 4);
  play.Job({.submit_h = 0.5, .runtime_h = 0.1});
  play.Job({.submit_h = 1, .runtime_h = 0.1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(1), "0.5-0.6@1x1");
  EXPECT_EQ(result.Stretches(2), "1-1.1@0x1");
}

TEST(LowestCarbonNowTest, NarrowJobsPassAWideOneThatDoesNotFit) {
  Play play = OneSite("lowest-carbon-now", Flat(1), 4);
  play.Job({.runtime_h = 2, .count = 3});
  play.Job({.submit_h = 0.5, .count = 4});
  play.Job({.submit_h = 0.75, .runtime_h = 4, .count = 1});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.StartHours(3), 0.75);
  EXPECT_EQ(result.StartHours(2), 4.75);
}

TEST(LowestCarbonNowTest, AnUnknownIntensityIsNotTakenForZero) {
  Play play(Sites(2), *MakePolicy("lowest-carbon-now", {}));
  play.Forecast(1, Flat(900)).Node(0, 4).Node(1, 4);
  play.Job({});
  EXPECT_EQ(play.Run().Stretches(1), "0-1@1x1");
}

// --- those that defer

const std::vector<double> kDip = {300, 300, 300, 100, 200, 300, 300, 300,
                                  300, 300, 300, 300, 300, 300, 300, 300,
                                  300, 300, 300, 300, 300, 300, 300, 300};

TEST(LowestSlotTest, StartsAtTheEdgeOfTheLowestHour) {
  Play play = OneSite("lowest-slot", kDip);
  play.Job({.submit_h = 0.3, .runtime_h = 5, .max_delay_h = 6});
  EXPECT_EQ(play.Run().StartHours(1), 3);
}

TEST(LowestSlotTest, LooksNoFurtherThanTheAllowedDelay) {
  Play play = OneSite("lowest-slot", kDip);
  play.Job({.submit_h = 0.3, .max_delay_h = 2.5});
  EXPECT_EQ(play.Run().StartHours(1), 0.3);
}

TEST(LowestSlotTest, AnEdgeAtTheLatestStartItselfIsAllowed) {
  Play play = OneSite("lowest-slot", kDip);
  play.Job({.submit_h = 0.5, .max_delay_h = 2.5});
  EXPECT_EQ(play.Run().StartHours(1), 3);
}

TEST(LowestWindowTest, TriesWholeHoursAfterTheArrival) {
  Play play = OneSite("lowest-window", kDip);
  play.Job({.submit_h = 0.3, .runtime_h = 2, .max_delay_h = 6});
  // 3.3 to 5.3 emits 70 + 200 + 90 a kilowatt, 2.3 to 4.3 210 + 100 + 60.
  EXPECT_EQ(play.Run().StartHours(1), 3.3);
}

TEST(LowestWindowTest, TheFirstOfEqualStartsIsTaken) {
  Play play = OneSite("lowest-window", Flat(200));
  play.Job({.runtime_h = 2, .max_delay_h = 6});
  EXPECT_EQ(play.Run().StartHours(1), 0);
}

TEST(LowestWindowTest, DropsStartsWhoseRunWouldPassTheHorizon) {
  Play play = OneSite("lowest-window", kDip, 8, T(4.5));
  play.Job({.runtime_h = 2, .max_delay_h = 6});
  EXPECT_EQ(play.Run().StartHours(1), 2);
}

TEST(LowestWindowTest, WeighsPueAndPowerOfTheSites) {
  Topology topology = Sites(2);
  topology.sites[0].pue = 1.5;
  Play play(topology, *MakePolicy("lowest-window", {}));
  play.Forecast(0, Flat(100)).Forecast(1, Flat(120)).Node(0, 8).Node(1, 8);
  play.Job({.max_delay_h = 2});
  EXPECT_EQ(play.Run().Stretches(1), "0-1@1x1");
}

TEST(LowestWindowTest, ADueJobTakesAnotherSiteIfItsOwnIsFull) {
  Play play(Sites(2), *MakePolicy("lowest-window", {}));
  play.Forecast(0, kDip).Forecast(1, Flat(400)).Node(0, 4).Node(1, 4);
  play.Job({.runtime_h = 6, .count = 4, .max_delay_h = 0});
  play.Job({.runtime_h = 1, .count = 2, .max_delay_h = 6});
  EXPECT_EQ(play.Run().Stretches(2), "3-4@1x2");
}

TEST(LowestWindowTest, AJobAtItsLatestStartGoesBeforeEarlierOnes) {
  Play play = OneSite("lowest-window", kDip, 4);
  play.Job({.runtime_h = 5, .count = 4, .max_delay_h = 0});
  // Both are due at 3 and find no room; the second may wait no longer.
  play.Job({.runtime_h = 1, .count = 4, .max_delay_h = 20});
  play.Job({.runtime_h = 1, .count = 4, .max_delay_h = 3});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.StartHours(3), 5);
  EXPECT_EQ(result.StartHours(2), 6);
}

TEST(LowestWindowTest, RoomIsKeptForAWideJobAtItsLatestStart) {
  Play play = OneSite("lowest-window", Flat(200), 4);
  play.Job({.runtime_h = 2, .count = 2, .max_delay_h = 0});
  play.Job({.submit_h = 0.5, .count = 4, .max_delay_h = 0});
  for (int i = 0; i < 4; ++i) {
    play.Job({.submit_h = 1.0 + i, .runtime_h = 5, .max_delay_h = 24});
  }
  EXPECT_EQ(play.Run().StartHours(2), 2);
}

TEST(LowestWindowTest, AJobWithoutAPromiseWaitsADayAtMost) {
  std::vector<double> grid(48, 300);
  grid[30] = 1;
  grid[20] = 100;
  Play play = OneSite("lowest-window", grid);
  play.Job({});
  EXPECT_EQ(play.Run().StartHours(1), 20);
}

TEST(LowestWindowTest, WithoutAnyForecastItRunsAtOnce) {
  Play play(Sites(1), *MakePolicy("lowest-window", {}));
  play.Node(0, 4).Job({.submit_h = 1, .max_delay_h = 6});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.StartHours(1), 1);
  EXPECT_NE(result.transcript.find("no-data"), std::string::npos);
}

TEST(PlannerTest, WithoutAnyForecastAJobRunsAtItsLatestSafeStart) {
  Play play(Sites(1), *MakePolicy("planner", {}));
  play.Node(0, 4);
  play.Job({.submit_h = 1, .runtime_h = 2, .count = 4, .max_delay_h = 6});
  // It would be too late for this one once the other runs.
  play.Job({.submit_h = 1, .runtime_h = 1, .count = 4, .max_delay_h = 6});
  // Nothing was promised to this one.
  play.Job({.submit_h = 1, .runtime_h = 1, .count = 4});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.StartHours(1), 7);
  EXPECT_LE(result.EndHours(2), 8);
  EXPECT_EQ(result.StartHours(3), 1);
  EXPECT_NE(result.transcript.find("no-data"), std::string::npos);
}

TEST(PlannerTest, WeighsAStartOverAllLengthsThatAreBelieved) {
  // Of unknown length: mostly an hour, now and then ten, on average 2.8. Three
  // hours from 2 on are the cleanest, but the seven after them are the
  // dirtiest; from 12 on it is clean for long, and best at first.
  std::vector<double> grid(48, 400);
  for (int h = 2; h < 5; ++h) grid[h] = 10;
  for (int h = 12; h < 48; ++h) grid[h] = 100 + h;
  ClusterBuilder cluster;
  cluster.Site("only");
  auto learnt = std::make_unique<LearnedBeliefs>();
  for (int i = 0; i < 300; ++i) {
    Job job;
    job.spec.max_delay = absl::Hours(20);
    learnt->Observe(job, JobShape(), absl::Hours(i % 5 == 0 ? 10 : 1), true);
  }
  Engine engine(cluster.topology(), *MakePolicy("planner", {}), MakePolicy,
                {.beliefs = std::move(learnt)});
  const std::vector<Event> first = {
      Join(1, 0, 8), ForecastIssued{RegionId(0), HourlyForecast(grid)}};
  engine.Step(T(0), first);
  JobSubmitted job = Submit(engine, 1, 1);
  job.spec.max_delay = absl::Hours(20);
  const std::vector<Event> events = {job};
  const Effects& effects = engine.Step(T(0), events);
  ASSERT_EQ(effects.decisions.size(), 1u);
  // At the mean length it would be T(2).
  EXPECT_GE(effects.decisions[0].until, T(12));
}

TEST(CarbonTimeTest, WaitsOnlyAsLongAsWaitingPays) {
  // 3 hours save 200 of 300 a kilowatt-hour, 5 hours 210: 50 against 35 for
  // each hour until the end.
  std::vector<double> grid = Flat(300);
  grid[3] = 100;
  grid[5] = 90;
  Play eager = OneSite("carbon-time", grid);
  eager.Job({.max_delay_h = 6});
  EXPECT_EQ(eager.Run().StartHours(1), 3);
  Play patient = OneSite("lowest-window", grid);
  patient.Job({.max_delay_h = 6});
  EXPECT_EQ(patient.Run().StartHours(1), 5);
}

}  // namespace
}  // namespace ccsched::testing
