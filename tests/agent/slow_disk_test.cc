// What holds while an agent's journal is slow to reach its disk.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "scheduler/base/failpoint.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

// Each write of the journal takes two seconds; a heartbeat is due six times
// in that time.
class SlowDiskTest : public AgentTest {
 protected:
  void SetUp() override {
    scheduler_->SetLease(absl::Milliseconds(2400));
    setenv(kFailpointsVariable, "agent.journal=delay@2000", 1);
    StartAgent();
    unsetenv(kFailpointsVariable);
  }
};

TEST_F(SlowDiskTest, AStartWaitsForItAndHeartbeatsDoNot) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(4));
  EXPECT_EQ(Read(Path("starts")), "") << "it is not on record yet";
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
}

TEST_F(SlowDiskTest, AStartThatIsStoppedMeanwhileIsNone) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(
      scheduler_->Stop({1, 1}, v1::StopAttempt::CANCEL, absl::ZeroDuration()));
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_STOPPED);
  EXPECT_EQ(Read(Path("starts")), "");
}

// The newer one begins only when it is on record that the older did not.
TEST_F(SlowDiskTest, OfTwoAttemptsThatWaitTheNewerRuns) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 2})));
  const auto older = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->outcome(), v1::OUTCOME_STOPPED);
  ASSERT_TRUE(scheduler_->WaitRunning({1, 2}));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  EXPECT_EQ(Read(Path("starts")), "started\n");
}

TEST_F(SlowDiskTest, AKilledAgentHasStartedNothingThatIsNotOnRecord) {
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(2));  // it is read
  KillAgent();
  StartAgent();
  RunToEnd(Shell({2, 1}, "exit 0"));
  EXPECT_EQ(Read(Path("starts")), "");
}

}  // namespace
}  // namespace ccsched
