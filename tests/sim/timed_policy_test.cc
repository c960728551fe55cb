// What a policy's decisions are said to have taken is what they took.
// SPDX-License-Identifier: Apache-2.0
#include "sim/timed_policy.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "policies/registry.h"
#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/workload.h"
#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

// First come, first served; each fifth decision takes long.
class NowAndThenSlow : public Policy {
 public:
  explicit NowAndThenSlow(absl::Duration* took)
      : policy_(MakePolicy("fcfs", {}).value()), took_(took) {}

  void Decide(const PolicyInput& input, Actions& actions) override {
    const absl::Duration before = ThreadCpuTime();
    policy_->Decide(input, actions);
    absl::Duration took;
    do {
      took = ThreadCpuTime() - before;
    } while (decisions_ % 5 == 0 && took < absl::Microseconds(300));
    ++decisions_;
    *took_ += took;
  }

 private:
  const std::unique_ptr<Policy> policy_;
  absl::Duration* const took_;
  int decisions_ = 0;
};

TEST(TimedPolicyTest, AFewLongDecisionsAreNotTakenForAll) {
  const TemporaryFolder folder;
  const Scenario scenario =
      LoadScenario(WriteSmallScenario(folder, {.jobs = 1000}), {}).value();
  const auto workload = LoadWorkload(scenario, {}).value();
  absl::Duration took;
  const SimResult result =
      Simulate(
          scenario, *workload, {.label = "fcfs", .name = "fcfs"},
          {.make_policy =
               [&took] { return std::make_unique<NowAndThenSlow>(&took); }})
          .value();
  ASSERT_GT(result.steps, 1200u);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(result.decide_cpu),
              absl::ToDoubleMilliseconds(took),
              0.1 * absl::ToDoubleMilliseconds(took));
  EXPECT_LT(result.decide_cpu, result.cpu);
}

}  // namespace
}  // namespace ccsched::testing
