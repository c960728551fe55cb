// Agents that restart, vanish, or claim what is not theirs.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class AgentsTest : public DaemonTest {
 protected:
  // A job that runs on the agent; its key.
  v1::AttemptKey Run(FakeAgent& agent, uint32_t accelerators = 1) {
    const uint64_t id = Submit(Spec(accelerators));
    const auto start = agent.WaitStart();
    EXPECT_TRUE(start.has_value());
    agent.Started(start->key());
    WaitFor(id, v1::JOB_RUNNING);
    return start->key();
  }
};

TEST_F(AgentsTest, KeepsAJobRunningAcrossARestartOfTheScheduler) {
  Start();
  auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  Restart();
  EXPECT_EQ(Get(key.job_id()).state(), v1::JOB_RUNNING);
  agent = Agent({.node = "n1", .attempts = {StatusOf(key)}});
  EXPECT_EQ(Get(key.job_id()).state(), v1::JOB_RUNNING);
  EXPECT_FALSE(agent->Has(v1::SchedulerMessage::kStart));
  EXPECT_FALSE(agent->Has(v1::SchedulerMessage::kStop));
  agent->Ended(key, v1::OUTCOME_SUCCEEDED);
  const v1::Job job = WaitFor(key.job_id(), v1::JOB_SUCCEEDED);
  EXPECT_EQ(job.attempts_size(), 1);
}

TEST_F(AgentsTest, TakesAnEndingThatCameWhileTheSchedulerWasDown) {
  Start();
  auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  Restart();
  agent =
      Agent({.node = "n1", .attempts = {StatusOf(key, v1::OUTCOME_SUCCEEDED)}});
  EXPECT_TRUE(agent->WaitAcknowledge().has_value());
  EXPECT_EQ(Get(key.job_id()).state(), v1::JOB_SUCCEEDED);
}

TEST_F(AgentsTest, SendsAStartAgainThatTheAgentNeverGot) {
  Start();
  auto agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec());
  ASSERT_TRUE(agent->WaitStart().has_value());  // and forgets it
  agent = Agent({.node = "n1"});
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().job_id(), id);
  EXPECT_EQ(start->key().epoch(), 1);
}

TEST_F(AgentsTest, RunsAJobAgainThatItsNodeDoesNotKnowAnyMore) {
  Start();
  auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  agent = Agent({.node = "n1"});
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().job_id(), key.job_id());
  EXPECT_EQ(start->key().epoch(), 2);
  const v1::Job job = Get(key.job_id());
  EXPECT_EQ(job.attempts(0).outcome(), "lost");
}

// Of its own refusals a job fails in the end; not of what is wrong with nodes.
TEST_F(AgentsTest, NodesThatAreAtFaultFailNoJob) {
  Start();
  auto agent = Agent({.node = "n1"});
  const auto refuse = [&](bool node_at_fault) {
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    v1::AgentMessage message;
    v1::AttemptStatus& status = *message.mutable_status();
    status = StatusOf(start->key(), v1::OUTCOME_REFUSED);
    status.set_message("not here");
    status.set_node_at_fault(node_at_fault);
    agent->Send(message);
    ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  };
  const uint64_t id = Submit(Spec());
  for (int i = 0; i < 9; ++i) refuse(true);
  for (int i = 0; i < 3; ++i) refuse(false);
  Restart();  // it counts on
  agent = Agent({.node = "n1"});
  for (int i = 0; i < 2; ++i) refuse(false);
  const v1::Job job = WaitFor(id, v1::JOB_FAILED);
  EXPECT_EQ(job.attempts_size(), 14);
  EXPECT_THAT(job.state_note(), HasSubstr("5 times, at last: not here"));
}

// It may be the job that does it. How often it did, a restarted scheduler knows
// from the attempts on record; another end between them begins a new row.
TEST_F(AgentsTest, AJobWhoseSupervisorsDieFailsWhoeverCounts) {
  config += "clock: {rate: 100}\n";  // a lost job pauses before its next start
  Replace("lease: 1s", "lease: 60s");
  Start();
  auto agent = Agent({.node = "n1"});
  const auto lose = [&](bool supervisor_died) {
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    v1::AgentMessage message;
    v1::AttemptStatus& status = *message.mutable_status();
    status = StatusOf(start->key(), v1::OUTCOME_LOST);
    status.set_message("signal 11");
    status.set_supervisor_died(supervisor_died);
    agent->Send(message);
    ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  };
  const uint64_t id = Submit(Spec());
  for (const bool died : {true, true, false, true, true, true}) lose(died);
  Restart();
  agent = Agent({.node = "n1"});
  lose(true);
  Restart();
  agent = Agent({.node = "n1"});
  lose(true);
  const v1::Job job = WaitFor(id, v1::JOB_FAILED);
  EXPECT_EQ(job.attempts_size(), 8);
  EXPECT_THAT(job.state_note(),
              HasSubstr("lost 5 times in a row, at last: signal 11"));
}

TEST_F(AgentsTest, StopsAnAttemptOfAnOldEpoch) {
  Start();
  v1::AttemptKey old;
  old.set_job_id(77);
  old.set_epoch(1);
  const auto agent = Agent({.node = "n1", .attempts = {StatusOf(old)}});
  const auto stop = agent->WaitStop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->key().job_id(), 77);
  agent->Ended(old, v1::OUTCOME_STOPPED);
  EXPECT_TRUE(agent->WaitAcknowledge().has_value());
}

TEST_F(AgentsTest, RefusesASecondAgentOfOneNode) {
  Start();
  const auto agent = Agent({.node = "n1", .state_id = "first"});
  FakeAgent clone(address(), {.node = "n1", .state_id = "second"});
  const auto refused = clone.WaitRefused();
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(*refused, HasSubstr("another agent"));
  EXPECT_EQ(clone.WaitEnd().error_code(), grpc::StatusCode::ALREADY_EXISTS);
  agent->Heartbeat(7);
  const auto lease = agent->WaitLease();
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->sequence(), 7);
}

TEST_F(AgentsTest, RefusesANodeOfAnUnknownPool) {
  Start();
  FakeAgent agent(address(), {.node = "n1", .accelerator = "warp"});
  const auto refused = agent.WaitRefused();
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(*refused, HasSubstr("warp"));
}

TEST_F(AgentsTest, EndsAGangAsOneWhenAPartFails) {
  Start();
  const auto a = Agent({.node = "a", .count = 4});
  const auto b = Agent({.node = "b", .count = 4});
  v1::JobSpec spec = Spec(8);
  spec.set_nodes(2);
  const uint64_t id = Submit(spec);
  const auto on_a = a->WaitStart();
  const auto on_b = b->WaitStart();
  ASSERT_TRUE(on_a.has_value() && on_b.has_value());
  EXPECT_EQ(on_a->gang_size(), 2);
  EXPECT_NE(on_a->rank(), on_b->rank());
  a->Started(on_a->key());
  b->Started(on_b->key());
  WaitFor(id, v1::JOB_RUNNING);
  b->Ended(on_b->key(), v1::OUTCOME_FAILED, 9);
  const auto stop = a->WaitStop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->why(), v1::StopAttempt::GANG_FAILED);
  EXPECT_EQ(Get(id).state(), v1::JOB_RUNNING) << "a part still runs";
  a->Ended(on_a->key(), v1::OUTCOME_STOPPED);
  EXPECT_TRUE(a->WaitAcknowledge().has_value());
  EXPECT_TRUE(b->WaitAcknowledge().has_value());
  const v1::Job job = WaitFor(id, v1::JOB_FAILED);
  EXPECT_EQ(job.exit_code(), 9);
}

TEST_F(AgentsTest, StartsALostNodesJobElsewhereOnlyAfterItsLease) {
  Start();
  auto lost = Agent({.node = "lost", .count = 1});
  const v1::AttemptKey key = Run(*lost);
  const auto a = Agent({.node = "a"});
  const auto b = Agent({.node = "b", .site = "there"});
  lost->Break();
  const absl::Time broken = absl::Now();
  std::optional<v1::StartAttempt> start;
  // Both others must stay heard: they are sent to before the lease is over.
  std::atomic<bool> started = false;
  std::thread beat([&] {
    while (!started && absl::Now() - broken < absl::Seconds(8)) {
      a->Heartbeat();
      b->Heartbeat();
      absl::SleepFor(absl::Milliseconds(50));
    }
  });
  start = a->WaitStart();
  started = true;
  beat.join();
  ASSERT_TRUE(start.has_value());
  EXPECT_GE(absl::Now() - broken, absl::Milliseconds(900));
  EXPECT_EQ(start->key().job_id(), key.job_id());
  EXPECT_EQ(start->key().epoch(), 2);
  // Back again, it must not go on with the old attempt.
  lost = Agent({.node = "lost", .count = 1, .attempts = {StatusOf(key)}});
  const auto stop = lost->WaitStop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->key().epoch(), 1);
}

TEST_F(AgentsTest, HandsACheckpointToTheNextAttempt) {
  Start();
  auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  v1::AgentMessage end;
  *end.mutable_status() = StatusOf(key, v1::OUTCOME_LOST);
  end.mutable_status()->set_checkpoint("/data/step-100");
  agent->Send(end);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().epoch(), 2);
  EXPECT_EQ(start->checkpoint(), "/data/step-100");
}

TEST_F(AgentsTest, FailsAJobThatNoNodeWillStart) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec());
  for (int i = 0; i < 5; ++i) {
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    v1::AgentMessage end;
    *end.mutable_status() = StatusOf(start->key(), v1::OUTCOME_REFUSED);
    end.mutable_status()->clear_started();
    end.mutable_status()->set_message("no such folder");
    agent->Send(end);
  }
  const v1::Job job = WaitFor(id, v1::JOB_FAILED);
  EXPECT_EQ(job.attempts_size(), 5);
  EXPECT_THAT(job.state_note(), HasSubstr("no such folder"));
}

TEST_F(AgentsTest, RelaysOutputFromTheNodeToTheReader) {
  Start();
  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  grpc::ClientContext context;
  v1::LogsRequest request;
  request.set_job_id(key.job_id());
  const auto reader = jobs->Logs(&context, request);
  const auto asked = agent->WaitReadLog();
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->key().epoch(), 1);
  // Ten times what may wait on the way.
  const std::string piece(65536, 'x');
  std::thread writer([&] {
    for (int i = 0; i < 160; ++i) {
      v1::AgentMessage message;
      message.mutable_log()->set_request_id(asked->request_id());
      message.mutable_log()->set_data(piece);
      message.mutable_log()->set_end(i == 159);
      agent->Send(std::move(message));
    }
  });
  size_t bytes = 0;
  v1::LogChunk chunk;
  while (reader->Read(&chunk)) bytes += chunk.data().size();
  writer.join();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(bytes, 160 * piece.size());
}

// As when the start was long under way and what it became is told at once.
TEST_F(AgentsTest, NothingIsUsedBeforeAStartThatIsHeardOfLate) {
  config += "clock: {rate: 1000}\n";
  Replace("lease: 1s", "lease: 60s");
  Start();
  const auto agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec());
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  const absl::Time sent = FromProto(Get(id).submitted());
  v1::AgentMessage message;
  v1::EnergySample& sample = *message.mutable_telemetry()->add_samples();
  *sample.mutable_key() = start->key();
  *sample.mutable_start() = ToProto(sent + absl::Hours(1));
  *sample.mutable_end() = ToProto(sent + absl::Hours(1) + absl::Seconds(36));
  sample.set_joules(3600);
  sample.set_method("modelled");
  agent->Send(message);
  v1::AgentMessage end;
  *end.mutable_status() = StatusOf(start->key(), v1::OUTCOME_SUCCEEDED);
  *end.mutable_status()->mutable_started() = sample.start();
  *end.mutable_status()->mutable_ended() = sample.end();
  agent->Send(end);
  ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  // 1 Wh, a PUE of 1.5; an hour at 100 W would be a hundred times as much.
  EXPECT_NEAR(Get(id).energy_kwh(), 0.0015, 1e-5);
}

TEST_F(AgentsTest, AccountsReportedEnergyAtTheIntensityOfItsHour) {
  Start();
  v1::GridSeries series =
      Hourly("dirty", {400, 400, 400, 400, 400}, ThisHour() - absl::Hours(1));
  ASSERT_TRUE(Push(series).ok());

  const auto agent = Agent({.node = "n1"});
  const v1::AttemptKey key = Run(*agent);
  const v1::Job running = Get(key.job_id());
  v1::AgentMessage message;
  v1::EnergySample& sample = *message.mutable_telemetry()->add_samples();
  *sample.mutable_key() = key;
  *sample.mutable_start() = running.started();
  v1::AgentMessage end;
  *end.mutable_status() = StatusOf(key, v1::OUTCOME_SUCCEEDED);
  *sample.mutable_end() = end.status().ended();
  sample.set_joules(3.6e6);
  sample.set_method("measured");
  agent->Send(message);
  agent->Send(end);
  ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  const v1::Job job = Get(key.job_id());
  EXPECT_EQ(job.state(), v1::JOB_SUCCEEDED);
  // 1 kWh, a PUE of 1.5, 400 g/kWh.
  EXPECT_NEAR(job.co2e_g(), 600, 0.5);
  EXPECT_NEAR(job.energy_kwh(), 1.5, 1e-3);
  EXPECT_NEAR(job.baseline_co2e_g(), 600, 0.5);
  EXPECT_TRUE(job.attempts(0).co2e_estimated());

  // Actual values come in later: 300 g/kWh it was.
  series.set_actual(true);
  *series.mutable_issued() = ToProto(absl::Now());
  series.mutable_intensity()->Truncate(2);  // of the hours that have begun
  for (double& value : *series.mutable_intensity()) value = 300;
  ASSERT_TRUE(Push(series).ok());
  const v1::Job restated = Get(key.job_id());
  EXPECT_NEAR(restated.co2e_g(), 450, 0.5);
  EXPECT_NEAR(restated.baseline_co2e_g(), 450, 0.5);
  EXPECT_FALSE(restated.attempts(0).co2e_estimated());
}

}  // namespace
}  // namespace ccsched
