// Budgets, money and shadow policies, through the real services.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class ProjectsServiceTest : public DaemonTest {
 protected:
  // 100 W, a PUE of 1.5: 150 g an hour at 1000 g/kWh.
  void PushThousand() {
    ASSERT_TRUE(Push(Hourly("dirty", std::vector<double>(30, 1000),
                            ThisHour() - absl::Hours(2)))
                    .ok());
  }
  v1::SubmitResponse SubmitOf(const std::string& project, int hours = 1) {
    v1::JobSpec spec = Spec();
    spec.set_project(project);
    spec.add_site("here");
    *spec.mutable_runtime() = ToProto(absl::Hours(hours));
    v1::SubmitResponse response;
    const grpc::Status status = Submit(spec, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  void Configure(const std::string& more) { config += more; }
  void Rewrite(const std::string& from, const std::string& to) {
    config = absl::StrReplaceAll(config, {{from, to}});
    std::ofstream(dir() + "/cluster.yaml") << config;
    daemon().Reload();
  }
  v1::ProjectsResponse Projects() {
    grpc::ClientContext context;
    v1::ProjectsResponse response;
    EXPECT_TRUE(admin->Projects(&context, {}, &response).ok());
    return response;
  }
  // Runs the next job that comes for `joules` until now.
  void RunNext(FakeAgent& agent, double joules) {
    const auto start = agent.WaitStart();
    ASSERT_TRUE(start.has_value());
    agent.Started(start->key());
    const v1::Job running = WaitFor(start->key().job_id(), v1::JOB_RUNNING);
    v1::AgentMessage message;
    v1::EnergySample& sample = *message.mutable_telemetry()->add_samples();
    *sample.mutable_key() = start->key();
    *sample.mutable_start() = running.started();
    *sample.mutable_end() = ToProto(absl::Now());
    sample.set_joules(joules);
    sample.set_method("measured");
    agent.Send(message);
    agent.Ended(start->key(), v1::OUTCOME_SUCCEEDED);
    ASSERT_TRUE(agent.WaitAcknowledge().has_value());
  }
};

constexpr char kHold[] =
    "projects: [{name: red, budget: {co2e_kg: 0.2, period: year}, "
    "action: hold}]\n";

TEST_F(ProjectsServiceTest, HoldsWhatABudgetHasNoRoomFor) {
  Configure(kHold);
  Start();
  PushThousand();
  EXPECT_EQ(SubmitOf("red").warning(), "");
  const v1::SubmitResponse held = SubmitOf("red");
  EXPECT_THAT(held.warning(),
              AllOf(HasSubstr("held"), HasSubstr("red"), HasSubstr("200 g"),
                    ContainsRegex("; it is expected to emit 1[0-9]+ g$")));
  EXPECT_THAT(
      SubmitOf("blue").warning(),
      AllOf(HasSubstr("'blue' is not configured"), Not(HasSubstr("held"))));
  const v1::Job job = Get(held.job_id());
  EXPECT_EQ(job.state(), v1::JOB_HELD);
  EXPECT_THAT(job.state_note(), HasSubstr("carbon budget of project red"));
  EXPECT_THAT(job.state_note(), HasSubstr("; it is expected to emit 1"));
  EXPECT_EQ(job.reason().code(), "budget");
  const v1::ProjectsResponse projects = Projects();
  ASSERT_EQ(projects.projects_size(), 1);
  // How long it runs is only believed, around what its user said.
  EXPECT_NEAR(projects.projects(0).budget().expected_g(), 150, 30);
  EXPECT_EQ(projects.projects(0).budget().jobs_held(), 1);
}

TEST_F(ProjectsServiceTest, KeepsHoldingAfterARestartUntilTheBudgetIsRaised) {
  Configure(kHold);
  Start();
  PushThousand();
  SubmitOf("red");
  const uint64_t held = SubmitOf("red").job_id();
  Restart();
  EXPECT_EQ(Get(held).state(), v1::JOB_HELD);
  const auto agent = Agent({.node = "n1"});
  ASSERT_TRUE(agent->WaitStart().has_value());
  EXPECT_EQ(Get(held).state(), v1::JOB_HELD);
  Rewrite("co2e_kg: 0.2", "co2e_kg: 2");
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->key().job_id(), held);
  EXPECT_EQ(Get(held).state_note(), "");
}

TEST_F(ProjectsServiceTest, CountsWhatTheLedgerHasAcrossARestart) {
  Configure(kHold);
  Start();
  PushThousand();
  {
    const auto agent = Agent({.node = "n1"});
    SubmitOf("red");
    RunNext(*agent, 3.6e5);  // 0.1 kWh: 150 g
  }
  EXPECT_NEAR(Projects().projects(0).budget().used_g(), 150, 1);
  EXPECT_NEAR(Projects().projects(0).budget().expected_g(), 0, 1e-6);
  Restart();
  EXPECT_NEAR(Projects().projects(0).budget().used_g(), 150, 1);
  const v1::SubmitResponse response = SubmitOf("red");
  EXPECT_THAT(response.warning(), HasSubstr("held"));
  EXPECT_NEAR(Projects().projects(0).budget().used_g(), 150, 1);
}

// Reloads and telemetry that meet in one step: nothing is lost, nothing counts
// twice. (Before a reload went first, some of it was lost each time.)
TEST_F(ProjectsServiceTest, AReloadLosesNoEmissionOfItsOwnStep) {
  Configure("projects: [{name: red, budget: {co2e_kg: 9, period: year}}]\n");
  Start();
  PushThousand();
  std::ofstream(dir() + "/cluster.yaml") << config;
  const auto agent = Agent({.node = "n1"});
  for (int i = 0; i < 40; ++i) {
    SubmitOf("red");
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    agent->Started(start->key());
    const v1::Job running = WaitFor(start->key().job_id(), v1::JOB_RUNNING);
    v1::AgentMessage message;
    v1::EnergySample& sample = *message.mutable_telemetry()->add_samples();
    *sample.mutable_key() = start->key();
    *sample.mutable_start() = running.started();
    *sample.mutable_end() = ToProto(absl::Now());
    sample.set_joules(3.6e5);  // 150 g
    sample.set_method("measured");
    agent->Send(message);
    agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
    for (int j = 0; j < 5; ++j) daemon().Reload();
    ASSERT_TRUE(agent->WaitAcknowledge().has_value());
  }
  EXPECT_NEAR(Projects().projects(0).budget().used_g(), 40 * 150, 2);
}

TEST_F(ProjectsServiceTest, WarnsOnlyIfItIsToldTo) {
  Configure("projects: [{name: red, budget: {co2e_kg: 0.2, period: year}}]\n");
  Start();
  PushThousand();
  EXPECT_EQ(SubmitOf("red").warning(), "");
  const v1::SubmitResponse over = SubmitOf("red");
  EXPECT_THAT(over.warning(), HasSubstr("goes beyond the carbon budget"));
  EXPECT_EQ(Get(over.job_id()).state(), v1::JOB_QUEUED);
}

TEST_F(ProjectsServiceTest, CostsWhatItsEnergyCosts) {
  std::string prices = "utc,price,currency\n";
  for (int h = -2; h < 4; ++h) {
    absl::StrAppend(
        &prices,
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", ThisHour() + absl::Hours(h),
                         absl::UTCTimeZone()),
        ",200,EUR/MWh\n");
  }
  std::ofstream(dir() + "/prices.csv") << prices;
  config = absl::StrReplaceAll(
      config, {{"{name: dirty", "{name: dirty, price: prices.csv"}});
  ASSERT_THAT(config, HasSubstr("prices.csv"));
  Start();
  PushThousand();
  const auto agent = Agent({.node = "n1"});
  SubmitOf("red");
  RunNext(*agent, 3.6e6);  // 1.5 kWh from the grid
  grpc::ClientContext context;
  v1::ReportRequest request;
  request.set_by("job");
  v1::ReportResponse report;
  ASSERT_TRUE(admin->Report(&context, request, &report).ok());
  ASSERT_EQ(report.rows_size(), 1);
  ASSERT_EQ(report.rows(0).cost_size(), 1);
  EXPECT_EQ(report.rows(0).cost(0).currency(), "EUR");
  EXPECT_NEAR(report.rows(0).cost(0).electricity(), 0.3, 1e-3);
  EXPECT_NEAR(report.total().cost(0).electricity(), 0.3, 1e-3);
  EXPECT_NEAR(report.rows(0).co2e_g(), 1500, 2);
  v1::JobSpec spec = Spec();
  *spec.mutable_runtime() = ToProto(absl::Hours(2));
  v1::PreviewResponse offers;
  ASSERT_TRUE(Preview(spec, &offers).ok());
  // How long it will run is learnt from the one that has ended.
  EXPECT_GT(offers.offers(0).cost(), 0.3 * 0.2 / 3);
  EXPECT_LT(offers.offers(0).cost(), 0.3 * 0.2 * 3);
}

TEST_F(ProjectsServiceTest, APreviewSaysThatABudgetWouldHoldTheJob) {
  Configure(kHold);
  Start();
  PushThousand();
  const auto preview = [this] {
    v1::JobSpec spec = Spec();
    spec.set_project("red");
    spec.add_site("here");
    *spec.mutable_runtime() = ToProto(absl::Hours(1));
    return Preview(spec).reason().text();
  };
  EXPECT_THAT(preview(), Not(HasSubstr("held")));
  SubmitOf("red");
  EXPECT_THAT(preview(), HasSubstr("; but it would be held by the carbon "
                                   "budget of project red: "));
}

TEST_F(ProjectsServiceTest, RefusesAWeightOfMoneyWithoutPrices) {
  Start();
  grpc::ClientContext context;
  v1::SetPolicyRequest request;
  request.set_name("planner");
  (*request.mutable_parameters())["money_g_per_unit"] = "100";
  v1::SetPolicyResponse response;
  const grpc::Status status = admin->SetPolicy(&context, request, &response);
  EXPECT_THAT(status.error_message(),
              AllOf(HasSubstr("dirty"), HasSubstr("price")));
}

TEST_F(ProjectsServiceTest, AShadowTellsWhatItWouldHaveDone) {
  Start();
  PushThousand();
  const auto set = [this](const std::string& name) {
    grpc::ClientContext context;
    v1::SetShadowRequest request;
    request.set_name(name);
    v1::SetShadowResponse response;
    return admin->SetShadow(&context, request, &response);
  };
  EXPECT_EQ(set("easy-backfil").error_code(), grpc::StatusCode::NOT_FOUND);
  ASSERT_TRUE(set("easy-backfill").ok());
  const auto agent = Agent({.node = "n1"});
  SubmitOf("red");
  RunNext(*agent, 1000);
  // The shadow's thread takes its steps in its own time; each submission is
  // one more.
  v1::ShadowResponse shadow;
  for (int i = 0; i < 500 && shadow.compared() == 0; ++i) {
    grpc::ClientContext context;
    ASSERT_TRUE(admin->Shadow(&context, {}, &shadow).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(shadow.policy(), "easy-backfill");
  EXPECT_EQ(shadow.stopped(), "");
  EXPECT_EQ(shadow.compared(), 1);
  EXPECT_EQ(shadow.agreed(), 1);
  Restart();
  SubmitOf("red");
  grpc::ClientContext context;
  ASSERT_TRUE(admin->Shadow(&context, {}, &shadow).ok());
  EXPECT_EQ(shadow.policy(), "easy-backfill") << "it goes on after a restart";
  ASSERT_TRUE(set("").ok());
  grpc::ClientContext off_context;
  ASSERT_TRUE(admin->Shadow(&off_context, {}, &shadow).ok());
  EXPECT_EQ(shadow.policy(), "");
}

}  // namespace
}  // namespace ccsched
