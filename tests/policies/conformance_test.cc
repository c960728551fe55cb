// What every policy of the registry must keep to, run through the engine.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
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

// The order of a pool's running attempts, and of shapes in the queue, means
// nothing: jobs that end early and leave gaps change both.
TEST_P(ConformanceTest, DoesNotDependOnTheOrderOfASnapshot) {
  PlayCase c = MixedCase(10, 120, 16);
  const PlayResult plain = RunPolicy(c);
  // Jobs of shapes of their own, that run and end at once, before all others:
  // they take slots, shapes and runs, and give them back in another order.
  PlayCase churned = c;
  for (PlayJob& job : churned.jobs) job.submit_h += 1;
  for (PlayJob& job : c.jobs) job.submit_h += 1;
  const PlayResult shifted = RunPolicy(c);
  const size_t extra = 9;
  for (size_t i = 0; i < extra; ++i) {
    PlayJob job = {.submit_h = 0,
                   .runtime_h = 0.01 + 0.01 * static_cast<double>((i * 4) % 9),
                   .count = static_cast<uint32_t>(1 + i % 5),
                   .max_delay_h = 0,
                   .priority = -static_cast<int32_t>(i)};
    churned.jobs.insert(churned.jobs.begin(), job);
  }
  const PlayResult after = RunPolicy(churned);
  ASSERT_EQ(plain.ends.size(), after.ends.size() - extra);
  for (size_t id = 1; id <= c.jobs.size(); ++id) {
    EXPECT_EQ(shifted.Stretches(id), after.Stretches(id + extra))
        << "job " << id;
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
