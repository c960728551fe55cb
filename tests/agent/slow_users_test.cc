// What holds while a node's user database is slow, as a server's far away.
// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "scheduler/base/failpoint.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

// A heartbeat is due six times in the two seconds that it takes.
class SlowUsersTest : public AgentTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
    if (getpwnam("nobody") == nullptr) GTEST_SKIP() << "no user 'nobody'";
    scheduler_->SetLease(absl::Milliseconds(2400));
    setenv(kFailpointsVariable, "agent.users=delay@2000", 1);
    StartAgent();
    unsetenv(kFailpointsVariable);
  }
  v1::StartAttempt AsNobody(AttemptId id, const std::string& script) const {
    v1::StartAttempt start = Shell(id, script);
    start.mutable_spec()->set_user("nobody");
    return start;
  }
};

TEST_F(SlowUsersTest, AStartWaitsForItAndHeartbeatsDoNot) {
  ASSERT_TRUE(scheduler_->Start(AsNobody({1, 1}, "id -un")));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(4));
  EXPECT_EQ(Read(StateFile("logs/1-1.out")), "") << "nobody is not found yet";
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read(StateFile("logs/1-1.out")), "nobody\n");
}

// As a start that never came: the scheduler says it again.
TEST_F(SlowUsersTest, AKilledAgentHasStartedNothing) {
  ASSERT_TRUE(scheduler_->Start(AsNobody({1, 1}, "id -un")));
  ASSERT_TRUE(scheduler_->WaitHeartbeats(2));
  KillAgent();
  StartAgent();
  EXPECT_EQ(scheduler_->WaitRegistered(registrations_)->attempts_size(), 0);
  const auto status = RunToEnd(AsNobody({1, 1}, "id -un"));
  EXPECT_EQ(status.outcome(), v1::OUTCOME_SUCCEEDED);
}

}  // namespace
}  // namespace ccsched
