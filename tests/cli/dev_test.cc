// The embedded cluster with its real processes: up, found again, down.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "scheduler/cli/process.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Two sites; one of them has two nodes.
constexpr char kCluster[] = R"(version: 1
regions: [{name: A, intensity: grid.csv, clean_energy: [{file: ppa.csv}]}, {name: B}]
sites:
- {name: oslo, region: A, pools: [{accelerator: v100, count: 4, node_size: 2, idle_watts: 40}]}
- {name: rome, region: B, pools: [{accelerator: v100, count: 2, idle_watts: 40}]}
policy: {name: fcfs}
)";

class DevTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string dir = testing::TempDir() + "ccsched-XXXXXX";
    ASSERT_NE(mkdtemp(dir.data()), nullptr);
    dir_ = dir;
    std::ofstream(dir_ + "/cluster.yaml") << kCluster;
    std::ofstream(dir_ + "/grid.csv")
        << "utc,ci_lca\n2026-01-05T00:00:00Z,300\n2026-01-05T01:00:00Z,200\n";
    std::ofstream(dir_ + "/ppa.csv")
        << "utc,kwh\n2026-01-05T00:00:00Z,3\n2026-01-05T01:00:00Z,2\n";
  }
  void TearDown() override {
    Run("dev down");
    std::filesystem::remove_all(dir_);
  }

  // Runs a command line of ours; returns its exit status.
  int Run(const std::string& args) {
    const std::string command = "CCSCHED_DEV_DIR=" + dir_ +
                                "/dev HOME=" + dir_ +
                                " CCSCHED_ADDRESS= " CCSCHED_BINARY " " + args +
                                " >" + dir_ + "/out 2>" + dir_ + "/err";
    const int status = std::system(command.c_str());
    out_ = Slurp("/out");
    err_ = Slurp("/err");
    return WEXITSTATUS(status);
  }
  std::string Slurp(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(dir_ + name).rdbuf();
    return text.str();
  }
  std::string Pid(const std::string& name) {
    return Slurp("/dev/run/" + name + ".pid");
  }

  std::string dir_, out_, err_;
};

TEST_F(DevTest, ComesUpIsFoundAgainAndKeepsItsState) {
  const std::string up = "dev up --config " + dir_ + "/cluster.yaml";
  ASSERT_EQ(Run(up + " --start 2026-01-05T00:00:00Z --clock-rate 2"), 0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("The cluster is up: 3 nodes, policy fcfs, 2026"));
  EXPECT_THAT(out_, HasSubstr("2 times as fast"));
  ASSERT_EQ(Run("nodes -o csv"), 0) << err_;
  for (const char* node :
       {"oslo-1,oslo,v100,2", "oslo-2,oslo,v100,2", "rome-1,rome,v100,2"}) {
    EXPECT_THAT(out_, HasSubstr(node));
  }
  EXPECT_EQ(Run("submit --wait -- sh -c 'exit 7'"), 7);
  EXPECT_EQ(out_, "Submitted job 1\n");

  // What runs is left alone; what does not is started.
  const std::string scheduler = Pid("ccschedd"), agent = Pid("oslo-1");
  const auto victim = ReadPidFile(dir_ + "/dev/run/rome-1.pid");
  ASSERT_TRUE(victim.has_value());
  EXPECT_TRUE(Terminate(*victim, absl::Seconds(10)));
  EXPECT_EQ(Run("dev up"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("Starting 1 agents"));
  EXPECT_EQ(Pid("ccschedd"), scheduler);
  EXPECT_EQ(Pid("oslo-1"), agent);

  EXPECT_EQ(Run("dev down"), 0);
  EXPECT_THAT(out_, HasSubstr("Stopped 4 processes"));
  EXPECT_EQ(Run("queue"), 3);

  EXPECT_EQ(Run("dev up"), 0) << err_;
  EXPECT_EQ(Run("submit --parsable -- true"), 0);
  EXPECT_EQ(out_, "2\n");
}

TEST_F(DevTest, TheClockOfAKeptStateIsNotSetAgain) {
  ASSERT_EQ(Run("dev up --config " + dir_ + "/cluster.yaml"), 0) << err_;
  EXPECT_EQ(Run("dev down"), 0);
  EXPECT_EQ(Run("dev up --clock-rate 60"), 2);
  EXPECT_THAT(err_, HasSubstr("has a clock of its own"));
}

TEST_F(DevTest, WhatIsWrongInItsConfigurationIsAWrongRequest) {
  const std::string up = "dev up --config " + dir_ + "/";
  std::ofstream(dir_ + "/grid.csv") << "utc,ci_lca\n2026-01-05T00:00:00Z,x\n";
  EXPECT_EQ(Run(up + "cluster.yaml"), 2);
  EXPECT_THAT(err_, HasSubstr("ccsched: dev up: " + dir_ + "/grid.csv:2: "));
  EXPECT_THAT(err_, Not(HasSubstr("did not come up")));
  std::string text = kCluster;
  text.replace(text.find("name: fcfs"), 10, "name: fcs");
  std::ofstream(dir_ + "/typo.yaml") << text;
  EXPECT_EQ(Run(up + "typo.yaml"), 2);
  EXPECT_THAT(err_, HasSubstr(dir_ + "/typo.yaml:6: no policy is called"));
}

TEST_F(DevTest, ASchedulerThatDiesIsToldWithItsLog) {
  ASSERT_EQ(Run("dev up --config " + dir_ + "/cluster.yaml"), 0) << err_;
  EXPECT_EQ(Run("dev down"), 0);
  std::ofstream(dir_ + "/dev/state/ledger.db") << "something else";
  EXPECT_EQ(Run("dev up"), 1);
  EXPECT_THAT(err_, HasSubstr("ccschedd did not come up"));
  EXPECT_THAT(err_, HasSubstr("ledger.db"));
}

TEST_F(DevTest, UnlimitedPoolsAreForSimulationsOnly) {
  std::ofstream(dir_ + "/u.yaml")
      << "version: 1\nregions: [{name: A}]\nsites: [{name: a, region: A, "
         "pools: [{accelerator: v100, count: unlimited, idle_watts: 1}]}]\n";
  EXPECT_EQ(Run("dev up --config " + dir_ + "/u.yaml"), 2);
  EXPECT_THAT(err_, HasSubstr("'unlimited' is for simulations"));
}

}  // namespace
}  // namespace ccsched
