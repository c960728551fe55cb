// Inputs that share a step, which no client can make happen.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/daemon/driver.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Results = absl::InlinedVector<SubmitResult, 1>;

class OneStepTest : public ::testing::Test {
 protected:
  OneStepTest() {
    std::string name = ::testing::TempDir() + "one_stepXXXXXX";
    dir_ = mkdtemp(name.data());
    std::ofstream(dir_ + "/cluster.yaml")
        << "{version: 1, regions: [g], policy: fcfs, sites: "
           "[{name: s, region: g, pools: [{accelerator: cpu, "
           "idle_watts: 1, active_watts: 2}]}]}\n";
  }
  ~OneStepTest() override { std::filesystem::remove_all(dir_); }

  static v1::JobSpec Keyed(int priority = 0) {
    v1::JobSpec spec;
    spec.add_command("true");
    spec.set_user("ada");
    spec.set_key("nightly");
    if (priority != 0) spec.set_priority(priority);
    return spec;
  }
  // The specs must outlive the step.
  static Submission Submitting(const std::vector<v1::JobSpec>& specs,
                               Results* results) {
    Submission submission;
    for (const v1::JobSpec& spec : specs) submission.jobs.push_back(&spec);
    submission.reply = [results](const absl::Status&, const Results& got) {
      *results = got;
    };
    return submission;
  }
  static JobAction Cancelling(uint64_t job) {
    JobAction action;
    action.kind = JobActionKind::kCancel;
    action.call.request.add_job_ids(job);
    action.call.reply = [](const auto&) {};
    return action;
  }

  // A scheduler on what is recorded that gets these at once, and ends.
  void Step(std::vector<Input> inputs) {
    auto ledger = OpenSqliteLedger(dir_ + "/ledger.db");
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    auto cluster = ReadCluster(dir_ + "/cluster.yaml");
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    Inbox inbox(100);
    AgentDirectory directory;
    WatchHub hub;
    DriverSetup setup;
    setup.cluster = *std::move(cluster);
    setup.config_file = dir_ + "/cluster.yaml";
    setup.ledger = ledger->get();
    setup.inbox = &inbox;
    setup.directory = &directory;
    setup.hub = &hub;
    auto driver = Driver::Create(std::move(setup));
    ASSERT_TRUE(driver.ok()) << driver.status();
    for (Input& input : inputs) ASSERT_TRUE(inbox.Push(input).ok());
    inbox.Close();
    const absl::Status ran = (*driver)->Run();
    EXPECT_TRUE(ran.ok()) << ran;
  }

 private:
  std::string dir_;
};

TEST_F(OneStepTest, AKeyWhoseFirstJobIsRefusedNamesNoJob) {
  const std::vector<v1::JobSpec> first = {Keyed()};
  Results results;
  std::vector<Input> inputs;
  inputs.emplace_back(Submitting(first, &results));
  Step(std::move(inputs));
  ASSERT_EQ(results[0].first, JobId(1));

  // By the time that the engine sees it, the job that it waits for is gone.
  std::vector<v1::JobSpec> others = {Keyed(1), Keyed(2), Keyed(1)};
  for (v1::JobSpec& spec : others) {
    spec.set_key("other");
    spec.add_after(1);
  }
  inputs.clear();
  inputs.emplace_back(Cancelling(1));
  inputs.emplace_back(Submitting(others, &results));
  Step(std::move(inputs));
  ASSERT_EQ(results.size(), 3);
  EXPECT_FALSE(results[0].status.ok());
  EXPECT_EQ(results[2].status, results[0].status);
  EXPECT_EQ(results[1].status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(results[1].status.message()),
              AllOf(HasSubstr("'other' came at the same time"),
                    HasSubstr("submit this one again"),
                    Not(HasSubstr("given to job"))));
}

}  // namespace
}  // namespace ccsched
