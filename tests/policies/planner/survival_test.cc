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
