// Tests of Engine::Step: what events do, what is refused, what is restored.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/engine.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/builders.h"

namespace ccsched {
namespace {

using testing::ClusterBuilder;
using testing::End;
using testing::Join;
using testing::Submit;
using testing::T;

// Starts every queued job at the first pool with room; does as told otherwise.
class Greedy : public Policy {
 public:
  void Decide(const PolicyInput& in, Actions& actions) override {
    ++calls;
    if (script) script(in, actions);
    while (true) {
      const JobRef head = in.queue.Head();
      if (head == kNoJob) return;
      bool started = false;
      for (const PoolId pool : in.placement(head)) {
        started = started || actions.Start(head, pool, {}, 0);
      }
      if (!started) return;
    }
  }
  bool TakesUpSuspended() const override { return true; }
  std::function<void(const PolicyInput&, Actions&)> script;
  int calls = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    cluster_.Site("iowa").Site("oregon");
    auto policy = std::make_unique<Greedy>();
    policy_ = policy.get();
    engine_ = cluster_.Build(std::move(policy));
  }
  const Effects& Step(double hours, std::vector<Event> events) {
    return engine_->Step(T(hours), events);
  }
  JobState StateOf(uint64_t id) const { return engine_->job(JobId(id))->state; }

  ClusterBuilder cluster_;
  Greedy* policy_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, StartsAGangWholeOrNotAtAll) {
  const Effects& effects =
      Step(0, {Join(1, 0, 8), Join(2, 0, 8), Submit(*engine_, 1, 12),
               Submit(*engine_, 2, 12)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].nodes.size(), 2u);
  EXPECT_EQ(StateOf(2), JobState::kQueued);
  EXPECT_EQ(engine_->pools()[0].free, 0u);
}

TEST_F(EngineTest, StartsTheNextJobWhenOneEnds) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8), Submit(*engine_, 2, 8)});
  const Effects& effects = Step(1, {End(1, 1, 1)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(2));
  EXPECT_EQ(StateOf(1), JobState::kSucceeded);  // readable until the next step
  Step(2, {});
  EXPECT_EQ(engine_->job(JobId(1)), nullptr);
  EXPECT_EQ(engine_->live_jobs(), 1u);
}

TEST_F(EngineTest, RefusesAStaleEpoch) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8)});
  Step(1, {End(1, 1, 1, Outcome::kLost)});
  EXPECT_EQ(engine_->job(JobId(1))->epoch, Epoch(2));
  const Effects& effects = Step(2, {End(1, 1, 2, Outcome::kSucceeded)});
  ASSERT_EQ(effects.refusals.size(), 1u);
  EXPECT_TRUE(absl::IsFailedPrecondition(effects.refusals[0].status));
  EXPECT_EQ(StateOf(1), JobState::kStarting);
}

TEST_F(EngineTest, RefusesAnImpossibleRequestByName) {
  const Effects& effects =
      Step(0, {Join(1, 0, 8), Join(2, 1, 4), Submit(*engine_, 1, 9)});
  ASSERT_EQ(effects.refusals.size(), 1u);
  EXPECT_EQ(effects.refusals[0].event, 2u);
  EXPECT_THAT(std::string(effects.refusals[0].status.message()),
              ::testing::HasSubstr("9 accelerators"));
  EXPECT_EQ(engine_->job(JobId(1)), nullptr);
}

TEST_F(EngineTest, AcceptsAWideJobWhileASiteHasNoNodesYet) {
  EXPECT_TRUE(
      Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 9)}).refusals.empty());
}

TEST_F(EngineTest, CancelsARunningJobOnlyWhenItsNodesSaySo) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8)});
  const Effects& effects = Step(1, {JobCancelled{JobId(1)}});
  ASSERT_EQ(effects.stops.size(), 1u);
  EXPECT_EQ(effects.stops[0].why, StopWhy::kCancel);
  EXPECT_EQ(StateOf(1), JobState::kStopping);
  EXPECT_EQ(engine_->pools()[0].free, 0u);
  Step(2, {End(1, 1, 2, Outcome::kStopped)});
  EXPECT_EQ(StateOf(1), JobState::kCancelled);
  EXPECT_EQ(engine_->pools()[0].free, 8u);
}

TEST_F(EngineTest, AJobThatEndsWhileBeingCancelledHasEnded) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8)});
  Step(1, {JobCancelled{JobId(1)}, End(1, 1, 1, Outcome::kSucceeded)});
  EXPECT_EQ(StateOf(1), JobState::kSucceeded);
}

TEST_F(EngineTest, HoldsAndReleasesInTheOldState) {
  JobSubmitted job = Submit(*engine_, 1, 8);
  job.spec.held = true;
  Step(0, {Join(1, 0, 8), job});
  EXPECT_EQ(StateOf(1), JobState::kHeld);
  const Effects& effects = Step(1, {JobReleased{JobId(1)}});
  EXPECT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(Step(2, {JobHeld{JobId(1)}}).refusals.size(), 1u);  // it runs
}

TEST_F(EngineTest, StartsADependantOnlyAfterAllItsParentsSucceeded) {
  JobSubmitted child = Submit(*engine_, 3, 1);
  child.after = {JobId(1), JobId(2)};
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1), Submit(*engine_, 2), child});
  EXPECT_EQ(StateOf(3), JobState::kBlocked);
  Step(1, {End(1, 1, 1)});
  EXPECT_EQ(StateOf(3), JobState::kBlocked);
  EXPECT_EQ(Step(2, {End(2, 1, 2)}).starts.size(), 1u);
}

TEST_F(EngineTest, CancelsDependantsOfAFailedJobAllTheWayDown) {
  JobSubmitted child = Submit(*engine_, 2), grandchild = Submit(*engine_, 3);
  child.after = {JobId(1)};
  grandchild.after = {JobId(2)};
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1), child, grandchild});
  Step(1, {End(1, 1, 1, Outcome::kFailed)});
  EXPECT_EQ(StateOf(2), JobState::kCancelled);
  EXPECT_EQ(StateOf(3), JobState::kCancelled);
}

TEST_F(EngineTest, WakesADeferredJobAtItsTimeAndSaysWhen) {
  policy_->script = [](const PolicyInput& in, Actions& actions) {
    for (const JobRef ref : in.ready) {
      if (in.now < T(5)) actions.Defer(ref, T(5), PoolId(1), {});
    }
  };
  const Effects& effects =
      Step(0, {Join(1, 0, 8), Join(2, 1, 8), Submit(*engine_, 1)});
  EXPECT_EQ(effects.wake, T(5));
  EXPECT_EQ(StateOf(1), JobState::kDeferred);
  EXPECT_TRUE(Step(4, {Tick{}}).starts.empty());
  EXPECT_EQ(Step(5, {Tick{}}).starts.size(), 1u);
}

TEST_F(EngineTest, ACancelledDeferralWakesNobody) {
  policy_->script = [](const PolicyInput& in, Actions& actions) {
    for (const JobRef ref : in.ready) {
      actions.Defer(ref, T(5), PoolId(0), {});
    }
  };
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1)});
  EXPECT_EQ(Step(1, {JobCancelled{JobId(1)}}).wake, absl::InfiniteFuture());
}

TEST_F(EngineTest, SuspendsAndTakesUpWithTheWorkDone) {
  JobSubmitted job = Submit(*engine_, 1, 8);
  job.shape.suspendable = true;
  job.shape.restart = absl::Minutes(5);
  Step(0, {Join(1, 0, 8), job});
  policy_->script = [](const PolicyInput& in, Actions& actions) {
    if (in.now == T(1)) actions.Suspend(0, {});
    if (in.now == T(3)) actions.Start(in.suspended[0], PoolId(0), {}, 0);
  };
  ASSERT_EQ(Step(1, {Tick{}}).stops.size(), 1u);
  EXPECT_EQ(StateOf(1), JobState::kSuspending);
  Step(2, {AttemptEnded{.job = JobId(1),
                        .epoch = Epoch(1),
                        .at = T(2),
                        .outcome = Outcome::kSuspended,
                        .work = absl::Hours(1)}});
  EXPECT_EQ(StateOf(1), JobState::kSuspended);
  EXPECT_EQ(engine_->pools()[0].free, 8u);
  const Effects& effects = Step(3, {Tick{}});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_TRUE(effects.starts[0].resume);
  const Job& resumed = *engine_->job(JobId(1));
  EXPECT_EQ(resumed.executed, absl::Hours(1));
  EXPECT_EQ(engine_->run(resumed)->overhead, absl::Minutes(5));
}

TEST_F(EngineTest, LeavesTheJobsOfASilentNodeAlone) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8)});
  const Effects& effects = Step(1, {NodeSilent{NodeId(1)}});
  EXPECT_TRUE(effects.stops.empty());
  EXPECT_TRUE(effects.changed.empty());
  EXPECT_EQ(engine_->pools()[0].total, 0u);
}

TEST_F(EngineTest, RunsAJobAgainAfterItsNodeIsLostAndNotBefore) {
  Step(0, {Join(1, 0, 8), Submit(*engine_, 1, 8)});
  Step(1, {NodeSilent{NodeId(1)}, Join(2, 1, 8)});
  EXPECT_EQ(engine_->job(JobId(1))->epoch, Epoch(1));
  const Effects& effects = Step(2, {NodeLost{NodeId(1)}});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].epoch, Epoch(2));
  EXPECT_EQ(effects.starts[0].pool, PoolId(1));
}

TEST_F(EngineTest, StopsTheRestOfAGangWhenOneNodeIsLost) {
  Step(0, {Join(1, 0, 8), Join(2, 0, 8), Submit(*engine_, 1, 16)});
  const Effects& effects = Step(1, {NodeLost{NodeId(1)}});
  ASSERT_EQ(effects.stops.size(), 1u);
  EXPECT_EQ(effects.stops[0].why, StopWhy::kMove);
  Step(2, {End(1, 1, 2, Outcome::kStopped)});
  EXPECT_EQ(StateOf(1), JobState::kQueued);
}

TEST_F(EngineTest, FreezesTheBaselineAtTheFirstSiteWithRoom) {
  Step(0, {Join(1, 0, 8), Join(2, 1, 8), Submit(*engine_, 1, 8)});
  const Effects& effects = Step(1, {Submit(*engine_, 2, 8)});
  ASSERT_EQ(effects.baselines.size(), 1u);
  EXPECT_EQ(effects.baselines[0].pool, PoolId(1));
}

TEST_F(EngineTest, RestoresWithoutDecidingAnythingAgain) {
  RestoredJob running;
  const JobSubmitted like = Submit(*engine_, 7, 8);
  running.spec = like.spec;
  running.shape = like.shape;
  running.state = JobState::kRunning;
  running.epoch = Epoch(3);
  running.pool = PoolId(0);
  running.count = 8;
  running.start = T(0);
  running.confirmed = true;
  running.nodes = {{NodeId(1), 8}};
  RestoredJob queued;
  queued.spec = Submit(*engine_, 9, 8).spec;
  queued.shape = like.shape;
  queued.queue_key = 41;
  ASSERT_TRUE(
      engine_->Restore({{NodeId(1), PoolId(0), 8, false}}, {queued, running})
          .ok());
  EXPECT_EQ(policy_->calls, 0);
  EXPECT_EQ(StateOf(7), JobState::kRunning);
  EXPECT_EQ(engine_->pools()[0].total, 0u);  // silent until it joins
  EXPECT_TRUE(Step(1, {Join(1, 0, 8)}).starts.empty());
  const Effects& effects = Step(2, {End(7, 3, 2)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(9));
}

TEST_F(EngineTest, RefusesToRestoreMoreThanANodeHolds) {
  RestoredJob job;
  const JobSubmitted like = Submit(*engine_, 1, 9);
  job.spec = like.spec;
  job.shape = like.shape;
  job.state = JobState::kRunning;
  job.pool = PoolId(0);
  job.count = 9;
  job.nodes = {{NodeId(1), 9}};
  EXPECT_FALSE(
      engine_->Restore({{NodeId(1), PoolId(0), 8, false}}, {job}).ok());
}

}  // namespace
}  // namespace ccsched
