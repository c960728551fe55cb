// The planner keeps promises by suspending those who can still wait.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

Play OneSite(const std::vector<uint32_t>& nodes) {
  ClusterBuilder cluster;
  cluster.Site("only");
  Play play(cluster.topology(), *MakePolicy("planner", {}));
  play.Forecast(0, std::vector<double>(24, 300.0));
  for (const uint32_t count : nodes) play.Node(0, count);
  return play;
}

// Runs far longer than believed, and may wait for a day meanwhile.
PlayJob Overlong(uint32_t count) {
  return {.runtime_h = 30,
          .believed_h = 2,
          .count = count,
          .max_delay_h = 24,
          .suspendable = true,
          .checkpoint_h = 0.1,
          .restart_h = 0.1};
}

TEST(PlannerPromisesTest, MakesRoomForAJobThatMustStartNow) {
  Play play = OneSite({8});
  play.Job(Overlong(8));
  play.Job({.submit_h = 1, .runtime_h = 2, .count = 8, .max_delay_h = 4});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(2), 1 + 2 + 4 + 1e-6) << result.Stretches(1);
  EXPECT_LE(result.EndHours(1), 30 + 24 + 1e-6) << result.Stretches(1);
}

TEST(PlannerPromisesTest, SuspendsThoseOnOneNodeOnly) {
  Play play = OneSite({4, 4});
  for (int i = 0; i < 4; ++i) play.Job(Overlong(2));
  play.Job({.submit_h = 1, .runtime_h = 2, .count = 4, .max_delay_h = 4});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(5), 1 + 2 + 4 + 1e-6);
  int gave_way = 0;
  for (uint64_t job = 1; job <= 4; ++job) {
    EXPECT_LE(result.EndHours(job), 30 + 24 + 1e-6) << result.Stretches(job);
  }
  for (const PlayStretch& s : result.stretches) {
    gave_way += s.job < 5 && s.end <= T(4.7);
  }
  EXPECT_EQ(gave_way, 2);
}

TEST(PlannerPromisesTest, NobodyMakesRoomWhoWouldThenBeLate) {
  Play play = OneSite({8});
  PlayJob pressed = Overlong(8);
  pressed.max_delay_h = 1;
  play.Job(pressed);
  play.Job({.submit_h = 1, .runtime_h = 2, .count = 8, .max_delay_h = 4});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(1), 30 + 1 + 1e-6) << result.Stretches(1);
  EXPECT_GT(result.EndHours(2), 30);
}

// The room that is planned for a job comes free a little later than planned.
TEST(PlannerPromisesTest, WaitsForTheRoomOfOneThatTakesLongerToLeave) {
  ClusterBuilder cluster;
  cluster.Site("clean");
  cluster.Site("dirty");
  Play play(cluster.topology(), *MakePolicy("planner", {}));
  std::vector<double> day(24, 100.0);
  day[2] = day[3] = 600;
  play.Forecast(0, day);
  play.Forecast(1, std::vector<double>(24, 5000.0));
  play.Node(0, 1);
  play.Node(1, 1);
  play.Job({.runtime_h = 4,
            .max_delay_h = 2.1,
            .suspendable = true,
            .checkpoint_h = 0.05,
            .restart_h = 0.05,
            .late_h = 0.1});
  play.Job({.submit_h = 1, .runtime_h = 2, .max_delay_h = 2});
  const PlayResult result = play.Run();
  EXPECT_EQ(result.Stretches(2), "2.1-4.1@0x1") << result.transcript;
}

TEST(PlannerPromisesTest, PlansNoFurtherThanItHasToForAFarPromise) {
  Play play = OneSite({8});
  const double millennia = 8000.0 * 365 * 24;
  play.Job({.runtime_h = 1, .count = 8, .max_delay_h = millennia});
  const PlayResult result = play.Run();
  EXPECT_LE(result.EndHours(1), 61 * 24);
}

// A third more than there is room for, for five days: small jobs in
// great number, big ones, and a short one that needs all accelerators at once.
constexpr int kOverloadHours = 120;
constexpr uint64_t kWide = 1;
constexpr double kOverloadDelay = 12;

std::vector<PlayJob> Overload() {
  std::vector<PlayJob> jobs = {{.submit_h = 30,
                                .runtime_h = 0.1,
                                .count = 8,
                                .max_delay_h = kOverloadDelay}};
  for (int i = 0; i < kOverloadHours; ++i) {
    for (int j = 0; j < 6; ++j) {
      jobs.push_back({.submit_h = i + j / 6.0,
                      .runtime_h = 0.3 + 0.2 * ((i + 5 * j) % 7),
                      .max_delay_h = kOverloadDelay});
    }
    if (i % 15 != 0) continue;
    jobs.push_back({.submit_h = i + 0.1,
                    .runtime_h = 20,
                    .count = 4,
                    .max_delay_h = kOverloadDelay});
  }
  return jobs;
}

struct Lateness {
  int late = 0;
  double wide_waits_h = 0;
};

Lateness PlayOverload(const char* policy) {
  ClusterBuilder cluster;
  cluster.Site("only");
  Play play(cluster.topology(), *MakePolicy(policy, {}));
  std::vector<double> day(24, 300.0);
  for (int h = 10; h < 16; ++h) day[h] = 100;
  play.Forecast(0, day);
  play.Node(0, 8);
  const std::vector<PlayJob> jobs = Overload();
  for (const PlayJob& job : jobs) play.Job(job);
  const PlayResult result = play.Run();
  Lateness lateness;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const double wait = result.StartHours(i + 1) - jobs[i].submit_h;
    lateness.late += wait > kOverloadDelay + 1e-6;
    if (i + 1 == kWide) lateness.wide_waits_h = wait;
  }
  return lateness;
}

TEST(PlannerPromisesTest, FewAreLateAndNoneForEverWhereRoomIsLacking) {
  const Lateness planner = PlayOverload("planner");
  const Lateness backfill = PlayOverload("easy-backfill");
  EXPECT_LT(planner.late, backfill.late);
  EXPECT_LT(planner.wide_waits_h, kOverloadDelay + 24 + 10);
}

}  // namespace
}  // namespace ccsched::testing
