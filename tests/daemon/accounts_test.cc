// The daemon's books close: jobs and idle nodes make up the meters.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/units.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

constexpr double kKwh = kJoulesPerKwh;

// A minute passes in a second, so that a report may be hours ahead.
constexpr char kClock[] = R"(clock: {start: 2026-06-15T00:30:00Z, rate: 60}
)";
constexpr int kHoursOver = 6;
const absl::Time kHour = absl::FromUnixSeconds(1'781'481'600);  // 00:00 then

class AccountsTest : public DaemonTest {
 protected:
  AccountsTest() {
    config += kClock;
    Replace("lease: 1s", "lease: 60s");  // a slow machine loses no node
    Replace("{name: dirty, residual: 500}",
            "{name: dirty, residual: 500, residual_mix: 400, clean_energy: "
            "[{name: ppa, kwh_per_hour: 0.5}]}");
    Replace("active_watts: 100}]}",
            "active_watts: 100, embodied: {kg: 8760, lifetime: 8760h}}]}");
  }
  // Hourly values from midnight on: of two days, or what can have been measured
  // after RestartLater.
  void Push(double intensity, bool actual) {
    const int hours = actual ? kHoursOver : 48;
    v1::GridSeries series =
        Hourly("dirty", std::vector<double>(hours, intensity), kHour);
    for (int i = 0; i < hours; ++i) series.add_cfe_pct(20);
    series.set_actual(actual);
    const grpc::Status status = DaemonTest::Push(series);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  v1::ReportResponse Report(const std::string& by = "site",
                            std::optional<absl::Time> as_of = {}) {
    v1::ReportRequest request;
    request.set_by(by);
    if (as_of) *request.mutable_as_of() = ToProto(*as_of);
    grpc::ClientContext context;
    v1::ReportResponse response;
    const grpc::Status status = admin->Report(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  absl::Time Now() {
    grpc::ClientContext context;
    v1::StatusResponse response;
    EXPECT_TRUE(admin->Status(&context, {}, &response).ok());
    return FromProto(response.now());
  }
  // Restarts on a clock that runs until the hours of every job are over.
  void RestartLater() {
    Replace("rate: 60", "rate: 36000");
    Restart();
    while (Now() < kHour + absl::Hours(1) * kHoursOver) {
    }
  }
  // Waits until it has been done.
  void Reload() {
    daemon().Reload();
    Now();
  }
  // Of the node from `start` on: `job_kwh` of the attempt, `idle_kwh` of none.
  static v1::AgentMessage Telemetry(const v1::AttemptKey& key, absl::Time start,
                                    absl::Time end, double job_kwh,
                                    double idle_kwh) {
    v1::AgentMessage message;
    v1::Telemetry& telemetry = *message.mutable_telemetry();
    *telemetry.mutable_start() = ToProto(start);
    *telemetry.mutable_end() = ToProto(end);
    telemetry.set_node_joules((job_kwh + idle_kwh) * kKwh);
    telemetry.set_unallocated_joules(idle_kwh * kKwh);
    if (job_kwh == 0) return message;
    v1::EnergySample& sample = *telemetry.add_samples();
    *sample.mutable_key() = key;
    *sample.mutable_start() = ToProto(start);
    *sample.mutable_end() = ToProto(end);
    sample.set_joules(job_kwh * kKwh);
    sample.set_method("measured");
    return message;
  }
  // What the agent has sent by now is in the scheduler's inbox: it is taken in
  // before a clean stop.
  static void Sync(FakeAgent& agent) {
    agent.Heartbeat();
    EXPECT_TRUE(agent.WaitLease().has_value());
  }
  // A job that has run on n1 for two hours with 2 kWh, and 1 kWh for none.
  struct Ran {
    uint64_t id;
    v1::AttemptKey key;
    absl::Time start, end;
  };
  Ran RunJob(FakeAgent& agent) {
    v1::JobSpec spec = Spec();
    spec.add_site("here");
    spec.set_suspendable(true);
    Ran ran = StartOf(agent, Submit(spec));
    ran.end = ran.start + absl::Hours(2);
    agent.Send(Telemetry(ran.key, ran.start, ran.end, 2, 1));
    return ran;
  }
  // Its newest attempt, as soon as the agent has started it.
  Ran StartOf(FakeAgent& agent, uint64_t id) {
    Ran ran;
    ran.id = id;
    const auto start = agent.WaitStart();
    EXPECT_TRUE(start.has_value());
    ran.key = start->key();
    v1::AgentMessage started;
    *started.mutable_status()->mutable_key() = ran.key;
    *started.mutable_status()->mutable_started() = ToProto(Now());
    agent.Send(started);
    const v1::Job job = WaitFor(ran.id, v1::JOB_RUNNING);
    ran.start = FromProto(job.attempts(job.attempts_size() - 1).started());
    return ran;
  }
  void End(FakeAgent& agent, const Ran& ran,
           v1::Outcome outcome = v1::OUTCOME_SUCCEEDED) {
    v1::AgentMessage ended;
    *ended.mutable_status()->mutable_key() = ran.key;
    *ended.mutable_status()->mutable_started() = ToProto(ran.start);
    *ended.mutable_status()->mutable_ended() = ToProto(ran.end);
    ended.mutable_status()->set_outcome(outcome);
    agent.Send(ended);
    WaitFor(ran.id, outcome == v1::OUTCOME_SUCCEEDED ? v1::JOB_SUCCEEDED
                                                     : v1::JOB_HELD);
  }
  template <typename Method>
  void Act(Method method, uint64_t id) {
    grpc::ClientContext context;
    v1::JobActionRequest request;
    request.add_job_ids(id);
    v1::JobActionResponse response;
    ASSERT_TRUE(((*jobs).*method)(&context, request, &response).ok());
  }
};

TEST_F(AccountsTest, JobsAndIdleNodesMakeUpTheMeters) {
  Start();
  Push(500, /*actual=*/false);
  auto agent = Agent({.node = "n1"});
  const Ran ran = RunJob(*agent);
  End(*agent, ran);
  Restart();  // what was open of the node's hour goes on record
  const v1::ReportResponse report = Report();
  constexpr double kJoule = 1 / kKwh;
  EXPECT_NEAR(report.metered_kwh(), 4.5, 4 * kJoule);
  EXPECT_NEAR(report.total().energy_kwh(), 3.0, 4 * kJoule);
  ASSERT_EQ(report.unallocated_size(), 1);
  EXPECT_EQ(report.unallocated(0).key(), "here");
  EXPECT_NEAR(report.unallocated(0).energy_kwh(), 1.5, 4 * kJoule);
  EXPECT_LE(std::abs(report.unmetered_kwh()), 4 * kJoule);
  EXPECT_NEAR(report.total().co2e_g(), 1500, .01);
  EXPECT_NEAR(report.unallocated(0).co2e_g(), 750, .01);
  // Of each hour's load half a kilowatt-hour is bought; the rest is at 400.
  double load = 0, open = 0;
  for (absl::Time t = kHour; t < ran.end; t += absl::Hours(1)) {
    const double hours = std::max(
        0.0, absl::ToDoubleHours(std::min(t + absl::Hours(1), ran.end) -
                                 std::max(t, ran.start)));
    load += 2.25 * hours;
    open += std::max(0.0, 2.25 * hours - .5);
  }
  EXPECT_NEAR(report.total().net_co2e_g() + report.unallocated(0).net_co2e_g(),
              open * 400, .05);
  const double score = 1 - open / load * .8;
  EXPECT_NEAR((report.total().cfe_score() * 3 +
               report.unallocated(0).cfe_score() * 1.5) /
                  4.5,
              score, 1e-5);
  EXPECT_NEAR(report.total().embodied_co2e_g(), 2000, 20);
  EXPECT_FALSE(report.total().has_marginal_co2e_g());
  for (const char* by : {"user", "project", "region", "job", "month"}) {
    const v1::ReportResponse other = Report(by);
    EXPECT_NEAR(other.metered_kwh(), 4.5, 4 * kJoule) << by;
    EXPECT_LE(std::abs(other.unmetered_kwh()), 4 * kJoule) << by;
  }
}

TEST_F(AccountsTest, ANodesEnergyIsBilledOnceThoughReportedTwice) {
  Start();
  auto agent = Agent({.node = "n1"});
  agent->Send(Telemetry({}, kHour - absl::Hours(3), kHour, 0, 3));
  const auto taken = agent->WaitNodeTaken();
  ASSERT_TRUE(taken.has_value()) << "its agent would keep it for ever";
  EXPECT_LE(FromProto(taken->node_until()), kHour);
  agent->Send(Telemetry({}, kHour - absl::Hours(1), kHour, 0, 1));
  Sync(*agent);
  Restart();
  agent = Agent({.node = "n1"});
  agent->Send(
      Telemetry({}, kHour - absl::Hours(1), kHour + absl::Minutes(30), 0, 3));
  agent->Send(Telemetry({}, kHour, kHour + absl::Hours(300), 0, 1));
  Sync(*agent);
  Restart();
  EXPECT_NEAR(Report().metered_kwh(), (3 + 1) * 1.5, 1e-5)
      << "the third reaches beyond what is on record by a third of it; the "
         "clock of the fourth is wrong";
}

TEST_F(AccountsTest, RestatesOnActualDataAndStillTellsWhatItSaidBefore) {
  Start();
  Push(500, /*actual=*/false);
  auto agent = Agent({.node = "n1"});
  const Ran ran = RunJob(*agent);
  End(*agent, ran);
  RestartLater();
  const absl::Time before = Now();
  EXPECT_TRUE(Report().total().estimated());
  Push(200, /*actual=*/true);
  const v1::ReportResponse now = Report();
  EXPECT_NEAR(now.total().co2e_g(), 600, .01);
  EXPECT_NEAR(now.unallocated(0).co2e_g(), 300, .01);
  EXPECT_FALSE(now.total().estimated());
  EXPECT_GE(now.total().restated_slices(), 2);
  EXPECT_GE(FromProto(now.total().restated_last()), before);
  const v1::ReportResponse then = Report("site", before);
  EXPECT_NEAR(then.total().co2e_g(), 1500, .01);
  EXPECT_NEAR(then.unallocated(0).co2e_g(), 750, .01);
  EXPECT_EQ(then.total().restated_slices(), 0);
}

// What was published as actual may be published again, corrected.
TEST_F(AccountsTest,
       RestatesWhenActualDataAreRevisedAndBaselinesAfterARestart) {
  Start();
  Push(500, /*actual=*/false);
  auto agent = Agent({.node = "n1"});
  const Ran ran = RunJob(*agent);
  End(*agent, ran);
  RestartLater();  // nobody remembers the job but the ledger
  EXPECT_NEAR(Report().total().baseline_co2e_g(), 1500, .01);
  Push(400, /*actual=*/true);
  v1::ReportResponse report = Report();
  EXPECT_NEAR(report.total().co2e_g(), 1200, .01);
  EXPECT_NEAR(report.total().baseline_co2e_g(), 1200, .01);
  const absl::Time first = Now();
  const uint64_t stretches = report.total().restated_slices();
  Push(400, /*actual=*/true);
  EXPECT_EQ(Report().total().restated_slices(), stretches) << "nothing new";
  const absl::Time before = Now();
  Push(300, /*actual=*/true);
  report = Report();
  EXPECT_NEAR(report.total().co2e_g(), 900, .01);
  EXPECT_NEAR(report.total().baseline_co2e_g(), 900, .01);
  EXPECT_NEAR(report.unallocated(0).co2e_g(), 450, .01);
  for (const absl::Time t : {first, before}) {
    const v1::ReportResponse then = Report("site", t);
    EXPECT_NEAR(then.total().co2e_g(), 1200, .01);
    EXPECT_NEAR(then.total().baseline_co2e_g(), 1200, .01);
    EXPECT_NEAR(then.unallocated(0).co2e_g(), 600, .01);
  }
}

// A region's file grows, or is corrected: by a reload, and while the scheduler
// is away.
TEST_F(AccountsTest, RestatesOnWhatTheRegionsFileSaysNow) {
  const auto write = [this](int hours, double intensity) {
    std::ofstream file(dir() + "/dirty.csv");
    file << "utc,ci_lca\n";
    for (int h = -24; h < hours; ++h) {
      file << absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", kHour + absl::Hours(h),
                               absl::UTCTimeZone())
           << "," << (h < 0 ? 400 : intensity) << "\n";
    }
  };
  Replace("{name: dirty,",
          "{name: dirty, intensity: dirty.csv, forecast: persistence,");
  write(0, 0);
  Start();
  auto agent = Agent({.node = "n1"});
  const Ran ran = RunJob(*agent);
  End(*agent, ran);
  EXPECT_NEAR(Report().total().co2e_g(), 1200, .01) << "as the day before";
  EXPECT_TRUE(Report().total().estimated());
  write(24, 100);
  Reload();
  EXPECT_NEAR(Report().total().co2e_g(), 300, .01);
  EXPECT_FALSE(Report().total().estimated());
  EXPECT_NEAR(Report().total().baseline_co2e_g(), 300, .01);
  write(24, 50);
  Reload();
  EXPECT_NEAR(Report().total().co2e_g(), 150, .01);
  write(0, 0);
  Reload();
  EXPECT_NEAR(Report().total().co2e_g(), 150, .01)
      << "an entry never goes back to an estimate";
  const Ran second = RunJob(*agent);
  End(*agent, second);
  EXPECT_NEAR(Report().total().co2e_g(), 150 + 1200, .01);
  agent.reset();
  Stop();
  write(24, 100);
  Start();
  EXPECT_NEAR(Report().total().co2e_g(), 300 + 300, .01)
      << "of what was estimated as of what stood on other values";
}

// The first attempt was suspended before a restart, the second ran after it.
TEST_F(AccountsTest, ABaselineKnowsWhatWasUsedBeforeARestart) {
  Start();
  Push(500, /*actual=*/false);
  uint64_t id = 0;
  {
    auto agent = Agent({.node = "n1"});
    const Ran ran = RunJob(*agent);
    id = ran.id;
    Act(&v1::Jobs::Stub::Hold, id);
    ASSERT_TRUE(agent->WaitStop().has_value());
    End(*agent, ran, v1::OUTCOME_SUSPENDED);
  }
  Restart();
  auto agent = Agent({.node = "n1"});
  Act(&v1::Jobs::Stub::Release, id);
  Ran ran = StartOf(*agent, id);
  ran.end = ran.start + absl::Hours(1);
  agent->Send(Telemetry(ran.key, ran.start, ran.end, 1, 0));
  End(*agent, ran);
  const v1::ReportResponse report = Report("job");
  EXPECT_NEAR(report.total().energy_kwh(), 4.5, 1e-5);
  EXPECT_NEAR(report.total().co2e_g(), 2250, .01);
  EXPECT_NEAR(report.total().baseline_co2e_g(), 2250, .01)
      << "of all three hours, on the same grid";
}

// The first part of a gang starts when it is sent, the second when it may.
TEST_F(AccountsTest, EachPartOfAGangKeepsItsOwnStartOverARestart) {
  Start();
  std::vector<std::unique_ptr<FakeAgent>> agents;
  const auto connect = [&](std::vector<v1::AttemptStatus> known) {
    agents.clear();
    for (const char* node : {"n1", "n2"}) {
      agents.push_back(Agent({.node = node, .attempts = known}));
    }
  };
  connect({});
  v1::JobSpec spec = Spec(16);
  spec.add_site("here");
  spec.set_nodes(2);
  const uint64_t id = Submit(spec);
  v1::AttemptKey key;
  std::vector<FakeAgent*> ranks(2);
  for (auto& agent : agents) {
    const auto start = agent->WaitStart();
    ASSERT_TRUE(start.has_value());
    key = start->key();
    ranks[start->rank()] = agent.get();
  }
  for (FakeAgent* const agent : ranks) {
    v1::AgentMessage started;
    *started.mutable_status()->mutable_key() = key;
    *started.mutable_status()->mutable_started() =
        ToProto(agent == ranks[0] ? kHour : Now() + absl::Hours(1));
    agent->Send(started);
    Sync(*agent);
  }
  const v1::Attempt before = WaitFor(id, v1::JOB_RUNNING).attempts(0);
  const absl::Time first = FromProto(before.nodes(0).started());
  const absl::Time second = FromProto(before.nodes(1).started());
  ASSERT_LT(first, second);
  EXPECT_EQ(FromProto(before.started()), second);

  Restart();
  EXPECT_EQ(Get(id).attempts(0).SerializeAsString(),
            before.SerializeAsString());
  const bool swapped = before.nodes(0).node() == "n2";
  connect({StatusOf(key)});
  FakeAgent& on_first = *agents[swapped];
  FakeAgent& on_second = *agents[!swapped];
  const absl::Time end = second + absl::Hours(1);
  on_first.Send(Telemetry(key, first, second, 1, 0));
  on_first.Send(Telemetry(key, second, end, 2, 0));
  on_second.Send(Telemetry(key, second, end, 4, 0));
  for (FakeAgent* const agent : {&on_first, &on_second}) {
    v1::AgentMessage ended;
    *ended.mutable_status() = StatusOf(key, v1::OUTCOME_SUCCEEDED);
    *ended.mutable_status()->mutable_ended() = ToProto(end);
    agent->Send(ended);
  }
  WaitFor(id, v1::JOB_SUCCEEDED);
  // PUE is 1.5.
  EXPECT_NEAR(Report("job").total().energy_kwh(), 10.5, 1e-5);
  EXPECT_EQ(FromProto(Get(id).attempts(0).nodes(0).started()), first);
}

TEST_F(AccountsTest, RefusesContractsThatMakeNoSenseByName) {
  const std::string good = config;
  const auto refusal = [&](const std::string& from, const std::string& to) {
    config = good;
    Replace(from, to);
    return StartError();
  };
  EXPECT_THAT(refusal("kwh_per_hour: 0.5", "kwh_per_hour: -1"),
              HasSubstr("region dirty: clean_energy[0]: kwh_per_hour: -1"));
  EXPECT_THAT(refusal(", kwh_per_hour: 0.5", ""),
              HasSubstr("give one of kwh_per_hour and file"));
  EXPECT_THAT(refusal("residual_mix: 400", "residual_mix: -3"),
              HasSubstr("residual_mix: -3"));
  for (const char* loss : {"1", "-0.1", ".nan"}) {
    EXPECT_THAT(
        refusal("residual: 500",
                absl::StrCat("residual: 500, transmission_loss: ", loss)),
        HasSubstr("transmission_loss"));
  }
  EXPECT_THAT(refusal("kg: 8760", "kg: -2"), HasSubstr("embodied.kg: -2"));
  EXPECT_THAT(refusal("residual: 500", "residual: 500, basis: marginal-direct"),
              HasSubstr("basis"));
}

// A file may be corrected while the scheduler is down; that what it said
// before was no estimate does not make it right.
TEST_F(AccountsTest, RestatesOnAFileThatWasCorrectedWhileItWasDown) {
  const std::string grid = dir() + "/dirty.csv";
  const auto write = [&grid](double intensity) {
    std::ofstream out(grid);
    out << "utc,ci_lca\n";
    for (int i = 0; i < 48; ++i) {
      out << absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", kHour + absl::Hours(i - 1),
                              absl::UTCTimeZone())
          << "," << intensity << "\n";
    }
  };
  write(500);
  Replace("residual: 500", absl::StrCat("residual: 500, intensity: ", grid));
  Start();
  auto agent = Agent({.node = "n1"});
  const Ran ran = RunJob(*agent);
  End(*agent, ran);
  Restart();
  const v1::ReportResponse first = Report();
  EXPECT_NEAR(first.total().co2e_g(), 1500, .01);
  EXPECT_FALSE(first.total().estimated());
  const uint64_t stretches = first.total().restated_slices();
  Restart();
  EXPECT_EQ(Report().total().restated_slices(), stretches) << "nothing new";
  const absl::Time before = Now();

  Stop();
  write(300);
  Start();
  const v1::ReportResponse now = Report();
  EXPECT_NEAR(now.total().co2e_g(), 900, .01);
  EXPECT_NEAR(now.total().baseline_co2e_g(), 900, .01);
  EXPECT_NEAR(now.unallocated(0).co2e_g(), 450, .01);
  EXPECT_GT(now.total().restated_slices(), stretches);
  const v1::ReportResponse then = Report("site", before);
  EXPECT_NEAR(then.total().co2e_g(), 1500, .01);
  EXPECT_NEAR(then.unallocated(0).co2e_g(), 750, .01);
}

TEST_F(AccountsTest, RefusesAColumnOfAnotherBasisThanItsRegions) {
  const std::string grid = testing::TempDir() + "bases.csv";
  std::ofstream(grid) << "utc,ci_lca,ci_direct,renewable_pct\n"
                         "2026-01-01T00:00:00Z,500,450,20\n";
  const std::string good = config;
  const auto refusal = [&](const std::string& column) {
    config = good;
    Replace("residual: 500", absl::StrCat("residual: 500, intensity: ", grid,
                                          ", column: ", column));
    return StartError();
  };
  EXPECT_THAT(refusal("ci_direct, basis: average-lifecycle"),
              HasSubstr("is average-direct, but the region's basis is "
                        "average-lifecycle"));
  EXPECT_THAT(refusal("renewable_pct"), HasSubstr("holds shares in %"));
  EXPECT_THAT(refusal("ci_lca, basis: average-direct"),
              HasSubstr("is average-lifecycle, but the region's basis is "
                        "average-direct"));
}

}  // namespace
}  // namespace ccsched
