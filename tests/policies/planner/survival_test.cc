// Learnt runtimes: calibrated, and never worse than what is exact.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/survival.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

Job JobOf(uint32_t project) {
  Job job;
  job.spec.project = Symbol(project);
  return job;
}

TEST(LearnedBeliefsTest, NineOfTenEndByTheirP90) {
  Random random(5);
  LearnedBeliefs beliefs;
  const JobShape shape;
  int asked = 0;
  int ended = 0;
  for (int i = 0; i < 4000; ++i) {
    const uint32_t project = 1 + static_cast<uint32_t>(random.Below(5));
    const absl::Duration length =
        absl::Seconds(600.0 * project * std::exp(1.2 * random.Normal()));
    const Job job = JobOf(project);
    if (i > 500) {
      ++asked;
      ended += length <= beliefs.Remaining(job, shape, {}).p90;
    }
    beliefs.Observe(job, shape, length, true);
  }
  const double share = static_cast<double>(ended) / asked;
  EXPECT_GT(share, 0.88);
  EXPECT_LT(share, 0.94);
}

TEST(LearnedBeliefsTest, StaysCalibratedWhileJobsRun) {
  Random random(6);
  LearnedBeliefs beliefs;
  const JobShape shape;
  int asked = 0;
  int ended = 0;
  for (int i = 0; i < 4000; ++i) {
    const absl::Duration length =
        absl::Seconds(600.0 * std::exp(1.2 * random.Normal()));
    const absl::Duration ran = absl::Seconds(900);
    const Job job = JobOf(1);
    if (i > 500 && length > ran) {
      ++asked;
      ended += length - ran <= beliefs.Remaining(job, shape, ran).p90;
    }
    beliefs.Observe(job, shape, length, true);
  }
  const double share = static_cast<double>(ended) / asked;
  EXPECT_GT(share, 0.86);
  EXPECT_LT(share, 0.95);
}

TEST(LearnedBeliefsTest, TellsProjectsApart) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  for (int i = 0; i < 100; ++i) {
    beliefs.Observe(JobOf(1), shape, absl::Minutes(5), true);
    beliefs.Observe(JobOf(2), shape, absl::Hours(50), true);
  }
  EXPECT_LT(beliefs.Remaining(JobOf(1), shape, {}).mean, absl::Hours(1));
  EXPECT_GT(beliefs.Remaining(JobOf(2), shape, {}).mean, absl::Hours(40));
}

// A fifth of the jobs ended within an hour; the others have not, yet.
TEST(LearnedBeliefsTest, CountsThoseThatStillRun) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  const absl::Time start = absl::FromUnixSeconds(1'600'000'000);
  uint64_t id = 0;
  for (int i = 0; i < 100; ++i) {
    Job job = JobOf(1);
    job.spec.id = JobId(++id);
    beliefs.Began(job, shape, start);
  }
  beliefs.Advance(start + absl::Hours(1));
  for (uint64_t ended = 1; ended <= 20; ++ended) {
    Job job = JobOf(1);
    job.spec.id = JobId(ended);
    beliefs.Observe(job, shape, absl::Minutes(30), true);
  }
  Job job = JobOf(1);
  job.spec.id = JobId(++id);
  EXPECT_GT(beliefs.Remaining(job, shape, {}).p50, absl::Hours(1));
  EXPECT_GT(beliefs.Remaining(job, shape, {}).p90, absl::Hours(1));
}

TEST(LearnedBeliefsTest, BelievesAFewOfTheSameNameBeforeManyOthers) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  Job named = JobOf(1);
  named.spec.name = Symbol(7);
  for (int i = 0; i < 200; ++i) {
    beliefs.Observe(JobOf(1), shape, absl::Minutes(1), true);
  }
  for (int i = 0; i < 12; ++i) {
    beliefs.Observe(named, shape, absl::Hours(10), true);
  }
  EXPECT_GT(beliefs.Remaining(named, shape, {}).p50, absl::Hours(9));
  EXPECT_LT(beliefs.Remaining(JobOf(1), shape, {}).p50, absl::Minutes(2));
}

TEST(LearnedBeliefsTest, BelievesAnEstimateAndLearnsHowEstimatesTurnOut) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  for (int i = 0; i < 200; ++i) {
    beliefs.Observe(JobOf(1), shape, absl::Minutes(1), true);
  }
  Job job = JobOf(1);
  job.spec.runtime = absl::Hours(2);
  const RuntimeBelief at_first = beliefs.Remaining(job, shape, {});
  EXPECT_GT(at_first.p50, absl::Hours(1.6));
  EXPECT_LT(at_first.p50, absl::Hours(2.4));
  EXPECT_TRUE(at_first.informed);
  // This user's jobs take half as long as said, whatever was said.
  for (int i = 1; i <= 40; ++i) {
    job.spec.runtime = absl::Hours(i);
    beliefs.Observe(job, shape, absl::Hours(i) / 2, true);
  }
  job.spec.runtime = absl::Hours(6);
  EXPECT_NEAR(absl::ToDoubleHours(beliefs.Remaining(job, shape, {}).p50), 3,
              0.1);
}

TEST(LearnedBeliefsTest, SpreadsOverWhatItHasSeen) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  for (int i = 0; i < 300; ++i) {
    const bool is_short = i % 2 == 0;
    beliefs.Observe(JobOf(1), shape,
                    is_short ? absl::Minutes(10) : absl::Hours(20), true);
  }
  std::vector<RuntimeShare> shares;
  beliefs.Spread(JobOf(1), shape, {}, shares);
  double sum = 0;
  double brief = 0;
  for (const RuntimeShare& s : shares) {
    sum += s.share;
    if (s.left < absl::Hours(1)) brief += s.share;
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_NEAR(brief, 0.5, 0.1);  // a group is a twelfth
  // Once it has run an hour, it is one of the long ones.
  beliefs.Spread(JobOf(1), shape, absl::Hours(1), shares);
  for (const RuntimeShare& s : shares) {
    if (s.left < absl::Hours(8)) sum -= s.share;
  }
  EXPECT_GT(sum, 0.9);
}

TEST(LearnedBeliefsTest, BelievesAnExactRuntime) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  Job job = JobOf(1);
  for (int i = 0; i < 50; ++i) {
    beliefs.Observe(job, shape, absl::Minutes(5), true);
  }
  job.spec.runtime = absl::Hours(7);
  job.spec.runtime_known = true;
  const RuntimeBelief belief = beliefs.Remaining(job, shape, absl::Hours(2));
  EXPECT_TRUE(belief.known);
  EXPECT_EQ(belief.p90, absl::Hours(5));
}

TEST(LearnedBeliefsTest, NeverBelievesMoreThanTheLimitLeaves) {
  LearnedBeliefs beliefs;
  const JobShape shape;
  Job job = JobOf(1);
  for (int i = 0; i < 50; ++i) {
    beliefs.Observe(job, shape, absl::Hours(30), true);
  }
  job.spec.time_limit = absl::Hours(4);
  EXPECT_LE(beliefs.Remaining(job, shape, absl::Hours(1)).p90, absl::Hours(3));
}

}  // namespace
}  // namespace ccsched
