// What every policy of the registry must keep to, run through the engine.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/cases.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

class ConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  static PlayResult RunPolicy(const PlayCase& c) {
    return RunCase(c, *MakePolicy(GetParam(), {}));
  }
};

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const PolicySpec& spec : AllPolicies()) names.push_back(spec.name);
  return names;
}

// The stretches as text, to compare end states.
std::string StateOf(const PlayResult& result, size_t jobs) {
  std::string text;
  for (size_t id = 1; id <= jobs; ++id) text += result.Stretches(id) + "\n";
  return text;
}

TEST_P(ConformanceTest, SameInputGivesSameOutput) {
  const PlayCase c = MixedCase(11, 150, 16);
  const PlayResult a = RunPolicy(c);
  const PlayResult b = RunPolicy(c);
  EXPECT_EQ(a.transcript, b.transcript);
  EXPECT_EQ(StateOf(a, c.jobs.size()), StateOf(b, c.jobs.size()));
  EXPECT_EQ(a.steps, b.steps);
}

TEST_P(ConformanceTest, EveryFeasibleJobEnds) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(seed);
    const PlayCase c = MixedCase(seed, 200, 16);
    const PlayResult result = RunPolicy(c);
    EXPECT_EQ(result.ends.size(), c.jobs.size());
    EXPECT_TRUE(result.refusals.empty()) << result.refusals.front();
    EXPECT_LT(result.steps, 40 * c.jobs.size()) << "it decides without end";
  }
}

TEST_P(ConformanceTest, NeverOverCapacity) {
  const uint32_t room = 16;
  const PlayCase c = MixedCase(5, 250, room);
  const PlayResult result = RunPolicy(c);
  for (uint16_t p = 0; p < 3; ++p) {
    std::map<absl::Time, int64_t> change;
    for (const PlayStretch& s : result.stretches) {
      if (s.pool != PoolId(p)) continue;
      change[s.start] += s.count;
      change[s.end] -= s.count;
    }
    int64_t used = 0;
    for (const auto& [at, by] : change) {
      used += by;
      EXPECT_LE(used, room) << "pool " << p << " at " << absl::FormatTime(at);
    }
  }
}

TEST_P(ConformanceTest, StartsNoJobBeforeItsSubmission) {
  const PlayCase c = MixedCase(6, 150, 24);
  const PlayResult result = RunPolicy(c);
  for (size_t i = 0; i < c.jobs.size(); ++i) {
    EXPECT_GE(result.StartHours(i + 1), c.jobs[i].submit_h - 1e-9)
        << "job " << i + 1;
  }
}

TEST_P(ConformanceTest, RunsOnlyAtAllowedPools) {
  const PlayCase c = MixedCase(7, 150, 16);
  const PlayResult result = RunPolicy(c);
  for (const PlayStretch& s : result.stretches) {
    const std::vector<uint16_t>& pools = c.jobs[s.job - 1].pools;
    if (pools.empty()) continue;
    EXPECT_NE(std::find(pools.begin(), pools.end(), s.pool.value()),
              pools.end())
        << "job " << s.job << " ran at pool " << s.pool.value();
  }
}

// With room for everything, whoever delays a job does so of his own will.
TEST_P(ConformanceTest, KeepsPromisesWhereCapacityIsAmple) {
  for (const uint64_t seed : {21u, 22u, 23u, 24u}) {
    SCOPED_TRACE(seed);
    const PlayCase c = AmpleCase(seed, 200);
    const PlayResult result = RunPolicy(c);
    for (size_t i = 0; i < c.jobs.size(); ++i) {
      const PlayJob& job = c.jobs[i];
      if (!job.max_delay_h || job.believed_h) continue;
      EXPECT_LE(result.EndHours(i + 1),
                job.submit_h + job.runtime_h + *job.max_delay_h + 0.001)
          << "job " << i + 1 << " ran " << result.Stretches(i + 1);
    }
  }
}

// A job whose runtime was misjudged still starts in time, if it is rigid.
TEST_P(ConformanceTest, RigidJobsStartWithinTheirDelayWhateverIsBelieved) {
  const PlayCase c = AmpleCase(31, 200);
  const PlayResult result = RunPolicy(c);
  for (size_t i = 0; i < c.jobs.size(); ++i) {
    const PlayJob& job = c.jobs[i];
    if (!job.max_delay_h || job.suspendable) continue;
    EXPECT_LE(result.StartHours(i + 1), job.submit_h + *job.max_delay_h + 0.001)
        << "job " << i + 1;
  }
}

TEST_P(ConformanceTest, JobsEndWithoutAnyForecast) {
  PlayCase c = MixedCase(8, 100, 16);
  for (std::vector<double>& f : c.forecasts) f.clear();
  EXPECT_EQ(RunPolicy(c).ends.size(), c.jobs.size());
}

TEST_P(ConformanceTest, JobsEndWhereOneRegionHasNoForecast) {
  PlayCase c = MixedCase(9, 100, 16);
  c.forecasts[0].clear();
  EXPECT_EQ(RunPolicy(c).ends.size(), c.jobs.size());
}

// Shows a policy the running attempts of each pool in reverse order.
class Reversed : public Policy, private Actions {
 public:
  explicit Reversed(std::unique_ptr<Policy> policy)
      : policy_(std::move(policy)) {}

  void Decide(const PolicyInput& in, Actions& actions) override {
    input_ = &in;
    actions_ = &actions;
    running_.resize(in.running.size());
    Reverse();
    PolicyInput reversed = in;
    reversed.running = running_;
    policy_->Decide(reversed, *this);
  }
  bool TakesUpSuspended() const override { return policy_->TakesUpSuspended(); }

 private:
  void Reverse() {
    for (size_t p = 0; p < running_.size(); ++p) {
      const std::vector<RunRef>& list = input_->running[p];
      running_[p].assign(list.rbegin(), list.rend());
    }
  }
  bool Fits(JobRef job, PoolId pool, uint32_t count) const override {
    return actions_->Fits(job, pool, count);
  }
  bool CouldFit(JobRef job, PoolId pool, uint32_t count) const override {
    return actions_->CouldFit(job, pool, count);
  }
  bool Start(JobRef job, PoolId pool, const Reason& reason,
             uint32_t count) override {
    const bool started = actions_->Start(job, pool, reason, count);
    if (started) Reverse();
    return started;
  }
  void Defer(JobRef job, absl::Time until, PoolId pool,
             const Reason& reason) override {
    actions_->Defer(job, until, pool, reason);
  }
  void Wait(JobRef job, const Reason& reason) override {
    actions_->Wait(job, reason);
  }
  void Suspend(JobRef job, const Reason& reason) override {
    actions_->Suspend(job, reason);
  }
  void Resize(JobRef job, uint32_t count, const Reason& reason) override {
    actions_->Resize(job, count, reason);
  }
  void WakeAt(absl::Time t) override { actions_->WakeAt(t); }

  std::unique_ptr<Policy> policy_;
  const PolicyInput* input_ = nullptr;
  Actions* actions_ = nullptr;
  std::vector<std::vector<RunRef>> running_;
};

TEST_P(ConformanceTest, DoesNotDependOnTheOrderOfASnapshot) {
  const PlayCase c = MixedCase(10, 150, 16);
  const PlayResult plain = RunPolicy(c);
  const PlayResult other =
      RunCase(c, std::make_unique<Reversed>(*MakePolicy(GetParam(), {})),
              /*churn=*/true);
  ASSERT_EQ(plain.ends.size(), c.jobs.size());
  ASSERT_EQ(other.ends.size(), c.jobs.size());
  for (size_t id = 1; id <= c.jobs.size(); ++id) {
    EXPECT_EQ(plain.Stretches(id), other.Stretches(id)) << "job " << id;
  }
}

TEST_P(ConformanceTest, HasADocumentAndSoundParameters) {
  const absl::StatusOr<const PolicySpec*> spec = FindPolicy(GetParam());
  ASSERT_TRUE(spec.ok());
  EXPECT_FALSE((*spec)->summary.empty());
  EXPECT_GT((*spec)->doc.size(), 80u);
  for (const ParameterSpec& p : (*spec)->parameters) {
    EXPECT_LE(p.min, p.default_value) << p.name;
    EXPECT_LE(p.default_value, p.max) << p.name;
    EXPECT_FALSE(p.doc.empty()) << p.name;
    EXPECT_FALSE(p.source.empty()) << p.name;
  }
}

TEST_P(ConformanceTest, OffersEveryAllowedPoolOnce) {
  const PlayCase c = SmallCase();
  ClusterBuilder cluster;
  cluster.Site("east").Site("west");
  const auto engine = cluster.Build(*MakePolicy(GetParam(), {}));
  std::vector<Event> events = {Join(1, 0, 8), Join(2, 1, 8)};
  for (uint16_t r = 0; r < 2; ++r) {
    events.push_back(
        ForecastIssued{RegionId(r), HourlyForecast(c.forecasts[r])});
  }
  engine->Step(T(0), events);
  JobSubmitted job = Submit(*engine, 1, 4);
  job.spec.runtime = absl::Hours(2);
  job.spec.max_delay = absl::Hours(8);
  std::vector<Choice> offers = engine->Offers(T(0), job.spec, job.shape);
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_NE(offers[0].pool, offers[1].pool);
  for (const Choice& offer : offers) {
    EXPECT_TRUE(offer.valid);
    EXPECT_GE(offer.start, T(0));
    EXPECT_LE(offer.start, T(8));
  }
  EXPECT_EQ(engine->live_jobs(), 0u);
}

INSTANTIATE_TEST_SUITE_P(AllPolicies, ConformanceTest,
                         ::testing::ValuesIn(AllNames()), [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace ccsched::testing
