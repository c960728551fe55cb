// Random faults on real binaries, with the proof that nothing is lost or twice.
// SPDX-License-Identifier: Apache-2.0
//
// CCSCHED_FAULT_SECONDS (default 40) is the time under faults, CCSCHED_SEED
// (default 1) the choices. A failure prints both; with CCSCHED_FAULT_KEEP set
// it leaves the cluster's folder, ledger and logs, and says where.
#include "tests/fault/chaos.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/fault/cluster.h"
#include "tests/fault/history.h"
#include "tests/fault/namespace_wire.h"

namespace ccsched::testing {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  int value = otherwise;
  if (text != nullptr && !absl::SimpleAtoi(text, &value)) return otherwise;
  return value;
}

void RageAndCheck(ClusterOptions options, int seconds) {
  const int seed = FromEnvironment("CCSCHED_SEED", 1);
  SCOPED_TRACE(
      absl::StrCat("CCSCHED_SEED=", seed, " CCSCHED_FAULT_SECONDS=", seconds));
  options.seed = seed;
  TestCluster cluster(options);
  ASSERT_TRUE(cluster.WaitUntilServing()) << cluster.Logs();
  ASSERT_TRUE(cluster.WaitForAccelerators(12)) << cluster.Logs();
  History history(cluster.dir() + "/jobs");
  Chaos chaos(cluster, history, seed);
  chaos.Rage(absl::Seconds(seconds));
  const bool settled = chaos.Settle(absl::Minutes(3));
  const std::vector<std::string> violations = history.Violations(cluster);
  std::cout << "seed " << seed << ": " << chaos.faults() << " faults, "
            << history.acknowledged().size() << " jobs acknowledged, "
            << violations.size() << " violations\n";
  for (const auto& [what, count] : chaos.counts()) {
    std::cout << "  " << what << ": " << count << "\n";
  }
  EXPECT_TRUE(settled) << "a job never ended\n" << cluster.Logs();
  EXPECT_TRUE(violations.empty()) << absl::StrJoin(violations, "\n") << "\n"
                                  << cluster.Logs();
  const std::vector<std::string> deaths = cluster.UnexplainedDeaths();
  EXPECT_TRUE(deaths.empty()) << absl::StrJoin(deaths, "\n") << "\n"
                              << cluster.Logs();
  EXPECT_GT(chaos.faults(), 0);
  if (::testing::Test::HasFailure() &&
      std::getenv("CCSCHED_FAULT_KEEP") != nullptr) {
    std::cout << "kept: " << cluster.dir() << "\n";
    cluster.KeepFolder();
  }
}

TEST(ChaosTest, NothingIsLostAndNothingRunsTwice) {
  RageAndCheck({}, FromEnvironment("CCSCHED_FAULT_SECONDS", 40));
}

// The same over real packets: where they can be had, for half of the time.
TEST(ChaosTest, NorInNetworkNamespaces) {
  if (!NamespacesWork()) {
    GTEST_SKIP() << "no network namespaces here: the proxy has to do";
  }
  RageAndCheck({.namespaces = true},
               FromEnvironment("CCSCHED_FAULT_SECONDS", 40) / 2);
}

}  // namespace
}  // namespace ccsched::testing
