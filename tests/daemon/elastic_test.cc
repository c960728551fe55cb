// What a suspension or a resize comes to, with agents that a test plays.
// SPDX-License-Identifier: Apache-2.0
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class ElasticTest : public DaemonTest {
 protected:
  v1::JobActionResult Resize(uint64_t id, uint32_t count) {
    return Act(&v1::Jobs::Stub::Resize, id, count);
  }
  v1::JobActionResult Hold(uint64_t id) {
    return Act(&v1::Jobs::Stub::Hold, id, 0);
  }
  // A running job of two accelerators, from one to eight.
  v1::AttemptKey RunElastic(FakeAgent& agent, v1::JobSpec spec = Spec(2)) {
    spec.set_elastic("1:8");
    spec.set_suspendable(true);
    Submit(spec);
    const auto start = agent.WaitStart();
    EXPECT_TRUE(start.has_value());
    EXPECT_EQ(start->count(), 2u);
    agent.Started(start->key());
    WaitFor(start->key().job_id(), v1::JOB_RUNNING);
    return start->key();
  }
  static void GoesOn(FakeAgent& agent, const v1::AttemptKey& key) {
    v1::AgentMessage message;
    *message.mutable_status() = StatusOf(key);
    message.mutable_status()->set_goes_on(true);
    agent.Send(message);
  }

  template <typename Method>
  v1::JobActionResult Act(Method method, uint64_t id, uint32_t count) {
    grpc::ClientContext context;
    v1::JobActionRequest request;
    request.add_job_ids(id);
    request.set_count(count);
    v1::JobActionResponse response;
    const grpc::Status status = ((*jobs).*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.results(0);
  }
};

TEST_F(ElasticTest, ResizesBySuspendingAndStartingAnewAtTheNewWidth) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = RunElastic(*agent);
  EXPECT_TRUE(Resize(key.job_id(), 6).done());
  const auto stop = agent->WaitStop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->why(), v1::StopAttempt::RESIZE);
  v1::AgentMessage ended;
  *ended.mutable_status() = StatusOf(key, v1::OUTCOME_SUSPENDED);
  ended.mutable_status()->set_checkpoint("step 41");
  agent->Send(ended);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().epoch(), 2u);
  EXPECT_EQ(start->count(), 6u);
  EXPECT_EQ(start->checkpoint(), "step 41");
  agent->Started(start->key());
  agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
  const v1::Job job = WaitFor(key.job_id(), v1::JOB_SUCCEEDED);
  ASSERT_EQ(job.attempts_size(), 2);
  EXPECT_EQ(job.attempts(0).count(), 2u);
  EXPECT_EQ(job.attempts(1).count(), 6u);
}

TEST_F(ElasticTest, ATimeLimitIsThatOfTheJobsOwnWidth) {
  Start();
  const auto agent = Agent({.node = "n1"});
  v1::JobSpec spec = Spec(2);
  spec.mutable_time_limit()->set_seconds(3600);
  v1::AttemptKey key = RunElastic(*agent, spec);
  for (const auto& [count, least, most] :
       {std::tuple(1u, 7100, 7200), std::tuple(8u, 3500, 3600)}) {
    EXPECT_TRUE(Resize(key.job_id(), count).done());
    ASSERT_TRUE(agent->WaitStop().has_value());
    agent->Ended(key, v1::OUTCOME_SUSPENDED);
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    EXPECT_EQ(start->count(), count);
    EXPECT_GE(start->time_limit().seconds(), least);
    EXPECT_LE(start->time_limit().seconds(), most);
    key = start->key();
    agent->Started(key);
    WaitFor(key.job_id(), v1::JOB_RUNNING);
  }
  agent->Ended(key, v1::OUTCOME_SUCCEEDED);
  WaitFor(key.job_id(), v1::JOB_SUCCEEDED);
}

TEST_F(ElasticTest, AJobThatDoesNotAnswerGoesOnAtItsOldWidth) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = RunElastic(*agent);
  EXPECT_TRUE(Resize(key.job_id(), 6).done());
  ASSERT_TRUE(agent->WaitStop().has_value());
  WaitFor(key.job_id(), v1::JOB_SUSPENDING);
  GoesOn(*agent, key);
  const v1::Job job = WaitFor(key.job_id(), v1::JOB_RUNNING);
  EXPECT_EQ(job.state(), v1::JOB_RUNNING);
  EXPECT_EQ(job.attempts(0).count(), 2u);
  agent->Ended(key, v1::OUTCOME_SUCCEEDED);
  WaitFor(key.job_id(), v1::JOB_SUCCEEDED);
}

TEST_F(ElasticTest, AGangWhosePartsDisagreeStartsAgainFromTheCheckpoint) {
  Start();
  const auto a = Agent({.node = "a", .count = 4});
  const auto b = Agent({.node = "b", .count = 4});
  v1::JobSpec spec = Spec(8);
  spec.set_nodes(2);
  spec.set_suspendable(true);
  const uint64_t id = Submit(spec);
  const auto on_a = a->WaitStart();
  const auto on_b = b->WaitStart();
  ASSERT_TRUE(on_a.has_value() && on_b.has_value());
  a->Started(on_a->key());
  b->Started(on_b->key());
  WaitFor(id, v1::JOB_RUNNING);
  EXPECT_TRUE(Hold(id).done());
  ASSERT_TRUE(a->WaitStop().has_value());
  ASSERT_TRUE(b->WaitStop().has_value());
  v1::AgentMessage saved;
  *saved.mutable_status() = StatusOf(on_a->key(), v1::OUTCOME_SUSPENDED);
  saved.mutable_status()->set_checkpoint("both");
  a->Send(saved);
  GoesOn(*b, on_b->key());
  const auto stop = b->WaitStop();
  ASSERT_TRUE(stop.has_value()) << "half a gang is left running";
  EXPECT_EQ(stop->why(), v1::StopAttempt::MOVE);
  b->Ended(on_b->key(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(WaitFor(id, v1::JOB_HELD).state(), v1::JOB_HELD);
}

TEST_F(ElasticTest, WhatACheckpointCostIsKnownAfterARestart) {
  Start();
  auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = RunElastic(*agent);
  EXPECT_TRUE(Hold(key.job_id()).done());
  ASSERT_TRUE(agent->WaitStop().has_value());
  v1::AgentMessage saved;
  *saved.mutable_status() = StatusOf(key, v1::OUTCOME_SUSPENDED);
  *saved.mutable_status()->mutable_checkpoint_cost() =
      ToProto(absl::Seconds(50));
  saved.mutable_status()->set_checkpoint("step 41");
  agent->Send(saved);
  WaitFor(key.job_id(), v1::JOB_HELD);
  Restart();
  // It stands in what is recorded from now on, too: the engine knows it.
  agent = Agent({.node = "n1"});
  EXPECT_TRUE(Act(&v1::Jobs::Stub::Release, key.job_id(), 0).done());
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  agent->Started(start->key());
  WaitFor(key.job_id(), v1::JOB_RUNNING);
  const auto record = daemon().reader().Job(JobId(key.job_id()));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->state.checkpoint, absl::Seconds(64)) << "a power of two";
  agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
}

TEST_F(ElasticTest, RefusesAWidthOutsideOfTheRange) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = RunElastic(*agent);
  const v1::JobActionResult result = Resize(key.job_id(), 9);
  EXPECT_FALSE(result.done());
  EXPECT_THAT(result.message(), HasSubstr("from 1 to 8"));
}

TEST_F(ElasticTest, AnUnfitNodeTakesNoNewJobsUntilItIsFit) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = RunElastic(*agent);
  v1::AgentMessage message;
  message.mutable_health()->set_unfit("its disk is full");
  agent->Send(message);
  const auto unfit = [&](v1::NodeStatus* node) {
    grpc::ClientContext context;
    v1::NodesResponse nodes;
    EXPECT_TRUE(admin->Nodes(&context, {}, &nodes).ok());
    *node = nodes.nodes(0);
    return node->state() == "unfit";
  };
  v1::NodeStatus node;
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!unfit(&node) && absl::Now() < deadline) {
  }
  EXPECT_EQ(node.state(), "unfit");
  EXPECT_EQ(node.reason(), "its disk is full");
  EXPECT_EQ(node.busy(), 2u) << "what runs there goes on";
  const uint64_t waiting = Submit(Spec());
  EXPECT_EQ(Get(waiting).state(), v1::JOB_QUEUED);
  message.mutable_health()->clear_unfit();
  agent->Send(message);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().job_id(), waiting);
  agent->Ended(key, v1::OUTCOME_SUCCEEDED);
}

}  // namespace
}  // namespace ccsched
