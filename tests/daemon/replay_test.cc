// The journal of a live scheduler, stepped again, decides the same.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "scheduler/core/engine.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/journal.h"
#include "sim/command.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

// An engine made of what a boot recorded, as the daemon makes its own.
std::unique_ptr<Engine> EngineOf(const v1::JournalBoot& boot) {
  absl::StatusOr<Cluster> cluster = MakeCluster(boot.config());
  EXPECT_TRUE(cluster.ok()) << cluster.status();
  auto policy = MakePolicy(boot.policy().name(), {});
  EXPECT_TRUE(policy.ok()) << policy.status();
  EngineOptions options;
  options.beliefs = std::make_unique<LearnedBeliefs>();
  options.resize_in_place = false;
  return std::make_unique<Engine>(cluster->topology, *std::move(policy),
                                  MakePolicy, std::move(options));
}

class ReplayTest : public DaemonTest {
 protected:
  void LiveADay() {
    Start();
    const auto agent = Agent({.node = "n1", .count = 2});
    ASSERT_TRUE(Push(Hourly("dirty", {500, 400, 300, 100, 500})).ok());
    grpc::ClientContext policy_context;
    v1::SetPolicyRequest policy;
    policy.set_name("lowest-window");
    v1::SetPolicyResponse set;
    ASSERT_TRUE(admin->SetPolicy(&policy_context, policy, &set).ok());
    v1::JobSpec later = Spec();
    *later.mutable_runtime() = ToProto(absl::Hours(1));
    *later.mutable_max_delay() = ToProto(absl::Hours(5));
    Submit(later);
    v1::JobSpec now = Spec(2);
    *now.mutable_max_delay() = ToProto(absl::ZeroDuration());
    Submit(now);
    Submit(now);
    v1::SubmitResponse refused;
    v1::JobSpec wide = Spec(1'000);
    wide.add_site("here");
    EXPECT_FALSE(DaemonTest::Submit(wide, &refused).ok());
    for (int i = 0; i < 2; ++i) {
      const auto start = agent->WaitStart();
      ASSERT_TRUE(start.has_value());
      agent->Started(start->key());
      agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
      ASSERT_TRUE(agent->WaitAcknowledge().has_value());
    }
  }
};

TEST_F(ReplayTest, ComesToTheRecordedDecisions) {
  LiveADay();
  LedgerReader& reader = daemon().reader();
  const auto steps = reader.Steps(0, 10'000);
  ASSERT_TRUE(steps.ok()) << steps.status();
  std::unique_ptr<Engine> engine;
  const auto submission =
      [&](JobId id, std::vector<JobId> after) -> absl::StatusOr<JobSubmitted> {
    const auto record = reader.Job(id);
    if (!record.ok()) return record.status();
    v1::JobSpec spec;
    spec.ParseFromString(record->submission.payload);
    absl::StatusOr<ModelJob> job =
        ToModel(spec, {}, engine->topology(), record->submission.submitted);
    if (!job.ok()) return job.status();
    job->spec.id = id;
    job->shape.placement = engine->InternPlacement(job->placement);
    return JobSubmitted{job->spec, job->shape, std::move(after)};
  };
  size_t starts = 0, deferrals = 0;
  for (const StepRow& step : *steps) {
    v1::JournalEvents journal;
    ASSERT_TRUE(journal.ParseFromString(step.events));
    if (journal.events_size() == 1 && journal.events(0).has_boot()) {
      engine = EngineOf(journal.events(0).boot());
      continue;
    }
    ASSERT_NE(engine, nullptr);
    const auto events = EventsOf(journal, submission);
    ASSERT_TRUE(events.ok()) << events.status();
    const v1::JournalDecisions again =
        JournalOf(engine->Step(step.now, *events));
    EXPECT_EQ(again.SerializeAsString(), step.decisions)
        << "step " << step.sequence << ": " << again.ShortDebugString();
    starts += again.starts_size();
    for (const auto& decision : again.decisions()) {
      deferrals +=
          decision.kind() == static_cast<uint32_t>(DecisionKind::kDefer);
    }
  }
  EXPECT_EQ(starts, 2u);
  EXPECT_GE(deferrals, 1u);
}

// What `ccsched sim replay` prints of the fixture's state.
absl::StatusOr<std::string> Printed(const std::string& state,
                                    std::vector<std::string> policies,
                                    const std::string& output) {
  std::ostringstream out, err;
  const auto code = RunSimReplayCommand(
      {.state_dir = state, .policies = std::move(policies), .output = output},
      out, err);
  if (!code.ok()) return code.status();
  return out.str();
}
nlohmann::json Replayed(const std::string& state,
                        std::vector<std::string> policies) {
  const auto text = Printed(state, std::move(policies), "json");
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? nlohmann::json::parse(*text) : nlohmann::json();
}

TEST_F(ReplayTest, SaysWhatOtherPoliciesWouldHaveDone) {
  LiveADay();
  EXPECT_EQ(Replayed(dir() + "/state", {})["same"], true);
  const nlohmann::json j =
      Replayed(dir() + "/state", {"fcfs", "lowest-window"});
  // The job that is deferred for hours has done nothing yet.
  EXPECT_EQ(j["jobs"], 2);
  EXPECT_EQ(j["left_out"], 1);
  ASSERT_EQ(j["runs"].size(), 3u);
  EXPECT_EQ(j["runs"][0]["policy"], "as recorded");
  for (const auto& run : j["runs"]) {
    SCOPED_TRACE(run.dump());
    EXPECT_EQ(run["unfinished"], 0);
    EXPECT_EQ(run["jobs"], 2);
    EXPECT_GT(run["co2e_g"], 0);
  }
  // Both jobs may not wait, so every policy runs them as they ran, at once and
  // on the only node; only the ways of the messages are shorter.
  EXPECT_NEAR(j["runs"][1]["co2e_g"], j["runs"][0]["co2e_g"],
              1e-6 * j["runs"][0]["co2e_g"].get<double>() + 1e-9);
  EXPECT_LE(j["runs"][1]["wait_s"]["mean"], j["runs"][0]["wait_s"]["mean"]);
}

TEST_F(ReplayTest, PutsPoliciesSideBySideAsCsv) {
  LiveADay();
  const auto csv = Printed(dir() + "/state", {"fcfs"}, "csv");
  ASSERT_TRUE(csv.ok()) << csv.status();
  const std::vector<std::string> lines = absl::StrSplit(*csv, '\n');
  ASSERT_EQ(lines.size(), 4u) << *csv;
  EXPECT_TRUE(absl::StartsWith(lines[0], "policy,jobs,unfinished,")) << *csv;
  EXPECT_TRUE(absl::StartsWith(lines[1], "as recorded,2,0,")) << *csv;
  EXPECT_TRUE(absl::StartsWith(lines[2], "fcfs,2,0,")) << *csv;
  const size_t commas = std::count(lines[0].begin(), lines[0].end(), ',');
  EXPECT_EQ(std::count(lines[2].begin(), lines[2].end(), ','), commas);
  // There is no table of whether decisions came out again.
  EXPECT_EQ(Printed(dir() + "/state", {}, "csv").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ccsched
