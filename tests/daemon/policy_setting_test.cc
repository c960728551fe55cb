// The policy that a configuration asks for, checked before anything starts.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/policy_setting.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

// A cluster of one site, whose policy is what `policy` says.
absl::Status Check(const std::string& policy) {
  const std::string path =
      absl::StrCat(::testing::TempDir(), "/policy_setting_test.yaml");
  std::ofstream(path) << "version: 1\n"
                      << policy
                      << "regions:\n  - {name: A, intensity: a.csv}\n"
                         "sites:\n  - name: a\n    region: A\n    pools:\n"
                         "      - {accelerator: V100, count: 4, "
                         "active_watts: 300, idle_watts: 40}\n";
  const absl::StatusOr<Cluster> cluster = ReadCluster(path);
  return cluster.ok() ? CheckPolicyConfig(*cluster) : cluster.status();
}

TEST(CheckPolicyConfigTest, TakesWhatCanBeMade) {
  EXPECT_EQ(Check(""), absl::OkStatus());
  EXPECT_EQ(Check("policy:\n  name: planner\n  parameters:\n"
                  "    replan_minutes: 30\n"),
            absl::OkStatus());
}

TEST(CheckPolicyConfigTest, NamesTheLineOfWhatCannot) {
  EXPECT_THAT(std::string(Check("policy: {name: plannr}\n").message()),
              HasSubstr("policy_setting_test.yaml:2: no policy is called "
                        "\"plannr\"; did you mean 'planner'?"));
  EXPECT_THAT(std::string(Check("policy:\n  name: planner\n  parameters:\n"
                                "    replan_minuts: 30\n")
                              .message()),
              HasSubstr("policy_setting_test.yaml:5: policy planner has no "
                        "parameter \"replan_minuts\""));
  EXPECT_THAT(std::string(Check("policy:\n  name: planner\n  parameters:\n"
                                "    replan_minutes: often\n")
                              .message()),
              HasSubstr("policy_setting_test.yaml:5: policy parameter "
                        "replan_minutes: \"often\" is no number"));
}

}  // namespace
}  // namespace ccsched
