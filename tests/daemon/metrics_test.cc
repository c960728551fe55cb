// What Prometheus reads of a running scheduler, and that it holds up nobody.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <string>

#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public DaemonTest {
 protected:
  MetricsTest() {
    config.replace(config.find("lease: 1s"), 9, "lease: 60s");
    config += "metrics: {address: \"127.0.0.1:0\"}\n";
  }
  std::string Scrape() {
    httplib::Client client("127.0.0.1", daemon().metrics_port());
    const auto answer = client.Get("/metrics");
    EXPECT_TRUE(answer && answer->status == 200);
    return answer ? answer->body : "";
  }
};

TEST_F(MetricsTest, ServesTheAgreedNames) {
  Start();
  v1::GridSeries series = Hourly("dirty", {321, 321, 321});
  for (int i = 0; i < 3; ++i) series.add_cfe_pct(40);
  ASSERT_TRUE(Push(series).ok());
  const auto agent = Agent({.node = "n1", .count = 8});
  v1::AgentMessage message;
  v1::Telemetry& telemetry = *message.mutable_telemetry();
  *telemetry.mutable_start() = ToProto(absl::Now() - absl::Hours(1));
  *telemetry.mutable_end() = ToProto(absl::Now());
  telemetry.set_node_joules(500);
  telemetry.set_unallocated_joules(200);
  agent->Send(message);
  v1::JobSpec spec = Spec(3);
  spec.add_site("here");
  const uint64_t id = Submit(spec);
  const auto start = agent->WaitStart();
  ASSERT_TRUE(start.has_value());
  agent->Started(start->key());
  WaitFor(id, v1::JOB_RUNNING);
  v1::JobSpec stuck = Spec();
  stuck.add_site("there");
  Submit(stuck);
  const std::string text = Scrape();
  for (const char* line :
       {"ccsched_region_carbon_intensity_grams_per_kilowatt_hour{region="
        "\"dirty\"} 321",
        "ccsched_region_carbon_free_ratio{region=\"dirty\"} 0.4",
        "ccsched_region_data_state{region=\"dirty\",state=\"fresh\"} 1",
        "ccsched_region_data_state{region=\"clean\",state=\"none\"} 1",
        "ccsched_forecast_age_seconds{region=\"dirty\"}",
        "ccsched_jobs{state=\"running\"} 1", "ccsched_jobs{state=\"queued\"} 1",
        "ccsched_accelerators{site=\"here\",state=\"busy\"} 3",
        "ccsched_accelerators{site=\"here\",state=\"free\"} 5",
        "ccsched_node_energy_joules_total{node=\"n1\",component=\"jobs\"} 300",
        "ccsched_node_energy_joules_total{node=\"n1\",component=\"idle\"} 200",
        "ccsched_emissions_grams_total{site=\"here\",basis=\"location\"}",
        "ccsched_avoided_emissions_grams_total 0",
        "ccsched_schedule_cycle_duration_seconds_bucket{le=\"+Inf\"}",
        "ccsched_metrics_age_seconds"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(ContainsRegex("job=|job_id=")));
  agent->Ended(start->key(), v1::OUTCOME_SUCCEEDED);
  WaitFor(id, v1::JOB_SUCCEEDED);
  const std::string after = Scrape();
  EXPECT_THAT(after, HasSubstr("ccsched_jobs{state=\"running\"} 0"));
  EXPECT_THAT(after, HasSubstr("ccsched_jobs{state=\"succeeded\"} 1"));
  Restart();
  EXPECT_THAT(Scrape(), HasSubstr("ccsched_jobs{state=\"queued\"} 1"));
}

TEST_F(MetricsTest, AreOffUnlessAsked) {
  config = config.substr(0, config.find("metrics:"));
  Start();
  EXPECT_EQ(daemon().metrics_port(), 0);
}

TEST_F(MetricsTest, RefusesWhatOtherMachinesCouldReadUnlessItIsMeant) {
  const size_t at = config.find("127.0.0.1:0");
  config.replace(at, 11, "0.0.0.0:0");
  EXPECT_THAT(StartError(), HasSubstr("allow_remote"));
  config.replace(config.find("metrics:"), std::string::npos,
                 "metrics: {address: \"0.0.0.0:0\", allow_remote: true}\n");
  EXPECT_EQ(StartError(), "");
  config.replace(config.find("metrics:"), std::string::npos,
                 "metrics: {address: 7391}\n");
  EXPECT_THAT(StartError(), HasSubstr("metrics.address: \"7391\""));
}

TEST_F(MetricsTest, SaysSoWhereTheAddressIsTaken) {
  Start();
  v1::MetricsConfig taken;
  taken.set_address("127.0.0.1:" + std::to_string(daemon().metrics_port()));
  MetricsBoard board;
  EXPECT_THAT(
      std::string(MetricsServer::Start(taken, board).status().message()),
      HasSubstr("can't be bound"));
}

TEST(MetricsBoardTest, ADriverThatIsHeldUpIsNotWaitedFor) {
  MetricsBoard board;
  EXPECT_TRUE(board.Collect(std::chrono::milliseconds(1)).empty());
  EXPECT_TRUE(board.wanted());
  FamilyBuilder family("ccsched_x", "help", prometheus::MetricType::Gauge);
  family.Add(7);
  MetricFamilies families;
  family.MoveTo(families);
  board.Publish(std::move(families));
  EXPECT_FALSE(board.wanted());
  const MetricFamilies last = board.Collect(std::chrono::milliseconds(1));
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].metric[0].gauge.value, 7);
  EXPECT_EQ(last[1].name, "ccsched_metrics_age_seconds");
}

}  // namespace
}  // namespace ccsched
