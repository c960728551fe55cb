// Tests of arrays with a limit: never more under way, none forgotten.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/base/random.h"
#include "scheduler/core/engine.h"
#include "tests/builders.h"

namespace ccsched {
namespace {

using testing::ClusterBuilder;
using testing::End;
using testing::Join;
using testing::Submit;
using testing::T;

class StartAll : public Policy {
 public:
  void Decide(const PolicyInput& in, Actions& actions) override {
    JobRef head;
    while ((head = in.queue.Head()) != kNoJob &&
           actions.Start(head, PoolId(0), {}, 0)) {
    }
  }
};

// Jobs 1 to 6 are array 1, of which two may be under way at once.
class ArrayLimitTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kJobs = 6;
  static constexpr uint32_t kAtMost = 2;

  ArrayLimitTest() {
    cluster_.Site("iowa");
    engine_ = cluster_.Build(std::make_unique<StartAll>());
  }
  JobSubmitted Member(uint64_t id) {
    JobSubmitted job = Submit(*engine_, id);
    job.limit = {JobId(1), kAtMost};
    return job;
  }
  void SubmitAll() {
    std::vector<Event> events = {Join(1, 0, 8)};
    for (uint64_t id = 1; id <= kJobs; ++id) events.emplace_back(Member(id));
    Step(std::move(events));
  }
  const Effects& Step(std::vector<Event> events) {
    return engine_->Step(T(hours_++), events);
  }
  JobState StateOf(uint64_t id) const { return engine_->job(JobId(id))->state; }
  std::vector<uint64_t> StartedBy(std::vector<Event> events) {
    std::vector<uint64_t> ids;
    for (const StartAttempt& start : Step(std::move(events)).starts) {
      ids.push_back(start.job.value());
    }
    return ids;
  }

  ClusterBuilder cluster_;
  std::unique_ptr<Engine> engine_;
  double hours_ = 0;
};

TEST_F(ArrayLimitTest, LetsTheNextThroughAsOneEnds) {
  SubmitAll();
  EXPECT_EQ(StateOf(2), JobState::kStarting);
  EXPECT_EQ(StateOf(3), JobState::kBlocked);
  EXPECT_EQ(engine_->waits_for(JobId(3)), (ArrayLimit{JobId(1), kAtMost}));
  EXPECT_EQ(engine_->waits_for(JobId(1)), std::nullopt);
  EXPECT_THAT(StartedBy({End(2, 1, 1)}), ::testing::ElementsAre(3));
  // However they end.
  EXPECT_THAT(StartedBy({End(1, 1, 1, Outcome::kFailed), End(3, 1, 1)}),
              ::testing::ElementsAre(4, 5));
}

TEST_F(ArrayLimitTest, KeepsThePlaceOfAJobThatRunsAgain) {
  SubmitAll();
  EXPECT_THAT(StartedBy({End(1, 1, 1, Outcome::kLost)}),
              ::testing::ElementsAre(1));
  EXPECT_EQ(StateOf(3), JobState::kBlocked);
}

TEST_F(ArrayLimitTest, GivesTheTurnOfACancelledOrHeldJobToTheNext) {
  SubmitAll();
  Step({JobCancelled{JobId(3)}, JobHeld{JobId(4)}});
  EXPECT_THAT(StartedBy({End(1, 1, 1)}), ::testing::ElementsAre(5));
  Step({JobReleased{JobId(4)}});
  EXPECT_EQ(StateOf(4), JobState::kBlocked);
  EXPECT_THAT(StartedBy({End(2, 1, 1)}), ::testing::ElementsAre(4));
}

TEST_F(ArrayLimitTest, WaitsForItsDependenciesFirst) {
  JobSubmitted late = Member(1);
  late.after = {JobId(7)};
  Step({Join(1, 0, 8), Submit(*engine_, 7), late, Member(2), Member(3),
        Member(4)});
  EXPECT_EQ(StateOf(3), JobState::kStarting);  // 1 holds no place yet
  EXPECT_EQ(StateOf(4), JobState::kBlocked);
  EXPECT_TRUE(StartedBy({End(7, 1, 1)}).empty());
  EXPECT_EQ(engine_->waits_for(JobId(1)), (ArrayLimit{JobId(1), kAtMost}));
  EXPECT_THAT(StartedBy({End(2, 1, 1)}), ::testing::ElementsAre(1));
}

TEST_F(ArrayLimitTest, KeepsTheLimitOverARestart) {
  std::vector<RestoredJob> jobs;
  for (uint64_t id = 1; id <= kJobs; ++id) {
    const JobSubmitted like = Member(id);
    RestoredJob& job = jobs.emplace_back();
    job.spec = like.spec;
    job.shape = like.shape;
    job.limit = like.limit;
    job.state = id <= kAtMost ? JobState::kQueued : JobState::kBlocked;
    job.queue_key = id <= kAtMost ? id : 0;
  }
  ASSERT_TRUE(
      engine_->Restore({{NodeId(1), PoolId(0), 8, false}}, std::move(jobs))
          .ok());
  EXPECT_THAT(StartedBy({Join(1, 0, 8)}), ::testing::ElementsAre(1, 2));
  EXPECT_THAT(StartedBy({End(1, 1, 1)}), ::testing::ElementsAre(3));
}

TEST_F(ArrayLimitTest, HoldsThroughAnyHistory) {
  const uint64_t seed = 20211003;
  SCOPED_TRACE(seed);
  Random random(seed);
  SubmitAll();
  const auto under_way = [this] {
    int count = 0;
    for (uint64_t id = 1; id <= kJobs; ++id) {
      const Job* const job = engine_->job(JobId(id));
      count += job != nullptr && !IsTerminal(job->state) &&
               job->state != JobState::kBlocked &&
               job->state != JobState::kHeld;
    }
    return count;
  };
  for (int step = 0; step < 500 && engine_->live_jobs() > 0; ++step) {
    const uint64_t id = 1 + random.Below(kJobs);
    const Job* const job = engine_->job(JobId(id));
    if (job == nullptr) continue;
    const uint32_t epoch = job->epoch.value();
    switch (random.Below(5)) {
      case 0:
        Step({End(id, epoch, hours_, Outcome::kLost)});
        break;
      case 1:
        Step({JobHeld{JobId(id)}});
        break;
      case 2:
      case 3:
        Step({JobReleased{JobId(id)}});
        break;
      case 4:
        if (random.Below(10) == 0) Step({End(id, epoch, hours_)});
        break;
    }
    ASSERT_LE(under_way(), static_cast<int>(kAtMost));
  }
  // Whoever is left gets through once all are released.
  for (int turn = 0; turn < 50 && engine_->live_jobs() > 0; ++turn) {
    std::vector<Event> events;
    for (uint64_t id = 1; id <= kJobs; ++id) {
      const Job* const job = engine_->job(JobId(id));
      if (job == nullptr) continue;
      events.emplace_back(JobReleased{JobId(id)});
      events.emplace_back(End(id, job->epoch.value(), hours_));
    }
    Step(std::move(events));
    ASSERT_LE(under_way(), static_cast<int>(kAtMost));
  }
  EXPECT_EQ(engine_->live_jobs(), 0u);
}

}  // namespace
}  // namespace ccsched
