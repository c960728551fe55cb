// Jobs in containers that podman really runs, as root or as another user.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_CONTAINER_FIXTURE_H_
#define CCSCHED_TESTS_AGENT_CONTAINER_FIXTURE_H_

#include <filesystem>
#include <string>

#include "tests/agent/agent_fixture.h"

namespace ccsched {

// What podman needs of this machine is made here, in a folder: its storage, and
// settings that also do where root has not all of its rights. Where it can run
// none the tests are skipped.
class PodmanTest : public AgentTest {
 protected:
  // From now on containers are this user's; "" stands for who runs the tests,
  // which is root. REQUIRES: called by SetUpTestSuite.
  static void Prepare(const std::string& user);
  static void TearDownTestSuite();
  void SetUp() override;

  // A job of that user's in an image of a busybox, in Workdir().
  v1::StartAttempt InImage(AttemptId id, const std::string& script);
  // Its folder, which is there under the same name.
  std::string Workdir(const std::string& name = "") const;
  // Such a job, once its command runs.
  void StartWaiter(AttemptId id, const std::string& script);
  // Kills a waiter's agent and supervisor, and starts another agent, which is
  // to find it lost and to remove its container.
  void LoseWaiterWithItsAgent();
  // Starts the agent as the suite wants it.
  void StartContainerAgent();
  // Waits until podman knows of no container; it polls, as nobody tells.
  static bool NoneLeft();
  // Ends the process that keeps what an ordinary user's podmans share.
  static void ForgetWhatIsShared();
  // Its number; 0 if none is noted.
  static pid_t Shared();
  // What a shell script prints, run as that user.
  static std::string Output(const std::string& script);

 private:
  static std::string WhyNot();

  static inline std::filesystem::path home_;
  static inline std::filesystem::path session_;  // a user's run folder
  static inline std::string user_, why_not_, runtime_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_CONTAINER_FIXTURE_H_
