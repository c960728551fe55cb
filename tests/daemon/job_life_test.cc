// A job's life through the real services, with an agent that a test plays.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

TEST_F(DaemonTest, RunsAJobFromItsSubmissionToItsEnd) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec(2));
  EXPECT_EQ(id, 1);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().job_id(), id);
  EXPECT_EQ(start->key().epoch(), 1);
  EXPECT_EQ(start->count(), 2);
  EXPECT_EQ(start->spec().command(0), "true");
  EXPECT_EQ(start->site(), "here");
  agent->Started(start->key());
  EXPECT_EQ(WaitFor(id, v1::JOB_RUNNING).attempts_size(), 1);
  agent->Ended(start->key(), v1::OUTCOME_FAILED, 3);
  const auto acknowledged = agent->WaitAcknowledge();
  ASSERT_TRUE(acknowledged.has_value());
  EXPECT_EQ(acknowledged->ended(0).job_id(), id);
  const v1::Job job = Get(id);
  EXPECT_EQ(job.state(), v1::JOB_FAILED);
  EXPECT_EQ(job.exit_code(), 3);
  EXPECT_EQ(job.attempts(0).outcome(), "failed");
  EXPECT_EQ(job.attempts(0).nodes(0).node(), "n1");
  EXPECT_EQ(job.baseline_site(), "here");
}

TEST_F(DaemonTest, QueuesAJobUntilANodeJoins) {
  Start();
  const uint64_t id = Submit(Spec());
  EXPECT_EQ(Get(id).state(), v1::JOB_QUEUED);
  const auto agent = Agent({.node = "n1", .site = "there"});
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->site(), "there");
}

TEST_F(DaemonTest, GivesOneJobForOneKeyForGood) {
  Start();
  v1::JobSpec spec = Spec();
  spec.set_key("only-once");
  const uint64_t id = Submit(spec);
  v1::SubmitResponse again;
  ASSERT_TRUE(Submit(spec, &again).ok());
  EXPECT_EQ(again.job_id(), id);
  EXPECT_TRUE(again.existed());
  Restart();
  ASSERT_TRUE(Submit(spec, &again).ok());
  EXPECT_EQ(again.job_id(), id);
  EXPECT_TRUE(again.existed());
  spec.set_key("another");
  EXPECT_EQ(Submit(spec), id + 1);
}

TEST_F(DaemonTest, ExpandsAnArrayIntoConsecutiveJobs) {
  Start();
  v1::JobSpec spec = Spec();
  spec.set_array("1,3,5");
  spec.set_key("array");
  v1::SubmitResponse response;
  ASSERT_TRUE(Submit(spec, &response).ok());
  EXPECT_EQ(response.jobs(), 3);
  const uint64_t first = response.job_id();
  EXPECT_EQ(Get(first + 2).array_index(), 5);
  EXPECT_EQ(Get(first + 2).array_id(), first);
  ASSERT_TRUE(Submit(spec, &response).ok());
  EXPECT_EQ(response.job_id(), first);
  EXPECT_EQ(response.jobs(), 3);
  EXPECT_TRUE(response.existed());
}

TEST_F(DaemonTest, KeepsAnArraysLimitOverARestart) {
  Start();
  v1::JobSpec spec = Spec();
  spec.set_array("0-4%2");
  const uint64_t first = Submit(spec);
  EXPECT_EQ(Get(first + 1).state(), v1::JOB_QUEUED);
  EXPECT_EQ(Get(first + 2).state(), v1::JOB_BLOCKED);
  EXPECT_EQ(Get(first + 2).state_note(), "at most 2 of array 1 at once");
  Restart();
  const auto agent = Agent({.node = "n1"});
  for (int i = 0; i < 5; ++i) {
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    EXPECT_EQ(start->key().job_id(), first + i);
    if (i == 0) continue;  // so two run, from the second on
    if (i < 4) {
      EXPECT_EQ(Get(first + i + 1).state(), v1::JOB_BLOCKED);
    }
    agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
  }
  EXPECT_EQ(WaitFor(first + 4, v1::JOB_SUCCEEDED).state_note(), "");
}

TEST_F(DaemonTest, TakesAJobInAnImageOnlyIfANodeCanRunIt) {
  Start();
  const auto plain = Agent({.node = "n1"});
  v1::JobSpec spec = Spec();
  spec.set_image("docker.io/library/busybox");
  v1::SubmitResponse response;
  const grpc::Status refused = Submit(spec, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(),
              ::testing::HasSubstr("has podman or apptainer"));
  const auto able = Agent({.node = "n2", .container_runtime = "podman"});
  EXPECT_EQ(Submit(spec), 1);
  const auto start = able->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->spec().image(), "docker.io/library/busybox");
  spec.add_site("there");
  EXPECT_EQ(Submit(spec, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(DaemonTest, RunsADependentJobOnlyAfterSuccess) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t parent = Submit(Spec());
  v1::JobSpec spec = Spec();
  spec.add_after(parent);
  const uint64_t child = Submit(spec);
  EXPECT_EQ(Get(child).state(), v1::JOB_BLOCKED);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
  const auto next = agent->WaitStart();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->key().job_id(), child);
  agent->Ended(next->key(), v1::OUTCOME_FAILED, 1);
  ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  WaitFor(child, v1::JOB_FAILED);
  spec.clear_after();
  spec.add_after(child);
  v1::SubmitResponse response;
  const grpc::Status refused = Submit(spec, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(),
              ::testing::HasSubstr("job 2 has ended without success"));
}

TEST_F(DaemonTest, CancelsADependentJobWhenItsParentFails) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t parent = Submit(Spec());
  v1::JobSpec spec = Spec();
  spec.add_after(parent);
  const uint64_t child = Submit(spec);
  const auto start = agent->WaitStart();
  agent->Ended(start->key(), v1::OUTCOME_FAILED, 1);
  EXPECT_EQ(WaitFor(child, v1::JOB_CANCELLED).state_note(),
            "dependency 1 did not succeed");
}

TEST_F(DaemonTest, SaysWhichCancelledJobAnotherWaitedFor) {
  Start();
  const uint64_t parent = Submit(Spec());
  v1::JobSpec spec = Spec();
  spec.add_after(parent);
  const uint64_t child = Submit(spec);
  spec.clear_after();
  spec.add_after(child);
  const uint64_t grandchild = Submit(spec);
  grpc::ClientContext context;
  v1::JobActionRequest request;
  request.add_job_ids(parent);
  v1::JobActionResponse response;
  ASSERT_TRUE(jobs->Cancel(&context, request, &response).ok());
  EXPECT_EQ(WaitFor(parent, v1::JOB_CANCELLED).state_note(), "");
  EXPECT_EQ(WaitFor(child, v1::JOB_CANCELLED).state_note(),
            "dependency 1 did not succeed");
  EXPECT_EQ(WaitFor(grandchild, v1::JOB_CANCELLED).state_note(),
            "dependency 2 did not succeed");
}

TEST_F(DaemonTest, CancelsARunningJobAndSaysSo) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec());
  const auto start = agent->WaitStart();
  agent->Started(start->key());
  grpc::ClientContext context;
  v1::JobActionRequest request;
  request.add_job_ids(id);
  request.add_job_ids(99);
  v1::JobActionResponse response;
  ASSERT_TRUE(jobs->Cancel(&context, request, &response).ok());
  EXPECT_TRUE(response.results(0).done());
  EXPECT_FALSE(response.results(1).done());
  EXPECT_EQ(response.results(1).message(), "there is no job 99");
  EXPECT_TRUE(response.results(1).unknown());
  const auto stop = agent->WaitStop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->why(), v1::StopAttempt::CANCEL);
  agent->Ended(start->key(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(WaitFor(id, v1::JOB_CANCELLED).attempts(0).outcome(), "cancelled");
}

TEST_F(DaemonTest, RefusesWhatCanNeverRun) {
  Start();
  const auto agent = Agent({.node = "n1", .count = 4});
  const auto other = Agent({.node = "n2", .site = "there", .count = 2});
  v1::SubmitResponse response;
  const grpc::Status refused = Submit(Spec(100), &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), ::testing::HasSubstr("100"));
  v1::JobSpec nowhere = Spec();
  nowhere.add_site("nowhere");
  EXPECT_EQ(Submit(nowhere, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Submit(Spec()), 1) << "a refused job takes no number";
}

}  // namespace
}  // namespace ccsched
