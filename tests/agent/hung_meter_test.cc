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
    StartAgent({"--count", "1", "--meter",
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

}  // namespace
}  // namespace ccsched
