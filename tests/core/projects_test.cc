// Projects in the engine: budgets that hold, shares that can't be gamed.
// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policies/registry.h"
#include "scheduler/core/engine.h"
#include "tests/builders.h"

namespace ccsched {
namespace {

using testing::ClusterBuilder;
using ::testing::ElementsAre;
using testing::End;
using ::testing::HasSubstr;
using testing::HourlyForecast;
using testing::Join;
using testing::Submit;
using testing::T;

constexpr Symbol kRed(1), kBlue(2);

class ProjectsTest : public ::testing::Test {
 protected:
  void Build(const std::string& policy, bool shares,
             uint32_t accelerators = 8) {
    EngineOptions options;
    if (shares) options.shares = FairShareOptions();
    cluster_.Site("iowa");
    engine_ = cluster_.Build(*MakePolicy(policy, {}), std::move(options));
    // 1000 g/kWh and 300 W: 300 g an accelerator-hour.
    Step(0, {Join(1, 0, accelerators),
             ForecastIssued{RegionId(0),
                            HourlyForecast(std::vector<double>(48, 1000))}});
  }
  const Effects& Step(double hours, std::vector<Event> events) {
    return engine_->Step(T(hours), events);
  }
  Event Of(Symbol project, uint64_t id, double submitted, uint32_t count = 1,
           absl::Duration runtime = absl::Hours(1)) {
    JobSubmitted e = Submit(*engine_, id, count);
    e.spec.project = project;
    e.spec.submitted = T(submitted);
    e.spec.runtime = runtime;
    return e;
  }
  static ProjectTerms Budget(double grams, bool hold = true) {
    ProjectTerms terms;
    terms.name = "red";
    terms.symbol = kRed;
    terms.budget = CarbonBudget{GramsCo2e(grams), BudgetPeriod::kDay, hold};
    return terms;
  }
  static ProjectTerms Share(Symbol project, double share) {
    ProjectTerms terms;
    terms.name = project == kRed ? "red" : "blue";
    terms.symbol = project;
    terms.share = share;
    return terms;
  }
  JobState StateOf(uint64_t id) const { return engine_->job(JobId(id))->state; }
  bool Held(uint64_t id) const { return engine_->job(JobId(id))->budget_held; }
  ProjectStanding Red() const { return engine_->Projects({kRed}).front(); }

  ClusterBuilder cluster_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ProjectsTest, ABudgetAdmitsWhatItHasRoomForThoughNothingRanYet) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(1000)}}});
  Step(0, {Of(kRed, 1, 0), Of(kRed, 2, 0), Of(kRed, 3, 0), Of(kRed, 4, 0),
           Of(kBlue, 5, 0)});
  EXPECT_EQ(StateOf(3), JobState::kStarting);
  EXPECT_EQ(StateOf(4), JobState::kHeld);
  EXPECT_TRUE(Held(4));
  EXPECT_EQ(StateOf(5), JobState::kStarting);
  EXPECT_NEAR(Red().expected.value(), 900, 1e-9);
  EXPECT_EQ(Red().jobs_held, 1u);
}

TEST_F(ProjectsTest, HeldJobsGoOnWhenLessWasEmittedThanExpected) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(1000)}}});
  Step(0, {Of(kRed, 1, 0), Of(kRed, 2, 0), Of(kRed, 3, 0), Of(kRed, 4, 0)});
  Step(1,
       {EmissionsBooked{JobId(1), "red", T(0), GramsCo2e(50)}, End(1, 1, 1)});
  EXPECT_FALSE(Held(4));
  EXPECT_EQ(StateOf(4), JobState::kStarting);
  EXPECT_NEAR(Red().used.value(), 50, 1e-9);
  EXPECT_NEAR(Red().expected.value(), 900, 1e-9);
}

TEST_F(ProjectsTest, WhatIsBookedOfARunningJobIsNotExpectedAgain) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(1000)}}});
  Step(0, {Of(kRed, 1, 0)});
  Step(0.5, {EmissionsBooked{JobId(1), "red", T(0), GramsCo2e(100)}});
  EXPECT_NEAR((Red().used + Red().expected).value(), 300, 1e-9);
  Step(0.9, {EmissionsBooked{JobId(1), "red", T(0.5), GramsCo2e(400)}});
  EXPECT_NEAR(Red().used.value(), 500, 1e-9);
  EXPECT_NEAR(Red().expected.value(), 0, 1e-9);
}

TEST_F(ProjectsTest, TheNextPeriodBeginsWithNothingUsed) {
  Build("fcfs", false);
  ProjectTerms terms = Budget(1000);
  terms.used = GramsCo2e(1000);
  Step(1, {ProjectsAgreed{{terms}}});
  const Effects& held = Step(1, {Of(kRed, 1, 1)});
  EXPECT_TRUE(Held(1));
  EXPECT_EQ(held.wake, T(24));
  // What was emitted before comes on record late: it was yesterday's.
  Step(24, {Tick{}, EmissionsBooked{JobId(9), "red", T(23), GramsCo2e(999)}});
  EXPECT_EQ(StateOf(1), JobState::kStarting);
  EXPECT_NEAR(Red().used.value(), 0, 1e-9);
}

TEST_F(ProjectsTest, ARaisedBudgetReleasesAndOneThatIsGoneHoldsNobody) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(100)}}});
  Step(0, {Of(kRed, 1, 0), Of(kRed, 2, 0)});
  EXPECT_TRUE(Held(1));
  Step(0.1, {ProjectsAgreed{{Budget(350)}}});
  EXPECT_EQ(StateOf(1), JobState::kStarting);
  EXPECT_TRUE(Held(2));
  Step(0.2, {ProjectsAgreed{}});
  EXPECT_EQ(StateOf(2), JobState::kStarting);
}

TEST_F(ProjectsTest, ABudgetThatWarnsHoldsNobody) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(100, false)}}});
  Step(0, {Of(kRed, 1, 0)});
  EXPECT_EQ(StateOf(1), JobState::kStarting);
  EXPECT_GT(Red().expected, Red().budget->limit);
}

TEST_F(ProjectsTest, ATooLargeJobLetsOthersPass) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(1000)}}});
  Step(0, {Of(kRed, 1, 0, 8), Of(kRed, 2, 0)});
  EXPECT_TRUE(Held(1));
  EXPECT_EQ(StateOf(2), JobState::kStarting);
}

TEST_F(ProjectsTest, NobodyReleasesAJobFromItsBudgetButMayCancelIt) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(100)}}});
  Step(0, {Of(kRed, 1, 0)});
  const Effects& effects = Step(1, {JobReleased{JobId(1)}});
  ASSERT_EQ(effects.refusals.size(), 1u);
  EXPECT_THAT(std::string(effects.refusals[0].status.message()),
              HasSubstr("carbon budget"));
  const Effects& held = Step(2, {JobHeld{JobId(1)}});
  EXPECT_FALSE(Held(1));  // now it is its user's hold
  EXPECT_THAT(held.changed, ElementsAre(JobId(1))) << "or a restart forgets";
  Step(3, {ProjectsAgreed{}});
  EXPECT_EQ(StateOf(1), JobState::kHeld);
  Step(4, {JobCancelled{JobId(1)}});
  EXPECT_EQ(StateOf(1), JobState::kCancelled);
}

TEST_F(ProjectsTest, NothingIsExpectedOfAJobThatItsUserHolds) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(1000)}}});
  JobSubmitted job = std::get<JobSubmitted>(Of(kRed, 1, 0));
  job.shape.suspendable = true;
  Step(0, {job, Of(kRed, 2, 0, 8)});
  Step(0, {AttemptStarted{JobId(1), Epoch(1), T(0)}});
  ASSERT_NEAR(Red().expected.value(), 300, 1e-9);
  Step(0.5, {JobHeld{JobId(1)}});
  Step(0.5, {End(1, 1, 0.5, Outcome::kSuspended)});
  EXPECT_EQ(StateOf(1), JobState::kHeld);
  EXPECT_NEAR(Red().expected.value(), 0, 1e-9);
}

TEST_F(ProjectsTest, HoldsSurviveARestart) {
  Build("fcfs", false);
  Step(0, {ProjectsAgreed{{Budget(100)}}});
  Step(0, {Of(kRed, 1, 0), Of(kBlue, 2, 0)});
  std::vector<RestoredJob> jobs = engine_->LiveJobs();
  ASSERT_TRUE(jobs[0].budget_held);
  std::unique_ptr<Engine> again = cluster_.Build(*MakePolicy("fcfs", {}));
  again->InternPlacement({PoolId(0)});
  ASSERT_TRUE(
      again
          ->Restore(std::vector<RestoredNode>{{NodeId(1), PoolId(0), 8, false}},
                    jobs)
          .ok());
  again->Step(T(1), std::vector<Event>{
                        ProjectsAgreed{{Budget(100)}}, Join(1, 0, 8),
                        ForecastIssued{RegionId(0), HourlyForecast({1000})}});
  EXPECT_EQ(again->job(JobId(1))->state, JobState::kHeld);
  again->Step(T(2), std::vector<Event>{ProjectsAgreed{{Budget(10'000)}}});
  EXPECT_EQ(again->job(JobId(1))->state, JobState::kStarting);
}

// Runs whatever the engine starts for its hour, until nothing is left. Returns
// the hour at which each job ended.
std::map<uint64_t, double> PlayOut(Engine& engine, double from,
                                   std::vector<std::pair<double, Event>> later,
                                   double until) {
  std::map<double, std::vector<Event>> agenda;
  for (auto& [at, event] : later) agenda[at].push_back(std::move(event));
  std::map<uint64_t, double> ends;
  double now = from;
  agenda[from].emplace_back(Tick{});
  while (!agenda.empty() && agenda.begin()->first <= until) {
    now = agenda.begin()->first;
    const std::vector<Event> events = std::move(agenda.begin()->second);
    agenda.erase(agenda.begin());
    const Effects& effects = engine.Step(T(now), events);
    for (const StartAttempt& start : effects.starts) {
      agenda[now + 1].push_back(
          End(start.job.value(), start.epoch.value(), now + 1));
      ends[start.job.value()] = now + 1;
    }
    if (effects.wake < absl::InfiniteFuture()) {
      const double wake = absl::ToDoubleHours(effects.wake - T(0));
      if (wake > now) agenda[wake].emplace_back(Tick{});
    }
  }
  return ends;
}

TEST_F(ProjectsTest, AFloodDoesNotKeepAnotherProjectWaiting) {
  Build("fcfs", true, 4);
  std::vector<std::pair<double, Event>> events;
  for (uint64_t id = 1; id <= 100; ++id) {
    events.emplace_back(0.0, Of(kRed, id, 0));
  }
  for (uint64_t id = 101; id <= 104; ++id) {
    events.emplace_back(0.5, Of(kBlue, id, 0.5));
  }
  const auto ends = PlayOut(*engine_, 0, std::move(events), 40);
  for (uint64_t id = 101; id <= 104; ++id) EXPECT_LE(ends.at(id), 3) << id;
}

TEST_F(ProjectsTest, SharesDivideContestedCapacity) {
  Build("fcfs", true, 8);
  Step(0, {ProjectsAgreed{{Share(kRed, 3), Share(kBlue, 1)}}});
  std::vector<std::pair<double, Event>> events;
  for (uint64_t id = 1; id <= 1200; ++id) {
    events.emplace_back(0.0, Of(id % 2 == 0 ? kRed : kBlue, id, 0));
  }
  const auto ends = PlayOut(*engine_, 0, std::move(events), 60);
  int red = 0, blue = 0;
  for (const auto& [id, end] : ends) ++(id % 2 == 0 ? red : blue);
  EXPECT_NEAR(static_cast<double>(red) / blue, 3, 0.2);
}

TEST_F(ProjectsTest, SplittingAJobGainsNothing) {
  Build("easy-backfill", true, 8);
  // Red asks for 4 at once, blue for the same work one by one.
  std::vector<std::pair<double, Event>> events;
  for (uint64_t id = 1; id <= 50; ++id) {
    events.emplace_back(0.0, Of(kRed, id, 0, 4));
  }
  for (uint64_t id = 51; id <= 250; ++id) {
    events.emplace_back(0.0, Of(kBlue, id, 0));
  }
  const auto ends = PlayOut(*engine_, 0, std::move(events), 20.5);
  double red = 0, blue = 0;
  for (const auto& [id, end] : ends)
    (id <= 50 ? red : blue) += id <= 50 ? 4 : 1;
  EXPECT_NEAR(red / blue, 1, 0.15);
}

// A policy of two jobs at most: defers as told, else first come, first served.
class Deferring : public Policy {
 public:
  explicit Deferring(std::map<JobId, absl::Time> until)
      : until_(std::move(until)) {}
  void Decide(const PolicyInput& in, Actions& actions) override {
    for (const JobRef job : in.ready) {
      const auto found = until_.find(in.jobs[job].spec.id);
      if (found == until_.end() || found->second <= in.now) continue;
      actions.Defer(job, found->second, PoolId(0), {});
    }
    while (!in.queue.empty() &&
           actions.Start(in.queue.Head(), PoolId(0), {}, 0)) {
    }
  }

 private:
  const std::map<JobId, absl::Time> until_;
};

TEST_F(ProjectsTest, ADeferralGainsNoRankAndLosesNone) {
  cluster_.Site("iowa");
  engine_ = cluster_.Build(std::make_unique<Deferring>(
      std::map<JobId, absl::Time>{{JobId(2), T(3)}}));
  // One runs for ten hours; 2 is put off from the first hour to the third, 3
  // comes in the second.
  Step(0, {Join(1, 0, 1), Of(kRed, 1, 0)});
  Step(1, {Of(kRed, 2, 1)});
  Step(2, {Of(kBlue, 3, 2)});
  Step(3, {Tick{}});
  ASSERT_EQ(StateOf(2), JobState::kQueued);
  const Effects& effects = Step(10, {End(1, 1, 10)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(3)) << "it had queued for longer";
}

TEST_F(ProjectsTest, TimeThatAJobHasQueuedIsKeptThroughADeferral) {
  cluster_.Site("iowa");
  std::map<JobId, absl::Time> until;
  auto policy = std::make_unique<Deferring>(until);
  engine_ = cluster_.Build(std::move(policy));
  Step(0, {Join(1, 0, 1), Of(kRed, 1, 0)});
  Step(1, {Of(kRed, 2, 1)});
  Step(4, {JobHeld{JobId(2)}});  // it has queued for three hours
  Step(5, {Of(kBlue, 3, 5)});
  Step(6, {JobReleased{JobId(2)}});  // as if it had come in the third hour
  Step(7, {Of(kBlue, 4, 2.5)});
  const Effects& effects = Step(10, {End(1, 1, 10)});
  ASSERT_EQ(effects.starts.size(), 1u);
  EXPECT_EQ(effects.starts[0].job, JobId(2));
}

// What a project gains by calling its jobs flexible when they are not: the
// accelerator-hours that it got in a contested day.
double Got(const std::function<std::unique_ptr<Policy>()>& policy,
           double red_submits) {
  ClusterBuilder cluster;
  cluster.Site("iowa");
  EngineOptions options;
  options.shares = FairShareOptions();
  std::unique_ptr<Engine> engine = cluster.Build(policy(), std::move(options));
  engine->Step(T(0), std::vector<Event>{Join(1, 0, 4)});
  std::vector<std::pair<double, Event>> events;
  const auto add = [&](Symbol project, uint64_t id, double at) {
    JobSubmitted e = Submit(*engine, id, 1);
    e.spec.project = project;
    e.spec.submitted = T(at);
    e.spec.runtime = absl::Hours(1);
    events.emplace_back(at, e);
  };
  for (uint64_t id = 1; id <= 60; ++id) add(kRed, id, red_submits);
  for (uint64_t id = 101; id <= 160; ++id) add(kBlue, id, 6);
  const auto ends = PlayOut(*engine, 0, std::move(events), 18.5);
  double red = 0;
  for (const auto& [id, end] : ends) red += id <= 60 && end > 6;
  return red;
}

TEST_F(ProjectsTest, FakedFlexibilityGainsNoContestedCapacity) {
  std::map<JobId, absl::Time> until;
  for (uint64_t id = 1; id <= 60; ++id) until[JobId(id)] = T(6);
  // Submitted in a quiet hour and put off to the contested one...
  const double faked =
      Got([&until] { return std::make_unique<Deferring>(until); }, 1);
  // ... or submitted when it is contested.
  const double honest = Got(
      [] { return std::make_unique<Deferring>(std::map<JobId, absl::Time>()); },
      6);
  // Twelve hours of four accelerators for two: 24 each. What fitted in the
  // quiet hour (four jobs) is not charged for, so it may come on top.
  EXPECT_NEAR(honest, 24, 2);
  EXPECT_LE(faked, honest + 4);
  EXPECT_GE(faked, honest - 1) << "being flexible made it worse off";
}

TEST_F(ProjectsTest, ShortPromisesAreNoWayAroundShares) {
  Build("lowest-carbon-now", true, 4);
  std::vector<std::pair<double, Event>> events;
  for (uint64_t id = 1; id <= 100; ++id) {
    JobSubmitted e = std::get<JobSubmitted>(Of(kRed, id, 0));
    e.spec.max_delay = absl::ZeroDuration();  // "at once"
    events.emplace_back(0.0, e);
  }
  for (uint64_t id = 101; id <= 150; ++id) {
    events.emplace_back(0.0, Of(kBlue, id, 0));
  }
  const auto ends = PlayOut(*engine_, 0, std::move(events), 20.5);
  int blue = 0;
  for (const auto& [id, end] : ends) blue += id > 100;
  EXPECT_NEAR(blue, 40, 4);
}

}  // namespace
}  // namespace ccsched
