// A shadow policy: what it would have done, beside what was done.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/shadow.h"

#include <map>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "policies/registry.h"
#include "tests/builders.h"

namespace ccsched {
namespace {

using testing::ClusterBuilder;
using testing::End;
using testing::HourlyForecast;
using testing::Join;
using testing::Submit;
using testing::T;

// A live cluster of two sites with four accelerators each: iowa at 400 g/kWh
// until the sixth hour, then 100; oregon always at 200.
class ShadowTest : public ::testing::Test {
 protected:
  ShadowTest() {
    cluster_.Site("iowa").Site("oregon");
    live_ = cluster_.Build(*MakePolicy("fcfs", {}));
    std::vector<double> iowa(48, 100);
    for (int h = 0; h < 6; ++h) iowa[h] = 400;
    Step(0, {Join(1, 0, 4), Join(2, 1, 4),
             ForecastIssued{RegionId(0), HourlyForecast(iowa)},
             ForecastIssued{RegionId(1),
                            HourlyForecast(std::vector<double>(48, 200))}});
  }
  void StartShadow(const std::string& policy, bool knows_iowa = true) {
    ShadowSetup setup;
    setup.topology = cluster_.topology();
    placements_ = live_->Placements(0).size();
    setup.placements = live_->Placements(0);
    setup.nodes = {{NodeId(1), PoolId(0), 4, false},
                   {NodeId(2), PoolId(1), 4, false, /*containers=*/true}};
    setup.jobs = live_->LiveJobs();
    setup.grid = live_->grid();
    if (!knows_iowa) setup.grid.forecasts[0] = nullptr;
    setup.now = T(now_);
    shadow_ = std::make_unique<Shadow>(std::move(setup),
                                       *MakePolicy(policy, {}), MakePolicy);
  }
  void Step(double hours, std::vector<Event> events) {
    now_ = hours;
    const Effects& effects = live_->Step(T(hours), events);
    ASSERT_TRUE(effects.refusals.empty());
    if (shadow_ == nullptr) return;
    ShadowStep step{.now = T(hours),
                    .events = events,
                    .placements = live_->Placements(placements_),
                    .starts = effects.starts};
    placements_ += step.placements.size();
    shadow_->Follow(step);
  }
  Event Job(uint64_t id, double submitted, uint32_t count = 1,
            absl::Duration believed = absl::Hours(1)) {
    JobSubmitted e = Submit(*live_, id, count);
    e.spec.submitted = T(submitted);
    e.spec.runtime = believed;
    e.spec.max_delay = absl::Hours(12);
    return e;
  }

  ClusterBuilder cluster_;
  std::unique_ptr<Engine> live_;
  std::unique_ptr<Shadow> shadow_;
  size_t placements_ = 0;
  double now_ = 0;
};

TEST_F(ShadowTest, TheSamePolicyAgreesInEverything) {
  StartShadow("fcfs");
  Step(1, {Job(1, 1), Job(2, 1, 4)});
  Step(2, {End(1, 1, 2), Job(3, 2)});
  Step(3, {End(2, 1, 3), End(3, 1, 3)});
  Step(4, {Tick{}});
  const ShadowSummary s = shadow_->Summary();
  EXPECT_EQ(s.compared, 3u);
  EXPECT_EQ(s.agreed, 3u);
  EXPECT_NEAR(s.live.co2e.value(), s.shadow.co2e.value(), 1e-9);
  EXPECT_EQ(s.live.wait, s.shadow.wait);
}

// Missing is unknown, never zero; and left out on both sides.
TEST_F(ShadowTest, CountsNoCarbonOfWhatRanOnAGridThatIsNotKnown) {
  StartShadow("fcfs", /*knows_iowa=*/false);
  Step(1, {Job(1, 1, 4), Job(2, 1)});  // at iowa, and at oregon
  Step(2, {End(1, 1, 2), End(2, 1, 2)});
  Step(3, {Tick{}});
  const ShadowSummary s = shadow_->Summary();
  EXPECT_EQ(s.compared, 2u);
  EXPECT_EQ(s.unknown, 1u);
  EXPECT_NEAR(s.live.co2e.value(), 0.3 * 200, 1e-9);
  EXPECT_NEAR(s.shadow.co2e.value(), 0.3 * 200, 1e-9);
}

TEST_F(ShadowTest, SaysWhatAnotherPolicyWouldHaveEmittedAndWaited) {
  StartShadow("lowest-window");
  Step(1, {Job(1, 1)});
  Step(2, {End(1, 1, 2)});
  // The shadow waits for the clean hour; until then there is nothing to tell.
  EXPECT_EQ(shadow_->Summary().compared, 0u);
  EXPECT_EQ(shadow_->Summary().waiting, 1u);
  Step(8, {Tick{}});
  const ShadowSummary s = shadow_->Summary();
  ASSERT_EQ(s.compared, 1u);
  EXPECT_EQ(s.agreed, 0u);
  EXPECT_NEAR(s.live.co2e.value(), 0.3 * 400, 1e-9);
  EXPECT_NEAR(s.shadow.co2e.value(), 0.3 * 100, 1e-9);
  EXPECT_EQ(s.live.wait, absl::ZeroDuration());
  EXPECT_EQ(s.shadow.wait, absl::Hours(5));
  ASSERT_EQ(s.latest.size(), 1u);
  EXPECT_EQ(s.latest[0].live->second, T(1));
  EXPECT_EQ(s.latest[0].shadow->second, T(6));
}

TEST_F(ShadowTest, LearnsHowLongAJobRunsFromTheLiveCluster) {
  StartShadow("fcfs");
  // Believed to run for an hour, it runs for three, and fills iowa.
  Step(1, {Job(1, 1, 4)});
  Step(3, {Job(2, 3, 4)});
  ASSERT_EQ(shadow_->Summary().running, 2u) << "the first still runs";
  Step(4, {End(1, 1, 4)});
  EXPECT_EQ(shadow_->Summary().compared, 1u);
  EXPECT_EQ(shadow_->Summary().agreed, 1u);
}

TEST_F(ShadowTest, TakesUpWhatRunsAndWaitsWhenItBegins) {
  Step(1, {Job(1, 1, 4), Job(2, 1, 4), Job(3, 1, 4)});
  StartShadow("fcfs");
  EXPECT_EQ(shadow_->Summary().running, 2u);
  EXPECT_EQ(shadow_->Summary().waiting, 1u);
  Step(2, {End(1, 1, 2)});
  EXPECT_EQ(shadow_->Summary().running, 2u);
  EXPECT_EQ(shadow_->Summary().waiting, 0u);
  EXPECT_EQ(shadow_->Summary().compared, 0u) << "none of them began with it";
}

TEST_F(ShadowTest, RunsImagesWhereTheLiveClusterCan) {
  Step(0, {NodeJoined{NodeId(2), PoolId(1), 4, /*containers=*/true}});
  StartShadow("fcfs");
  Event event = Job(1, 1);
  std::get<JobSubmitted>(event).shape.container = true;
  Step(1, {event});
  EXPECT_EQ(shadow_->Summary().running, 1u);
  ASSERT_EQ(shadow_->Summary().latest.size(), 1u);
  EXPECT_EQ(shadow_->Summary().latest[0].shadow->first, PoolId(1));
}

TEST_F(ShadowTest, LeavesTheLiveClusterAsItIs) {
  StartShadow("lowest-window");
  Step(1, {Job(1, 1), Job(2, 1, 4)});
  EXPECT_EQ(live_->job(JobId(1))->state, JobState::kStarting);
  Step(2, {JobCancelled{JobId(1)}});
  EXPECT_EQ(live_->job(JobId(1))->state, JobState::kStopping);
}

TEST_F(ShadowTest, ForgetsCancelledJobs) {
  StartShadow("lowest-window");
  Step(1, {Job(1, 1)});
  Step(2, {JobCancelled{JobId(1)}});
  Step(3, {End(1, 1, 3, Outcome::kStopped)});
  Step(20, {Tick{}});
  EXPECT_EQ(shadow_->Summary().compared, 0u);
  EXPECT_EQ(shadow_->Summary().waiting, 0u);
}

}  // namespace
}  // namespace ccsched
