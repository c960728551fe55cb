// Grid data of a provider reaches the scheduler, its ledger and its sites.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/grid_poller.h"

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "scheduler/base/clock.h"
#include "tests/daemon/daemon_fixture.h"
#include "tests/providers/misbehaving_server.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class GridPollerTest : public DaemonTest {
 protected:
  GridPollerTest() {
    // Half an hour around now, and the half hour after it.
    const absl::Time now = RealClock().Now();
    const absl::Time half =
        absl::UnixEpoch() +
        absl::Floor(now - absl::UnixEpoch(), absl::Minutes(30));
    const auto iso = [half](int halves) {
      return absl::FormatTime("%Y-%m-%dT%H:%MZ",
                              half + absl::Minutes(30) * halves,
                              absl::UTCTimeZone());
    };
    server_.Then(200, R"({"data":[{"from":")" + iso(0) + R"(","to":")" +
                          iso(1) +
                          R"(","intensity":{"forecast":120,"actual":111}},)"
                          R"({"from":")" +
                          iso(1) + R"(","to":")" + iso(2) +
                          R"(","intensity":{"forecast":130,"actual":null}}]})");
    config = R"(
version: 1
regions:
  - name: GB
    basis: average-direct
    forecast: push
    provider: {name: gb-carbon-intensity, zone: national, url: ")" +
             server_.url() + R"("}
sites:
  - {name: here, region: GB, pue: 1, pools: [{accelerator: cpu, idle_watts: 10, active_watts: 100}]}
policy: fcfs
)";
  }
  v1::SiteStatus Site() {
    grpc::ClientContext context;
    v1::SitesResponse sites;
    EXPECT_TRUE(admin->Sites(&context, {}, &sites).ok());
    return sites.sites(0);
  }
  // Actual values come first, the forecast after them.
  v1::SiteStatus WaitForData() {
    v1::SiteStatus site = Site();
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (site.data_state() != "fresh" &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
      site = Site();
    }
    return site;
  }

  MisbehavingServer server_;
};

TEST_F(GridPollerTest, WhatItFetchesIsKnownAndOutlivesARestart) {
  ASSERT_NO_FATAL_FAILURE(Start());
  v1::SiteStatus site = WaitForData();
  EXPECT_EQ(site.intensity(), 111);
  EXPECT_EQ(site.data_state(), "fresh");
  EXPECT_EQ(site.basis(), "average-direct");
  const size_t asked = server_.requests().size();
  Restart();
  site = WaitForData();
  EXPECT_EQ(site.intensity(), 111);
  EXPECT_EQ(server_.requests().size(), asked);  // it was on record
}

TEST_F(GridPollerTest, SaysWhyAProviderBringsNothing) {
  MisbehavingServer strict;
  strict.Then(403);
  config.replace(config.find(server_.url()), server_.url().size(),
                 strict.url());
  ASSERT_NO_FATAL_FAILURE(Start());
  v1::SiteStatus site = Site();
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (site.data_error().empty() &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
    site = Site();
  }
  EXPECT_THAT(site.data_error(), HasSubstr("gb-carbon-intensity: "));
  EXPECT_THAT(site.data_error(), HasSubstr("answered 403"));
  EXPECT_EQ(site.data_state(), "none");
}

TEST_F(GridPollerTest, AFastClockHasNoProviders) {
  config.replace(config.find("version: 1"), 10,
                 "version: 1\nclock: {rate: 1800}");
  std::ofstream(dir() + "/fast.yaml") << config;
  const auto cluster = ReadCluster(dir() + "/fast.yaml");
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  DaemonOptions fast;
  fast.cluster = *cluster;
  fast.listen.set_address(address());
  fast.state = dir() + "/fast";
  EXPECT_THAT(std::string(Daemon::Start(std::move(fast)).status().message()),
              HasSubstr("needs a clock that runs at rate 1"));
}

}  // namespace
}  // namespace ccsched
