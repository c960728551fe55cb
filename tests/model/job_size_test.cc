// Tests of how much a waiting job may weigh.
// SPDX-License-Identifier: Apache-2.0
#include "gtest/gtest.h"
#include "scheduler/model/job_table.h"

namespace ccsched {
namespace {

// Millions of jobs wait at once: each weighs this and its entry in the index.
TEST(JobSizeTest, AWaitingJobWeighsUnder150Bytes) {
  EXPECT_LE(sizeof(Job) + sizeof(JobRef), 150u);
}

TEST(JobTableTest, FindsAJobByIdUntilItIsErased) {
  JobTable jobs;
  Job job;
  job.spec.id = JobId(5);
  const JobRef ref = jobs.Insert(job);
  EXPECT_EQ(jobs.Find(JobId(5)), ref);
  EXPECT_EQ(jobs.Find(JobId(6)), kNoJob);
  jobs.Erase(ref);
  EXPECT_EQ(jobs.Find(JobId(5)), kNoJob);
  EXPECT_EQ(jobs.size(), 0u);
}

TEST(JobTableTest, UsesASlotAgain) {
  JobTable jobs;
  Job job;
  job.spec.id = JobId(1);
  const JobRef first = jobs.Insert(job);
  jobs.Erase(first);
  job.spec.id = JobId(2);
  EXPECT_EQ(jobs.Insert(job), first);
}

}  // namespace
}  // namespace ccsched
