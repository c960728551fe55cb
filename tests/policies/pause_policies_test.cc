// Policies that pause, widen or ration work.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

Play OneSite(const std::string& policy, std::vector<double> grid,
             uint32_t room = 8, const PolicyParameters& parameters = {}) {
  ClusterBuilder cluster;
  cluster.Site("only");
  Play play(cluster.topology(), *MakePolicy(policy, parameters));
  play.Forecast(0, std::move(grid)).Node(0, room);
  return play;
}

const std::vector<double> kTwoDips = {300, 100, 250, 90,  280, 300, 300, 300,
                                      300, 300, 300, 300, 300, 300, 300, 300,
                                      300, 300, 300, 300, 300, 300, 300, 300};

// --- wait-awhile

TEST(WaitAwhileTest, RunsInTheCheapestHoursSuspendedBetween) {
  Play play = OneSite("wait-awhile", kTwoDips);
  play.Job({.runtime_h = 2, .max_delay_h = 6, .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "1-2@0x1 3-4@0x1");
}

TEST(WaitAwhileTest, TheDearestHourInUseIsUsedFromItsBeginning) {
  Play play = OneSite("wait-awhile", kTwoDips);
  play.Job({.runtime_h = 1.5, .max_delay_h = 6, .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "1-1.5@0x1 3-4@0x1");
}

TEST(WaitAwhileTest, AJobThatCannotPauseRunsUnbroken) {
  Play play = OneSite("wait-awhile", kTwoDips);
  play.Job({.runtime_h = 2, .max_delay_h = 6});
  EXPECT_EQ(play.Run().Stretches(1), "2-4@0x1");
}

TEST(WaitAwhileTest, AJobLongerThanBelievedGoesOn) {
  Play play = OneSite("wait-awhile", kTwoDips);
  play.Job({.runtime_h = 2.5,
            .believed_h = 2,
            .max_delay_h = 6,
            .suspendable = true});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.ends.size(), 1u);
  EXPECT_LE(result.EndHours(1), 8.5);
}

TEST(WaitAwhileTest, OverheadsAreCountedAgainstThePromise) {
  Play play = OneSite("wait-awhile", kTwoDips);
  play.Job({.runtime_h = 2,
            .max_delay_h = 2,
            .suspendable = true,
            .checkpoint_h = 0.25,
            .restart_h = 0.25});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(1), 4 + 1e-6);
}

TEST(WaitAwhileTest, AJobThatFoundNoRoomIsPlannedAnew) {
  Play play = OneSite("wait-awhile", kTwoDips, 1);
  play.Job({.runtime_h = 2.5, .max_delay_h = 0});
  play.Job({.runtime_h = 1.5, .max_delay_h = 6, .suspendable = true});
  const PlayResult result = play.Run();
  // The hour from 1 is lost; of those left, 3 is the cheapest and 2 the next.
  EXPECT_EQ(result.Stretches(2), "2.5-4@0x1");
}

// What a policy offers a job of two hours, submitted at T(0), that may wait
// six.
std::vector<Choice> OffersOf(const std::string& policy,
                             const std::vector<double>& grid) {
  ClusterBuilder cluster;
  cluster.Site("only");
  const auto engine = cluster.Build(*MakePolicy(policy, {}));
  const std::vector<Event> events = {
      Join(1, 0, 8), ForecastIssued{RegionId(0), HourlyForecast(grid)}};
  engine->Step(T(0), events);
  JobSubmitted job = Submit(*engine, 1, 1);
  job.spec.runtime = absl::Hours(2);
  job.spec.max_delay = absl::Hours(6);
  job.shape.suspendable = true;
  return engine->Offers(T(0), job.spec, job.shape);
}

TEST(WaitAwhileTest, OffersWhatItsPlanEmits) {
  const std::vector<Choice> offers = OffersOf("wait-awhile", kTwoDips);
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].start, T(1));
  // An hour of 100 and one of 90 g/kWh at 300 W.
  EXPECT_NEAR(offers[0].carbon.value(), 57, 1e-9);
}

TEST(EcovisorTest, OffersTheFirstHourBelowItsThreshold) {
  std::vector<double> grid(24, 300);
  for (int h = 2; h < 10; ++h) grid[h] = 100.0 + h;
  const std::vector<Choice> offers = OffersOf("ecovisor", grid);
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].start, T(2));
}

// --- ecovisor

TEST(EcovisorTest, RunsStrictlyBelowTheDaysThirtiethPercentile) {
  // 7.2 of the 24 hours lie below the percentile: six of 100, then 200.
  std::vector<double> grid(24, 300);
  for (const int h : {2, 3, 8, 9, 10, 11}) grid[h] = 100;
  for (const int h : {5, 6}) grid[h] = 200;
  Play play = OneSite("ecovisor", grid);
  play.Job({.runtime_h = 3, .max_delay_h = 20, .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "2-4@0x1 8-9@0x1");
}

TEST(EcovisorTest, RunsOnOnceTheDelayIsUsedUp) {
  std::vector<double> grid(24, 300);
  for (const int h : {2, 3, 8, 9, 10, 11}) grid[h] = 100;
  for (const int h : {5, 6}) grid[h] = 200;
  Play play = OneSite("ecovisor", grid);
  play.Job({.runtime_h = 5, .max_delay_h = 3.5, .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "2-4@0x1 5.5-8.5@0x1");
}

TEST(EcovisorTest, AFlatGridIsNeverBelowItself) {
  Play play = OneSite("ecovisor", std::vector<double>(24, 300));
  play.Job({.runtime_h = 5, .max_delay_h = 4, .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "4-9@0x1");
}

// --- carbon-scaler

TEST(CarbonScalerTest, RunsAsWideAsItMayInTheCleanestHour) {
  Play play = OneSite("carbon-scaler", kTwoDips);
  play.Job({.runtime_h = 2,
            .count = 2,
            .min_count = 1,
            .max_count = 4,
            .max_delay_h = 6,
            .suspendable = true});
  EXPECT_EQ(play.Run().Stretches(1), "3-4@0x4");
}

TEST(CarbonScalerTest, NarrowsWhereAnotherAcceleratorWouldAddLittle) {
  // With a poor speed-up the first accelerator of a dear hour does more for
  // its carbon than the fourth of a cheap one.
  ClusterBuilder cluster;
  cluster.Site("only");
  std::vector<double> grid(24, 1000);
  grid[1] = 100;
  grid[2] = 110;
  Play play(cluster.topology(),
            *MakePolicy("carbon-scaler", {{"speedup_exponent", 0.5}}));
  play.Forecast(0, grid).Node(0, 8);
  // sqrt(4) = 2 hours of work in the hour from 1 at full width. The greedy
  // takes the first accelerators of both hours instead.
  play.Job({.runtime_h = 2,
            .count = 1,
            .max_count = 4,
            .max_delay_h = 6,
            .suspendable = true});
  const PlayResult result = play.Run(3);
  ASSERT_FALSE(result.transcript.empty());
  EXPECT_NE(result.transcript.find("start 1 pool 0"), std::string::npos)
      << result.transcript;
  EXPECT_NE(result.transcript.find("63.000 g"), std::string::npos)
      << result.transcript;
}

// The half hour or so on two accelerators in the cleanest hour is followed by a
// checkpoint there and a restart on one; the plan that is missed is made anew.
TEST(CarbonScalerTest, AnotherWidthCostsACheckpointAndARestart) {
  std::vector<double> grid(24, 1000);
  grid[0] = 100;
  grid[1] = 110;
  PlayJob job = {.runtime_h = 2.2,
                 .count = 1,
                 .max_count = 4,
                 .exponent = 0.5,
                 .max_delay_h = 6,
                 .suspendable = true};
  const auto stretches = [&] {
    Play play = OneSite("carbon-scaler", grid, 8, {{"speedup_exponent", 0.5}});
    play.Job(job);
    return play.Run().Stretches(1);
  };
  EXPECT_EQ(stretches(), "0-0.482843@0x2 0.482843-2@0x1");
  job.checkpoint_h = 0.05;
  job.restart_h = 0.1;
  EXPECT_EQ(stretches(), "0-0.532843@0x2 0.532843-2.15@0x1");
}

TEST(CarbonScalerTest, IsNotStoppedForAWidthThatHasNoRoom) {
  Play play = OneSite("carbon-scaler", kTwoDips, 5);
  play.Job({.runtime_h = 8, .count = 3, .max_delay_h = 0});
  play.Job({.submit_h = 1,
            .runtime_h = 2,
            .count = 2,
            .min_count = 1,
            .max_count = 4,
            .max_delay_h = 3,
            .suspendable = true,
            .checkpoint_h = 0.05,
            .restart_h = 0.1});
  EXPECT_EQ(play.Run().Stretches(2), "3-7@0x1");
}

// --- threshold

TEST(ThresholdTest, AllMayRunAtTheLeastIntensityAndAFifthAtTheGreatest) {
  std::vector<double> grid(48, 200);
  grid[0] = 400;
  grid[1] = 100;
  Play play = OneSite("threshold", grid, 10);
  for (int i = 0; i < 10; ++i) play.Job({.runtime_h = 5});
  const PlayResult result = play.Run();
  int at_first = 0;
  int at_second = 0;
  for (const auto& [id, end] : result.ends) {
    at_first += result.StartHours(id) == 0;
    at_second += result.StartHours(id) == 1;
  }
  EXPECT_EQ(at_first, 2);
  EXPECT_EQ(at_second, 8);
}

TEST(ThresholdTest, AFlatGridRationsNothing) {
  Play play = OneSite("threshold", std::vector<double>(48, 300), 10);
  for (int i = 0; i < 10; ++i) play.Job({});
  const PlayResult result = play.Run();
  for (const auto& [id, end] : result.ends) EXPECT_EQ(end, T(1));
}

// --- capacity-curve

TEST(CapacityCurveTest, KeepsADirtyHourEmptyOnceADayWasSeen) {
  std::vector<double> grid(24, 500);
  for (int h = 12; h < 24; ++h) grid[h] = 50;
  Play play = OneSite("capacity-curve", grid, 10);
  // One accelerator-hour in each hour of two days.
  for (int h = 0; h < 48; ++h) {
    play.Job({.submit_h = static_cast<double>(h), .max_delay_h = 20});
  }
  const PlayResult result = play.Run();
  int first_day = 0;
  int second_day = 0;
  for (uint64_t id = 1; id <= 48; ++id) {
    const double start = result.StartHours(id);
    first_day += start < 12;
    second_day += start >= 24 && start < 36;
  }
  EXPECT_EQ(first_day, 12);
  EXPECT_EQ(second_day, 0);
  EXPECT_EQ(result.ends.size(), 48u);
}

}  // namespace
}  // namespace ccsched::testing
