// Tests of Engine::Step: jobs lost again and again, asked to suspend or resize.
// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <memory>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/core/engine.h"
#include "tests/builders.h"

namespace ccsched {
namespace {

using testing::ClusterBuilder;
using testing::End;
using testing::Join;
using testing::Submit;
using testing::T;

// Starts every queued job where it fits; does as told otherwise.
class Greedy : public Policy {
 public:
  void Decide(const PolicyInput& in, Actions& actions) override {
    if (script) std::exchange(script, nullptr)(in, actions);
    for (JobRef head; (head = in.queue.Head()) != kNoJob;) {
      if (!actions.Start(head, in.placement(head).front(), {})) return;
    }
  }
  bool TakesUpSuspended() const override { return takes_up_suspended; }
  std::function<void(const PolicyInput&, Actions&)> script;
  bool takes_up_suspended = false;
};

class GoingOnTest : public ::testing::Test {
 protected:
  GoingOnTest() {
    cluster_.Site("iowa");
    Build(/*resize_in_place=*/false);
  }
  void Build(bool resize_in_place) {
    auto policy = std::make_unique<Greedy>();
    policy_ = policy.get();
    EngineOptions options;
    options.resize_in_place = resize_in_place;
    engine_ = cluster_.Build(std::move(policy), std::move(options));
  }
  const Effects& Step(absl::Time at, std::vector<Event> events) {
    return engine_->Step(at, events);
  }
  const Job& JobOf(uint64_t id) const { return *engine_->job(JobId(id)); }
  // A job of 2 accelerators that can have 1 to 8, running on a node of 8.
  void RunElastic(absl::Duration checkpoint = absl::ZeroDuration(),
                  absl::Duration restart = absl::ZeroDuration()) {
    JobSubmitted e = Submit(*engine_, 1, 2);
    e.shape.checkpoint = checkpoint;
    e.shape.restart = restart;
    e.shape.min_count = 1;
    e.shape.max_count = 8;
    e.shape.suspendable = true;
    Step(T(0), {Join(1, 0, 8), e});
    Step(T(0), {AttemptStarted{JobId(1), Epoch(1), T(0)}});
  }
  static Event Suspended(uint64_t job, uint32_t epoch, double hours) {
    return AttemptEnded{.job = JobId(job),
                        .epoch = Epoch(epoch),
                        .at = T(hours),
                        .outcome = Outcome::kSuspended,
                        .work = absl::Minutes(30)};
  }

  ClusterBuilder cluster_;
  Greedy* policy_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(GoingOnTest, PausesAJobThatIsLostAgainAndAgain) {
  Step(T(0), {Join(1, 0, 8), Submit(*engine_, 1)});
  absl::Time now = T(0);
  std::vector<absl::Duration> pauses;
  for (uint32_t epoch = 1; epoch <= 14; ++epoch) {
    const Effects& lost = Step(now, {AttemptEnded{.job = JobId(1),
                                                  .epoch = Epoch(epoch),
                                                  .at = now,
                                                  .outcome = Outcome::kLost}});
    if (JobOf(1).state == JobState::kStarting) {
      pauses.push_back(absl::ZeroDuration());
      continue;
    }
    ASSERT_EQ(JobOf(1).state, JobState::kDeferred);
    ASSERT_FALSE(lost.decisions.empty());
    EXPECT_EQ(lost.decisions.back().reason.code, ReasonCode::kLosses);
    pauses.push_back(lost.wake - now);
    now = lost.wake;
    EXPECT_EQ(Step(now, {Tick{}}).starts.size(), 1u);
  }
  EXPECT_THAT(std::vector<absl::Duration>(pauses.begin(), pauses.begin() + 5),
              ::testing::ElementsAre(absl::ZeroDuration(), absl::ZeroDuration(),
                                     absl::Seconds(1), absl::Seconds(2),
                                     absl::Seconds(4)));
  EXPECT_EQ(pauses.back(), absl::Minutes(5)) << "the longest pause";
}

TEST_F(GoingOnTest, AJobWhoseNodesAreLostAgainAndAgainPausesToo) {
  Step(T(0), {Join(1, 0, 8), Submit(*engine_, 1)});
  for (int loss = 1; loss <= 2; ++loss) {
    Step(T(0), {NodeLost{NodeId(1)}});
    Step(T(0), {Join(1, 0, 8)});
    EXPECT_EQ(JobOf(1).state, JobState::kStarting);
  }
  EXPECT_EQ(Step(T(0), {NodeLost{NodeId(1)}}).wake, T(0) + absl::Seconds(1));
  EXPECT_EQ(JobOf(1).losses, 3);
  EXPECT_EQ(engine_->LiveJobs().front().losses, 3);
}

TEST_F(GoingOnTest, ALossAfterALongRunCostsNoPause) {
  Step(T(0), {Join(1, 0, 8), Submit(*engine_, 1)});
  for (uint32_t epoch = 1; epoch <= 6; ++epoch) {
    Step(T(epoch), {End(1, epoch, epoch, Outcome::kLost)});
    EXPECT_EQ(JobOf(1).state, JobState::kStarting) << "epoch " << epoch;
  }
}

TEST_F(GoingOnTest, ARestoredJobPausesAsLongAsBeforeTheRestart) {
  RestoredJob r;
  const JobSubmitted like = Submit(*engine_, 1);
  r.spec = like.spec;
  r.shape = like.shape;
  r.state = JobState::kRunning;
  r.epoch = Epoch(5);
  r.losses = 4;
  r.pool = PoolId(0);
  r.count = 1;
  r.start = T(0);
  r.nodes = {{NodeId(1), 1}};
  ASSERT_TRUE(engine_->Restore({{NodeId(1), PoolId(0), 8, false}}, {r}).ok());
  const Effects& effects =
      Step(T(0), {Join(1, 0, 8), End(1, 5, 0, Outcome::kLost)});
  EXPECT_EQ(effects.wake, T(0) + absl::Seconds(4));
}

TEST_F(GoingOnTest, AJobThatDeclinesToSuspendRunsOnAndIsLeftAloneForAWhile) {
  RunElastic();
  const auto suspend = [](const PolicyInput& in, Actions& actions) {
    actions.Suspend(in.jobs.Find(JobId(1)), {});
  };
  policy_->script = suspend;
  EXPECT_EQ(Step(T(1), {Tick{}}).stops.size(), 1u);
  EXPECT_EQ(JobOf(1).state, JobState::kSuspending);
  Step(T(1), {SuspendDeclined{JobId(1), Epoch(1)}});
  EXPECT_EQ(JobOf(1).state, JobState::kRunning);
  policy_->script = suspend;
  EXPECT_TRUE(Step(T(1.1), {Tick{}}).stops.empty()) << "asked again too soon";
  policy_->script = suspend;
  EXPECT_EQ(Step(T(1.2), {Tick{}}).stops.size(), 1u);
}

TEST_F(GoingOnTest, LearnsWhatACheckpointCosts) {
  RunElastic();
  policy_->script = [](const PolicyInput& in, Actions& actions) {
    actions.Suspend(in.jobs.Find(JobId(1)), {});
  };
  Step(T(1), {Tick{}});
  Step(T(2), {AttemptEnded{.job = JobId(1),
                           .epoch = Epoch(1),
                           .at = T(2),
                           .outcome = Outcome::kSuspended,
                           .work = absl::Minutes(30),
                           .checkpoint = absl::Seconds(90)}});
  EXPECT_EQ(engine_->shape(JobOf(1)).checkpoint, absl::Seconds(128));
}

TEST_F(GoingOnTest, StartsAResizedJobAnewAtItsNewWidthInTheSameStep) {
  RunElastic();
  const Effects& asked = Step(T(1), {ResizeAsked{JobId(1), 6}});
  ASSERT_EQ(asked.resizes.size(), 1u);
  EXPECT_EQ(asked.resizes[0].count, 6u);
  EXPECT_TRUE(asked.stops.empty());
  EXPECT_EQ(JobOf(1).state, JobState::kSuspending);
  EXPECT_EQ(engine_->pools()[0].free, 6u)
      << "nothing moves before it has saved";
  const Effects& resized = Step(T(1.5), {Suspended(1, 1, 1.5)});
  ASSERT_EQ(resized.starts.size(), 1u);
  EXPECT_EQ(resized.starts[0].count, 6u);
  EXPECT_EQ(resized.starts[0].epoch, Epoch(2));
  EXPECT_TRUE(resized.starts[0].resume);
  EXPECT_EQ(engine_->pools()[0].free, 2u);
}

TEST_F(GoingOnTest, OnlyAWidthThatCostsNoTimeIsTakenAsTheJobRuns) {
  const absl::Duration none = absl::ZeroDuration(), some = absl::Minutes(5);
  for (const auto& [checkpoint, restart] :
       {std::pair(none, none), std::pair(some, none), std::pair(none, some)}) {
    Build(/*resize_in_place=*/true);
    RunElastic(checkpoint, restart);
    const bool free = checkpoint + restart == none;
    const Effects& asked = Step(T(1), {ResizeAsked{JobId(1), 6}});
    ASSERT_EQ(asked.resizes.size(), 1u);
    EXPECT_EQ(asked.resizes[0].nodes.empty(), !free);
    EXPECT_EQ(JobOf(1).state,
              free ? JobState::kRunning : JobState::kSuspending);
    EXPECT_EQ(engine_->pools()[0].free, free ? 2u : 6u);
  }
}

TEST_F(GoingOnTest, AWidthThatIsTakenMeanwhileBecomesTheNearestThatIsFree) {
  RunElastic();
  Step(T(1), {ResizeAsked{JobId(1), 8}});
  Step(T(1), {Submit(*engine_, 2, 3)});
  const Effects& resized = Step(T(1.5), {Suspended(1, 1, 1.5)});
  ASSERT_EQ(resized.starts.size(), 1u);
  EXPECT_EQ(resized.starts[0].count, 5u);
}

TEST_F(GoingOnTest, ADeclinedResizeLeavesTheJobAtItsOldWidth) {
  RunElastic();
  Step(T(1), {ResizeAsked{JobId(1), 8}});
  const Effects& declined = Step(T(1), {SuspendDeclined{JobId(1), Epoch(1)}});
  EXPECT_TRUE(declined.starts.empty());
  EXPECT_EQ(JobOf(1).state, JobState::kRunning);
  EXPECT_EQ(engine_->run(JobOf(1))->count, 2u);
}

TEST_F(GoingOnTest, AHoldTakesTheWordOfAResize) {
  RunElastic();
  Step(T(1), {ResizeAsked{JobId(1), 8}, JobHeld{JobId(1)}});
  const Effects& effects = Step(T(1.5), {Suspended(1, 1, 1.5)});
  EXPECT_TRUE(effects.starts.empty());
  EXPECT_EQ(JobOf(1).state, JobState::kHeld);
}

TEST_F(GoingOnTest, AResizedJobWhoseNodeIsDrainedMeanwhileQueues) {
  RunElastic();
  Step(T(1), {ResizeAsked{JobId(1), 4}, NodeDrained{NodeId(1), true}});
  EXPECT_TRUE(Step(T(1.5), {Suspended(1, 1, 1.5)}).starts.empty());
  EXPECT_EQ(JobOf(1).state, JobState::kQueued);
  const Effects& effects = Step(T(2), {NodeDrained{NodeId(1), false}});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_TRUE(effects.starts[0].resume);
}

TEST_F(GoingOnTest, AJobLetGoBeforeItHasSavedGoesOnAsItWas) {
  RunElastic();
  Step(T(1), {JobHeld{JobId(1)}, JobReleased{JobId(1)}});
  const Effects& effects = Step(T(1.5), {Suspended(1, 1, 1.5)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].count, 2u);
}

TEST_F(GoingOnTest, WhatAnotherPolicySuspendedGoesToItsOldPlaceInTheQueue) {
  RunElastic();
  Step(T(1), {Submit(*engine_, 2, 7)});
  policy_->takes_up_suspended = true;
  policy_->script = [](const PolicyInput& in, Actions& actions) {
    actions.Suspend(in.jobs.Find(JobId(1)), {});
  };
  Step(T(1), {Tick{}});
  Step(T(1.5), {NodeDrained{NodeId(1), true}, Suspended(1, 1, 1.5)});
  ASSERT_EQ(JobOf(1).state, JobState::kSuspended);
  policy_->takes_up_suspended = false;
  Step(T(2), {Tick{}});
  EXPECT_EQ(JobOf(1).state, JobState::kQueued);
  const Effects& effects = Step(T(3), {NodeDrained{NodeId(1), false}});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(1)) << "it came before the other";
}

TEST_F(GoingOnTest, ARestoredSuspendedJobKeepsItsPlaceInTheQueue) {
  std::vector<RestoredJob> jobs;
  for (const uint64_t id : {1, 2}) {
    const JobSubmitted like = Submit(*engine_, id, 8);
    RestoredJob& r = jobs.emplace_back();
    r.spec = like.spec;
    r.shape = like.shape;
    r.state = id == 1 ? JobState::kQueued : JobState::kSuspended;
    r.queue_key = id == 1 ? 20 : 10;
  }
  ASSERT_TRUE(engine_->Restore({{NodeId(1), PoolId(0), 8, false}}, jobs).ok());
  const Effects& effects = Step(T(0), {Join(1, 0, 8)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(2));
}

TEST_F(GoingOnTest, RefusesAWidthOutsideOfTheJobsRange) {
  RunElastic();
  const Effects& effects = Step(T(1), {ResizeAsked{JobId(1), 9}});
  ASSERT_EQ(effects.refusals.size(), 1u);
  EXPECT_THAT(std::string(effects.refusals[0].status.message()),
              ::testing::HasSubstr("from 1 to 8"));
}

}  // namespace
}  // namespace ccsched
