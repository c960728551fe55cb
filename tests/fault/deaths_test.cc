// The harness itself: whoever dies of what no test did is named. And what the
// cluster does about supervisors that die of themselves.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/base/failpoint.h"
#include "tests/fault/cluster.h"
#include "tests/fault/history.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DeathsTest : public ::testing::Test {
 protected:
  ~DeathsTest() override { unsetenv(kFailpointsVariable); }
  // Failpoints of which the harness does not know.
  static void Arm(const std::string& failpoints) {
    setenv(kFailpointsVariable, failpoints.c_str(), 1);
  }
  void Start(const ClusterOptions& options) {
    cluster_ = std::make_unique<TestCluster>(options);
    history_ = std::make_unique<History>(cluster_->dir() + "/jobs");
    ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
    ASSERT_TRUE(
        cluster_->WaitForAccelerators(options.agents * options.accelerators))
        << cluster_->Logs();
  }
  uint64_t Submit(const std::string& key, const std::string& script,
                  uint32_t accelerators = 1) {
    const auto id = cluster_->Submit(script, key, accelerators);
    EXPECT_TRUE(id.ok()) << id.status() << cluster_->Logs();
    return id.value_or(0);
  }
  // The supervisor of the one job that runs on agent 0.
  pid_t SupervisorOfOne() {
    std::vector<pid_t> pids;
    EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
      pids = cluster_->SupervisorsOf(0);
      return pids.size() == 1 && !cluster_->JobsOf(0).empty();
    })) << cluster_->Logs();
    return pids.empty() ? 0 : pids[0];
  }
  // Until somebody has died unexpectedly.
  std::vector<std::string> WaitForDeath() {
    std::vector<std::string> deaths;
    Eventually(absl::Seconds(30), [&] {
      deaths = cluster_->UnexplainedDeaths();
      return !deaths.empty();
    });
    return deaths;
  }
  v1::Job WaitFor(uint64_t job, v1::JobState state) {
    v1::Job last;
    EXPECT_TRUE(Eventually(absl::Minutes(2),
                           [&] {
                             const auto now = cluster_->Get(job);
                             if (now.ok()) last = *now;
                             return last.state() == state;
                           }))
        << last.DebugString() << cluster_->Logs();
    return last;
  }
  v1::NodeStatus Node(const std::string& name) {
    const auto nodes = cluster_->Nodes();
    if (!nodes.ok()) return {};
    for (const v1::NodeStatus& node : *nodes) {
      if (node.name() == name) return node;
    }
    return {};
  }

  std::unique_ptr<TestCluster> cluster_;
  std::unique_ptr<History> history_;
};

TEST_F(DeathsTest, WhatTheSuiteDidIsExplained) {
  Start({.agents = 1, .lease = "60s"});
  Submit("a", "exec sleep 600");
  cluster_->KillMeant(SupervisorOfOne());
  cluster_->scheduler().Kill();
  cluster_->StartScheduler("scheduler.stepped=kill@1");
  ASSERT_TRUE(Eventually(absl::Seconds(30),
                         [&] { return !cluster_->scheduler().running(); }));
  cluster_->StartScheduler();
  cluster_->agent(0).Signal(SIGTERM);
  ASSERT_TRUE(cluster_->agent(0).Wait(absl::Seconds(30)));
  cluster_->StartAgent(0, "supervisor.born=crash@1");
  ASSERT_TRUE(cluster_->WaitUntilServing());
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return Node("node0").state() == "unfit";
  })) << cluster_->Logs();
  EXPECT_THAT(cluster_->UnexplainedDeaths(), IsEmpty());
}

TEST_F(DeathsTest, ASchedulerAndAnAgentThatCrashAreNamed) {
  Start({.agents = 1});
  kill(cluster_->scheduler().pid(), SIGSEGV);
  EXPECT_THAT(WaitForDeath(), ElementsAre(AllOf(HasSubstr("ccschedd ("),
                                                HasSubstr("SIGSEGV"))));
  const pid_t agent = cluster_->agent(0).pid();
  kill(agent, SIGABRT);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, agent, &info, WEXITED | WNOWAIT), 0);
  // Found dead by who was to kill it.
  cluster_->agent(0).Kill();
  EXPECT_THAT(cluster_->UnexplainedDeaths(),
              ElementsAre(HasSubstr("ccschedd"),
                          AllOf(HasSubstr("ccsched-agent ("),
                                HasSubstr("signal 6, SIGABRT"))));
}

// Their signals are blocked: only a fault of their own kills them so. The
// harness is not told of it.
TEST_F(DeathsTest, ASupervisorThatCrashesIsNamedByItsAgent) {
  Start({.agents = 1, .lease = "60s"});
  Arm("supervisor.started=crash@1");
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0);
  Submit("a", "exec sleep 600");
  EXPECT_THAT(WaitForDeath(),
              Contains(AllOf(HasSubstr("ccsched-supervise ("),
                             HasSubstr("died of signal 11, SIGSEGV"))));
}

TEST_F(DeathsTest, ASupervisorThatCrashesAfterItsAgentIsNamed) {
  Start({.agents = 1, .lease = "60s"});
  Arm("agent.spawned=kill@1,supervisor.started=crash@1");
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0);
  Submit("a", "exec sleep 600");
  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
    return cluster_->UnexplainedDeaths().size() == 2;
  }));
  EXPECT_THAT(cluster_->UnexplainedDeaths(),
              UnorderedElementsAre(
                  AllOf(HasSubstr("ccsched-agent ("), HasSubstr("SIGKILL")),
                  AllOf(HasSubstr("ccsched-supervise ("),
                        HasSubstr("died of signal 11, SIGSEGV"))));
}

// Takes all of one node, whichever; the other one's supervisors then die as
// `failpoint` says. Returns the job, and that other one.
class DyingSupervisorsTest : public DeathsTest {
 protected:
  void StartWithOneBad(const std::string& failpoint) {
    Start({.agents = 2, .lease = "60s"});
    const uint64_t first = Submit(
        "first", absl::StrCat("until [ -e ", Go(), " ]; do sleep 0.02; done"),
        cluster_->accelerators());
    const v1::Job job = WaitFor(first, v1::JOB_RUNNING);
    sound_ = job.attempts(0).nodes(0).node();
    bad_ = sound_ == "node0" ? "node1" : "node0";
    const int i = bad_.back() - '0';
    cluster_->agent(i).Kill();
    cluster_->StartAgent(i, failpoint);
    ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
      return Node(bad_).state() == "up";
    })) << cluster_->Logs();
  }
  void LetFirstEnd() { fclose(fopen(Go().c_str(), "w")); }
  std::string Go() const { return cluster_->dir() + "/go"; }
  // The second job is tried on the bad node, then ends on the sound one.
  v1::Job EndsElsewhere(const std::string& why) {
    const uint64_t job = Submit("second", "exit 0");
    EXPECT_TRUE(Eventually(absl::Seconds(60), [&] {
      return Node(bad_).state() == "unfit";
    })) << cluster_->Logs();
    EXPECT_THAT(Node(bad_).reason(), HasSubstr(why));
    LetFirstEnd();
    const v1::Job ended = WaitFor(job, v1::JOB_SUCCEEDED);
    const auto& attempts = ended.attempts();
    for (int i = 0; i + 1 < attempts.size(); ++i) {
      EXPECT_EQ(attempts[i].nodes(0).node(), bad_);
    }
    EXPECT_EQ(attempts[attempts.size() - 1].nodes(0).node(), sound_);
    return ended;
  }
  std::string sound_, bad_;
};

TEST_F(DyingSupervisorsTest, ThatDieAtBirthSendTheJobElsewhere) {
  StartWithOneBad("supervisor.born=crash@1");
  const v1::Job job = EndsElsewhere("does not run here: signal 11");
  ASSERT_EQ(job.attempts_size(), 2);
  EXPECT_EQ(job.attempts(0).outcome(), "refused");
}

TEST_F(DyingSupervisorsTest, ThatDieEachTimeSendTheJobElsewhere) {
  StartWithOneBad("supervisor.known=crash@1");
  const v1::Job job = EndsElsewhere("3 jobs lost in a row");
  ASSERT_EQ(job.attempts_size(), 4);
  EXPECT_EQ(job.attempts(0).outcome(), "lost");
}

// On every node: then it may be the job that does it, and it is told.
TEST_F(DyingSupervisorsTest, ThatDieOnEveryNodeFailTheJob) {
  StartWithOneBad("supervisor.known=crash@1");
  LetFirstEnd();
  WaitFor(1, v1::JOB_SUCCEEDED);
  const int i = sound_.back() - '0';
  cluster_->agent(i).Kill();
  cluster_->StartAgent(i, "supervisor.known=crash@1");
  const uint64_t job = Submit("second", "exit 0");
  const v1::Job ended = WaitFor(job, v1::JOB_FAILED);
  EXPECT_EQ(ended.attempts_size(), 5);
  EXPECT_THAT(ended.state_note(), AllOf(HasSubstr("lost 5 times in a row"),
                                        HasSubstr("signal 11")));
}

}  // namespace
}  // namespace ccsched::testing
