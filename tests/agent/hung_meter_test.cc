// What holds while a meter hangs, as a driver does whose device is lost.
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class HungMeterTest : public AgentTest {
 protected:
  void SetUp() override {
    scheduler_->SetLease(absl::Milliseconds(2400));
    Put("nvml");
    setenv("CCSCHED_FAKE_NVML", Path("nvml").c_str(), 1);
    StartMeteredAgent();
  }
  void StartMeteredAgent(const std::string& count = "1") {
    StartAgent({"--count", count, "--meter",
                std::string("nvml:") + CCSCHED_FAKE_NVML_LIBRARY});
  }
  void Put(const std::string& name) const {
    std::ofstream(Path(name)) << "1000000 9000 40 10 20 50 0\n";
  }
  // Reads wait for somebody who writes there.
  void Hang() const {
    ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
    std::filesystem::rename(Path("pipe"), Path("nvml"));
  }
  void Recover() const {
    Put("new");
    std::filesystem::rename(Path("nvml"), Path("pipe"));
    std::filesystem::rename(Path("new"), Path("nvml"));
    std::ofstream(Path("pipe")) << "\n";
  }
};

// The node would be silent until its lease is over, and all its jobs killed.
TEST_F(HungMeterTest, TheNodeIsHeardAndItsJobsRun) {
  Hang();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(10)) << "longer than the lease";
  EXPECT_THAT(Read(Path("agent.log")), HasSubstr("does not answer"));
  LetGo();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_EQ(scheduler_->Samples({1, 1}).back().method(), "estimated");
  Recover();
  ASSERT_TRUE(WaitFileHolds(Path("agent.log"), "answers again"));
  EXPECT_EQ(StopAgent(), 0);
}

TEST_F(HungMeterTest, TheAgentCanBeStopped) {
  Hang();
  ASSERT_TRUE(scheduler_->WaitHeartbeats(10));
  EXPECT_EQ(StopAgent(), 0);
}

// The driver's first call hangs, as the next agent finds it.
class MeterHungAtStartTest : public HungMeterTest {
 protected:
  void RestartHung(const std::string& count) {
    KillAgent();
    Hang();
    StartMeteredAgent(count);
  }
};

TEST_F(MeterHungAtStartTest, TheNodeIsHeardAndMeasuredOnceItAnswers) {
  scheduler_->SetLease(absl::Minutes(1));
  RestartHung("1");
  EXPECT_EQ(scheduler_->WaitRegistered(registrations_)->meter(), "nvml");
  EXPECT_THAT(Read(Path("agent.log")), HasSubstr("does not answer"));
  EXPECT_EQ(RunToEnd(Shell({1, 1}, "sleep 0.3; exit 3")).exit_code(), 3);
  EXPECT_EQ(scheduler_->Samples({1, 1}).back().method(), "estimated");
  Recover();
  ASSERT_TRUE(WaitFileHolds(Path("agent.log"), "answers again"));
  EXPECT_EQ(RunToEnd(Shell({2, 1}, "sleep 0.3; exit 3")).exit_code(), 3);
  EXPECT_EQ(scheduler_->Samples({2, 1}).back().method(), "measured");
}

// Whose energy is whose is not known then.
TEST_F(MeterHungAtStartTest, OneThatIsLateAndOfOtherSizeIsNotBelieved) {
  scheduler_->SetLease(absl::Minutes(1));
  RestartHung("2");
  Recover();
  ASSERT_TRUE(WaitFileHolds(Path("agent.log"), "start the agent again"));
  RunToEnd(Shell({1, 1}, "sleep 0.3; exit 3"));
  EXPECT_EQ(scheduler_->Samples({1, 1}).back().method(), "estimated");
}

TEST_F(MeterHungAtStartTest, TheAgentCanBeStopped) {
  scheduler_->SetLease(absl::Minutes(1));
  RestartHung("1");
  EXPECT_EQ(StopAgent(), 0);
}

}  // namespace
}  // namespace ccsched
