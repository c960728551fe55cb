// Grid data from files reaches the engine as they are to be known.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/grid_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1'609'459'200);  // 2021-01-01

class GridFeedTest : public ::testing::Test {
 protected:
  GridFeedTest() {
    std::string name = ::testing::TempDir() + "ccsched-gridXXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~GridFeedTest() override { std::filesystem::remove_all(dir_); }

  // Ten days of hours; hour h of the day has 100 + h.
  void WriteCsv(const std::string& header) {
    std::ofstream out(dir_ + "/grid.csv");
    out << "utc," << header << "\n";
    for (int i = 0; i < 240; ++i) {
      out << absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", kStart + absl::Hours(1) * i,
                              absl::UTCTimeZone())
          << "," << (header == "cfe_pct" ? 50 : 100 + i % 24) << "\n";
    }
  }
  absl::StatusOr<GridFeed> Load(const std::string& forecast,
                                std::optional<double> residual = {}) {
    v1::ClusterConfig config;
    config.set_version(1);
    v1::RegionConfig& region = *config.add_regions();
    region.set_name("grid");
    region.set_intensity("grid.csv");
    if (residual) {
      region.set_residual(*residual);
      region.set_column("cfe_pct");
    }
    region.set_forecast(forecast);
    v1::SiteConfig& site = *config.add_sites();
    site.set_name("here");
    site.set_region("grid");
    v1::PoolConfig& pool = *site.add_pools();
    pool.set_accelerator("cpu");
    pool.set_idle_watts(10);
    pool.set_active_watts(100);
    config.mutable_policy()->set_name("fcfs");
    absl::StatusOr<Cluster> cluster = MakeCluster(config);
    if (!cluster.ok()) return cluster.status();
    return GridFeed::Load(*cluster, dir_ + "/cluster.yaml");
  }

  std::string dir_;
};

TEST_F(GridFeedTest, TellsAPerfectForecastOnce) {
  WriteCsv("ci_lca");
  absl::StatusOr<GridFeed> feed = Load("perfect");
  ASSERT_TRUE(feed.ok()) << feed.status();
  std::vector<Event> events;
  absl::Time now = kStart + absl::Hours(30) + absl::Minutes(5);
  for (int i = 0; i < 6; ++i, now += absl::Minutes(20)) {
    feed->Update(now, events);
  }
  ASSERT_EQ(events.size(), 1u);
  const auto& issued = std::get<ForecastIssued>(events[0]);
  EXPECT_EQ(issued.forecast->At(kStart + absl::Hours(50)).value(), 102);
  EXPECT_EQ(feed->next_update(), kStart + absl::Hours(32));
}

TEST_F(GridFeedTest, ForecastsByPersistenceEachHourFromThePastAlone) {
  WriteCsv("ci_lca");
  absl::StatusOr<GridFeed> feed = Load("persistence");
  ASSERT_TRUE(feed.ok()) << feed.status();
  std::vector<Event> events;
  for (int h = 30; h < 33; ++h) {
    feed->Update(kStart + absl::Hours(h), events);
  }
  ASSERT_EQ(events.size(), 3u);
  const auto& issued = std::get<ForecastIssued>(events[2]);
  EXPECT_NEAR(issued.forecast->At(kStart + absl::Hours(40)).value(), 116, 1e-9);
  // What emissions are accounted at is the actual value.
  const auto slices = feed->record().Slices(
      RegionId(0), kStart + absl::Hours(3), kStart + absl::Hours(4));
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0].intensity->value(), 103);
  EXPECT_FALSE(slices[0].estimated);
}

TEST_F(GridFeedTest, TurnsAShareIntoAnIntensityByTheResidual) {
  WriteCsv("cfe_pct");
  absl::StatusOr<GridFeed> feed = Load("perfect", 600);
  ASSERT_TRUE(feed.ok()) << feed.status();
  std::vector<Event> events;
  feed->Update(kStart, events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<ForecastIssued>(events[0])
                .forecast->At(kStart + absl::Hours(5))
                .value(),
            300);
}

TEST_F(GridFeedTest, RefusesAsMeasuredWhatHasNotBegun) {
  WriteCsv("intensity");
  GridFeed feed = Load("push").value();
  v1::GridSeries series;
  series.set_region("grid");
  *series.mutable_start() = ToProto(kStart);
  *series.mutable_step() = ToProto(absl::Hours(1));
  for (int i = 0; i < 48; ++i) series.add_intensity(100);
  series.set_actual(true);
  // The last hour begins at 47:00; clocks may differ by a little.
  const absl::Time last = kStart + absl::Hours(47);
  EXPECT_TRUE(feed.Accept(series, last).ok());
  EXPECT_TRUE(feed.Accept(series, last - absl::Minutes(4)).ok());
  const absl::Status refused =
      feed.Accept(series, last - absl::Minutes(6)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("actual: the last of 48 values is of "
                        "2021-01-02T23:00:00Z, which is in the future; now it "
                        "is 2021-01-02T22:54:00Z"));
  series.set_actual(false);
  EXPECT_TRUE(feed.Accept(series, kStart).ok());
  series.set_actual(true);
  *series.mutable_start() = ToProto(kStart + absl::Hours(24 * 36500));
  EXPECT_THAT(std::string(feed.Accept(series, last).status().message()),
              HasSubstr("actual: "));
}

TEST_F(GridFeedTest, NamesFileAndLineOfWhatIsWrong) {
  WriteCsv("ci_lca");
  std::ofstream(dir_ + "/grid.csv", std::ios::app)
      << "2021-01-11T00:00:00Z,-5\n";
  const absl::StatusOr<GridFeed> feed = Load("perfect");
  EXPECT_THAT(std::string(feed.status().message()), HasSubstr("grid.csv:242"));
}

}  // namespace
}  // namespace ccsched
