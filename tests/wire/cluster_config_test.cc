// cluster.yaml: its defaults, and what is refused with its line.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/cluster_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

constexpr char kHead[] = "version: 1\nregions: [{name: DE}, {name: NO}]\n";
constexpr char kSite[] =
    "sites:\n"
    "- name: oslo\n"
    "  region: NO\n"
    "  pools:\n"
    "  - {accelerator: v100, count: 16, node_size: 8, idle_watts: 40}\n";

absl::StatusOr<Cluster> Made(const std::string& text) {
  v1::ClusterConfig config;
  YamlSource source;
  const absl::Status status = ParseYaml(text, "c.yaml", config, &source);
  if (!status.ok()) return status;
  return MakeCluster(std::move(config), &source);
}
std::string ErrorOf(const std::string& text) {
  return std::string(Made(text).status().message());
}

TEST(ClusterConfigTest, FillsTheDefaults) {
  const Cluster c = Made(std::string(kHead) + kSite).value();
  EXPECT_EQ(c.topology.sites[0].pue, 1);
  EXPECT_EQ(c.topology.sites[0].region, RegionId(1));
  EXPECT_EQ(c.topology.pools[0].active, Watts(330));  // of a known V100
  EXPECT_EQ(c.sizes[0].count, 16u);
  EXPECT_EQ(c.sizes[0].node_size, 8u);
  EXPECT_EQ(c.config.listen().address(), "127.0.0.1:7390");
  EXPECT_EQ(c.config.clock().rate(), 1);
  EXPECT_EQ(FromProto(c.config.lease()), absl::Minutes(10));
  EXPECT_EQ(FromProto(c.config.heartbeat()), absl::Seconds(5));
  EXPECT_EQ(FromProto(c.config.defaults().max_delay()), absl::Hours(24));
  EXPECT_EQ(c.config.regions(0).forecast(), "push");
  EXPECT_EQ(c.config.regions(0).gaps(), "refuse");
}

TEST(ClusterConfigTest, TakesTheBasisFromTheColumnWhereNoneIsGiven) {
  const auto basis = [](const std::string& column) {
    const Cluster c = Made(
                          "version: 1\nregions: [{name: NO, intensity: f.csv, "
                          "column: " +
                          column + "}]\n" + kSite)
                          .value();
    return c.config.regions(0).basis();
  };
  EXPECT_EQ(basis("ci_lca"), "average-lifecycle");
  EXPECT_EQ(basis("ci_direct"), "average-direct");
  EXPECT_EQ(basis("Carbon intensity gCO2eq/kWh (direct)"), "average-direct");
  EXPECT_EQ(basis("ci_direct, basis: average-residual"), "average-residual");
}

TEST(ClusterConfigTest, SharesAcceleratorTypesBetweenSites) {
  const Cluster c =
      Made(std::string(kHead) + kSite +
           "- {name: bonn, region: DE, pue: 1.2, pools: [{accelerator: x, "
           "idle_watts: 0, active_watts: 1}, {accelerator: v100, idle_watts: "
           "1}]}\n")
          .value();
  ASSERT_EQ(c.topology.pools.size(), 3);
  EXPECT_EQ(c.topology.accelerators, (std::vector<std::string>{"v100", "x"}));
  EXPECT_EQ(c.topology.pools[2].accelerator, c.topology.pools[0].accelerator);
  EXPECT_EQ(c.topology.site(PoolId(2)).name, "bonn");
}

TEST(ClusterConfigTest, NamesLineFieldAndValue) {
  EXPECT_EQ(ErrorOf("version: 2\n"),
            "c.yaml:1: version: 2; this program reads version 1");
  EXPECT_EQ(ErrorOf("sites: []\n"),
            "c.yaml: version: there is none; the file has to say 'version: 1'");
  EXPECT_EQ(ErrorOf(kHead), "c.yaml: sites: there is none");
  EXPECT_EQ(ErrorOf(std::string(kHead) + "sites:\n- {name: a, region: ED}\n"),
            "c.yaml:4: sites[0].region: there is no region 'ED'; did you "
            "mean 'DE'? (known: DE, NO)");
  EXPECT_THAT(ErrorOf(std::string(kHead) + kSite +
                      "- {name: oslo, region: DE, pools: []}\n"),
              HasSubstr("c.yaml:8: sites[1].name: there are two sites 'oslo'"));
  EXPECT_THAT(ErrorOf("version: 1\nregions: [{name: DE}, {name: DE}]"),
              HasSubstr("there are two regions 'DE'"));
}

struct BadSite {
  const char *site, *error;
};
class BadSiteTest : public testing::TestWithParam<BadSite> {};
TEST_P(BadSiteTest, IsRefused) {
  EXPECT_THAT(ErrorOf(std::string(kHead) + "sites: [" + GetParam().site + "]"),
              HasSubstr(GetParam().error));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadSiteTest,
    testing::ValuesIn(std::vector<BadSite>{
        {"{name: a b, region: DE}", "'a b' may have letters"},
        {"{region: DE}", "sites[0].name: a name is needed"},
        {"{name: a, region: DE}", "needs at least one pool"},
        {"{name: a, region: DE, pue: 0.9}", "pue: 0.9 is not between 1"},
        {"{name: a, region: DE, pools: [{accelerator: h100, idle_watts: 1}]}",
         "active_watts: the system watts of one 'h100' are needed"},
        {"{name: a, region: DE, pools: [{accelerator: v100}]}",
         "idle_watts: the system watts of one 'v100' are needed"},
        {"{name: a, region: DE, pools: [{accelerator: x, idle_watts: 5, "
         "active_watts: 4}]}",
         "idle_watts: 5 W is more than when active, 4 W"},
        {"{name: a, region: DE, pools: [{accelerator: x, idle_watts: -1, "
         "active_watts: 4}]}",
         "idle_watts: -1 W is not between"},
        {"{name: a, region: DE, pools: [{accelerator: v100, count: many, "
         "idle_watts: 1}]}",
         "count: 'many' must be a number"},
        {"{name: a, region: DE, pools: [{accelerator: v100, count: 0, "
         "idle_watts: 1}]}",
         "count: '0' must be a number"},
        {"{name: a, region: DE, pools: [{accelerator: v100, node_size: 0, "
         "idle_watts: 1}]}",
         "node_size: 0 is not between"},
        {"{name: a, region: DE, pools: [{accelerator: v100, idle_watts: 1}, "
         "{accelerator: v100, idle_watts: 1}]}",
         "two pools of 'v100'"},
    }));

TEST(ClusterConfigTest, ChecksWhatIsNotASite) {
  const std::string good = std::string(kHead) + kSite;
  EXPECT_THAT(ErrorOf(good + "clock: {rate: -1}"), HasSubstr("clock.rate: -1"));
  EXPECT_THAT(ErrorOf(good + "lease: 10s\nheartbeat: 5s"),
              HasSubstr("less than three heartbeats"));
  EXPECT_THAT(ErrorOf(good + "heartbeat: 0s"), HasSubstr("heartbeat: 0"));
  EXPECT_THAT(ErrorOf(good + "defaults: {max_delay: -1h}"),
              HasSubstr("defaults.max_delay: -1h is negative"));
  EXPECT_THAT(ErrorOf("version: 1\nregions: [{name: DE, forecast: perfec, "
                      "intensity: x}]"),
              HasSubstr("did you mean 'perfect'?"));
  EXPECT_THAT(ErrorOf("version: 1\nregions: [{name: DE, forecast: perfect}]"),
              HasSubstr("needs `intensity`"));
  EXPECT_THAT(ErrorOf("version: 1\nregions: [{name: DE, residual: -3}]"),
              HasSubstr("residual: -3"));
}

TEST(ClusterConfigTest, PathsBeginAtTheFileThatNamesThem) {
  EXPECT_EQ(RelativeTo("/etc/c/cluster.yaml", "x/y.csv"), "/etc/c/x/y.csv");
  EXPECT_EQ(RelativeTo("cluster.yaml", "y.csv"), "y.csv");
  EXPECT_EQ(RelativeTo("/etc/cluster.yaml", "/y.csv"), "/y.csv");
  EXPECT_EQ(ReadCluster("/nonexistent.yaml").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(TextTest, KnowsUtf8) {
  for (const char* good : {"", "a", "ü", "€", "𝄞", "\x7f"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xff", "a\xe2z"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
  EXPECT_EQ(Printable("a\x1b[1mü\xff"), "a\\x1b[1mü\\xff");
  EXPECT_EQ(Printable("aaaaaa", 3), "aaa…");
  // C1 controls and changes of direction steer a terminal as well as C0 ones.
  EXPECT_EQ(Printable("a\u009b2J\u00a0b"), "a\\xc2\\x9b2J\u00a0b");
  EXPECT_EQ(Printable("\u202egpj.exe\u2069é…"),
            "\\xe2\\x80\\xaegpj.exe\\xe2\\x81\\xa9é…");
}

}  // namespace
}  // namespace ccsched
