// Failures that other schedulers had, each by the report that tells of it.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/fault/cluster.h"
#include "tests/fault/history.h"

namespace ccsched::testing {
namespace {

class NamedFailuresTest : public ::testing::Test {
 protected:
  void Start(const ClusterOptions& options) {
    cluster_ = std::make_unique<TestCluster>(options);
    history_ = std::make_unique<History>(cluster_->dir() + "/jobs");
    ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
    ASSERT_TRUE(
        cluster_->WaitForAccelerators(options.agents * options.accelerators))
        << cluster_->Logs();
  }
  void TearDown() override {
    if (cluster_ == nullptr) return;
    EXPECT_EQ(cluster_->UnexplainedDeaths(), std::vector<std::string>())
        << cluster_->Logs();
  }
  // A job that runs until its file `KEY.go` appears, so that a test decides
  // when it ends.
  uint64_t SubmitWaiting(const std::string& key) {
    const std::string file = cluster_->dir() + "/jobs/" + key;
    const absl::StatusOr<uint64_t> id =
        cluster_->Submit(absl::StrCat("echo start $CCSCHED_EPOCH >> ", file,
                                      "; until [ -e ", file,
                                      ".go ]; do sleep 0.02; done; echo end "
                                      "$CCSCHED_EPOCH >> ",
                                      file),
                         key);
    EXPECT_TRUE(id.ok()) << id.status() << cluster_->Logs();
    return id.value_or(0);
  }
  void LetEnd(const std::string& key) {
    fclose(fopen((cluster_->dir() + "/jobs/" + key + ".go").c_str(), "w"));
  }
  bool HasStarted(const std::string& key) {
    return Eventually(absl::Seconds(30), [&] {
      return !history_->ReadDeeds(key).started.empty();
    });
  }
  bool Reaches(uint64_t job, v1::JobState state) {
    return Eventually(absl::Minutes(1), [&] {
      const absl::StatusOr<v1::Job> now = cluster_->Get(job);
      return now.ok() && now->state() == state;
    });
  }
  std::string NodeState() {
    const auto nodes = cluster_->Nodes();
    return nodes.ok() && !nodes->empty() ? nodes->front().state() : "";
  }

  std::unique_ptr<TestCluster> cluster_;
  std::unique_ptr<History> history_;
};

// skypilot#6133: a job that had succeeded was run again after a network
// failure. Here it ends while its node can't be heard, within the lease.
TEST_F(NamedFailuresTest, AJobThatSucceededUnheardIsNotRunAgain) {
  Start({.agents = 2, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  for (int i = 0; i < cluster_->agents(); ++i) {
    cluster_->wire(i).Block(true, true);
  }
  LetEnd("a");
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return !history_->ReadDeeds("a").ended.empty();
  }));
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return NodeState() == "silent";
  })) << NodeState();
  EXPECT_EQ(cluster_->Get(job)->state(), v1::JOB_RUNNING);
  for (int i = 0; i < cluster_->agents(); ++i) {
    cluster_->wire(i).Block(false, false);
  }
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// armada#315: the scheduler was down, all leases ran out, days-long jobs were
// killed. CraneSched#150: a restart took running jobs for pending ones.
TEST_F(NamedFailuresTest, ARestartOfTheSchedulerLeavesRunningJobsRunning) {
  Start({.agents = 1, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  for (int restart = 0; restart < 3; ++restart) {
    cluster_->scheduler().Kill();
    cluster_->StartScheduler();
    ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
    EXPECT_EQ(cluster_->Get(job)->state(), v1::JOB_RUNNING);
  }
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// CraneSched#150 again, with the node out of reach at the restart.
TEST_F(NamedFailuresTest, ARestartWhileANodeIsOutOfReachRestartsNothing) {
  Start({.agents = 2, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  for (int i = 0; i < 2; ++i) cluster_->wire(i).Block(true, true);
  cluster_->scheduler().Kill();
  cluster_->StartScheduler();
  ASSERT_TRUE(cluster_->WaitUntilServing());
  EXPECT_EQ(cluster_->Get(job)->state(), v1::JOB_RUNNING);
  for (int i = 0; i < 2; ++i) {
    cluster_->wire(i).Cut();
    cluster_->wire(i).Block(false, false);
  }
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// An agent's own restart leaves its jobs running, under their supervisors.
TEST_F(NamedFailuresTest, ARestartOfTheAgentLeavesItsJobsRunning) {
  Start({.agents = 1, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0);
  ASSERT_TRUE(
      Eventually(absl::Seconds(30), [&] { return NodeState() == "up"; }));
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// An end that nobody heard of is on record on its node.
TEST_F(NamedFailuresTest, AJobThatEndsWhileItsAgentIsDeadHasItsExitCode) {
  Start({.agents = 1, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  cluster_->agent(0).Kill();
  LetEnd("a");
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return !history_->ReadDeeds("a").ended.empty();
  }));
  cluster_->StartAgent(0);
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(cluster_->Get(job)->exit_code(), 0);
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// A node that is silent past its lease has killed its jobs; they run again.
TEST_F(NamedFailuresTest, ANodeOutOfReachForLongLosesItsJobsToAnother) {
  Start({.agents = 3, .lease = "2s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  const std::string node = cluster_->Get(job)->attempts(0).nodes(0).node();
  const int i = node.back() - '0';
  cluster_->wire(i).Block(true, true);
  ASSERT_TRUE(Eventually(absl::Minutes(1), [&] {
    return history_->ReadDeeds("a").started.size() == 2;
  })) << cluster_->Logs();
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  // The first was killed before the second began: it never came to its end.
  EXPECT_EQ(history_->ReadDeeds("a").ended, std::vector<uint32_t>{2});
  cluster_->wire(i).Block(false, false);
}

// Two agents that claim to be the same node: the second is turned away.
TEST_F(NamedFailuresTest, ACloneOfANodeGetsNoJobs) {
  Start({.agents = 1, .lease = "60s"});
  const std::string log = cluster_->dir() + "/clone.log";
  Process clone = Process::Start(
      {CCSCHED_AGENT, "--scheduler", "unix:" + cluster_->dir() + "/s.sock",
       "--node", "node0", "--site", "here", "--accelerator", "v100", "--count",
       "4", "--state", cluster_->dir() + "/clone"},
      log);
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
  const auto nodes = cluster_->Nodes();
  ASSERT_TRUE(nodes.ok());
  EXPECT_EQ(nodes->size(), 1u);
}

// The same with a copy of the node's state, as a machine cloned or restored
// from a backup has it: the jobs on record there are not the copy's to end.
TEST_F(NamedFailuresTest, AnAgentWithACopiedStateEndsNoJobOfTheOriginal) {
  Start({.agents = 1, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  Process clone = cluster_->StartCloneOf(0);
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return cluster_->Logs().find("served by another agent") !=
           std::string::npos;
  })) << cluster_->Logs();
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// A node whose disk is full takes no jobs, and fails none.
TEST_F(NamedFailuresTest, AFullDiskOnANodeFailsNoJob) {
  Start({.agents = 1, .lease = "60s"});
  cluster_->agent_shim(0).disk_full = 1;
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return NodeState() == "unfit";
  })) << NodeState();
  ASSERT_TRUE(Reaches(job, v1::JOB_QUEUED)) << "it was refused";
  cluster_->agent_shim(0).disk_full = 0;
  ASSERT_TRUE(HasStarted("a")) << cluster_->Logs();
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
}

// Nor is an end told to a scheduler that comes back before it is on record, and
// an agent that starts anew on the full disk goes on as well.
TEST_F(NamedFailuresTest, AnEndOnAFullDiskIsToldOnceItIsOnRecord) {
  Start({.agents = 1, .lease = "60s"});
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  ASSERT_TRUE(Reaches(job, v1::JOB_RUNNING));
  cluster_->agent_shim(0).disk_full = 1;
  LetEnd("a");
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return NodeState() == "unfit";
  })) << "its journal can't be written";
  cluster_->scheduler().Kill();
  cluster_->StartScheduler();
  ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return NodeState() == "unfit";
  })) << "it has not come back";
  EXPECT_FALSE(Eventually(absl::Seconds(2), [&] {
    return cluster_->Get(job)->state() != v1::JOB_RUNNING;
  }));
  ASSERT_TRUE(cluster_->agent(0).running()) << cluster_->Logs();
  cluster_->agent_shim(0).disk_full = 0;
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->ReadDeeds("a").started.size(), 1u);
}

// What a node's meter said is put on record by the hour; its agent keeps it
// until then, for a scheduler that is killed.
TEST_F(NamedFailuresTest, ANodesEnergyOutlivesAKilledScheduler) {
  Start({.agents = 1, .lease = "60s"});
  const absl::Time from = absl::Now();
  while (absl::Now() < from + absl::Seconds(4)) {
    absl::SleepFor(absl::Milliseconds(50));  // it idles, and is charged for it
  }
  cluster_->scheduler().Kill();
  cluster_->StartScheduler();
  ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
  ASSERT_TRUE(
      Eventually(absl::Seconds(30), [&] { return NodeState() == "up"; }));
  // Four idle accelerators, but for the last samples: one each half second.
  const double least =
      0.98 * 4 * kIdleWatts * absl::ToDoubleSeconds(absl::Now() - from) -
      4 * kIdleWatts * 2;
  // An orderly end puts on record what is known; the agent may not have said
  // all of it again by then, and does so to the next.
  double joules = 0;
  EXPECT_TRUE(Eventually(absl::Seconds(30),
                         [&] {
                           cluster_->scheduler().Signal(SIGTERM);
                           if (!cluster_->scheduler().Wait(absl::Seconds(30)))
                             return false;
                           cluster_->StartScheduler();
                           if (!cluster_->WaitUntilServing()) return false;
                           const auto kwh = cluster_->MeteredKwh();
                           if (kwh.ok()) joules = *kwh * 3.6e6 / kPue;
                           if (joules >= least) return true;
                           Eventually(absl::Seconds(5),
                                      [&] { return NodeState() == "up"; });
                           return false;
                         }))
      << joules << " of " << least << " J; " << cluster_->Logs();
}

// Nothing of it was on record yet: the agent's journal has all but the last
// minute of the cluster's time, here of a fifth of a second.
TEST_F(NamedFailuresTest, ANodesEnergyOutlivesAKilledSchedulerAndAgent) {
  constexpr double kRate = 300;
  Start({.agents = 1,
         .lease = "60s",
         .clock = "{start: 2026-06-15T00:01:00Z, rate: 300}"});
  const absl::Time from = absl::Now();
  while (absl::Now() < from + absl::Seconds(4)) {
    absl::SleepFor(absl::Milliseconds(50));  // it idles, and is charged for it
  }
  const absl::Time to = absl::Now();
  const auto killed = cluster_->Now();
  ASSERT_TRUE(killed.ok()) << killed.status();
  cluster_->agent(0).Kill();
  cluster_->scheduler().Kill();
  cluster_->StartScheduler();
  ASSERT_TRUE(cluster_->WaitUntilServing()) << cluster_->Logs();
  cluster_->StartAgent(0);
  ASSERT_TRUE(
      Eventually(absl::Seconds(30), [&] { return NodeState() == "up"; }));
  // Four idle accelerators, but for the last two samples: one each half second.
  const double least =
      0.98 * 4 * kIdleWatts * kRate * (absl::ToDoubleSeconds(to - from) - 1.5);
  double joules = 0;
  EXPECT_TRUE(Eventually(absl::Seconds(60),
                         [&] {
                           const auto kwh = cluster_->MeteredKwh(&*killed);
                           if (kwh.ok()) joules = *kwh * 3.6e6 / kPue;
                           return joules >= least;
                         }))
      << joules << " of " << least << " J; " << cluster_->Logs();
}

// An attempt is on record from before it began to after it was done, however
// long the disk took to say so.
TEST_F(NamedFailuresTest, ASlowDiskDoesNotShortenWhatIsOnRecord) {
  Start({.agents = 1, .lease = "60s"});
  cluster_->agent_shim(0).sync_delay_us = 700'000;
  const std::string key = "a";
  history_->Tried(key, 0);
  const auto job = cluster_->Submit(history_->Script(key, 0.3, 0), key, 2);
  ASSERT_TRUE(job.ok()) << job.status();
  history_->Acknowledged(key, *job);
  ASSERT_TRUE(Reaches(*job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(history_->Violations(*cluster_), std::vector<std::string>{});
}

// Of a part of a gang whose agent and supervisor were killed both, that is on
// record which its supervisor had said: it does so every two seconds.
TEST_F(NamedFailuresTest, OfAPartKilledWithItsAgentWhatItSaidIsOnRecord) {
  Start({.agents = 2, .lease = "60s"});
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0, "supervisor.ended=kill@1");
  ASSERT_TRUE(cluster_->WaitForAccelerators(8)) << cluster_->Logs();
  const std::string key = "a";
  history_->Tried(key, 0);
  const auto job = cluster_->Submit(history_->Script(key, 4.5, 0), key, 5);
  ASSERT_TRUE(job.ok()) << job.status();
  history_->Acknowledged(key, *job);
  const auto ranks_done = [&] {
    Deeds deeds = history_->ReadDeeds(key);
    return absl::c_count_if(deeds.ranks[1], [](const auto& rank) {
      return rank.second.done.has_value();
    });
  };
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    return history_->ReadDeeds(key).ranks[1].size() == 2;
  })) << cluster_->Logs();
  cluster_->agent(0).Kill();
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] { return ranks_done() == 2; }));
  ASSERT_TRUE(Eventually(absl::Seconds(30), [&] {
    cluster_->ReapOrphans();
    return cluster_->SupervisorsOf(0).empty();
  })) << cluster_->Logs();
  cluster_->StartAgent(0);
  ASSERT_TRUE(Reaches(*job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  EXPECT_EQ(cluster_->Get(*job)->attempts(0).outcome(), "lost");
  EXPECT_EQ(history_->Violations(*cluster_), std::vector<std::string>{});
}

// A machine whose clock is an hour off, and set while a job runs: times and
// energy on record are those of the cluster.
TEST_F(NamedFailuresTest, AWrongClockOnANodeDoesNotReachTheLedger) {
  Start({.agents = 1, .lease = "60s"});
  cluster_->agent_shim(0).clock_offset_ns = 3'600'000'000'000;
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0);
  const uint64_t job = SubmitWaiting("a");
  ASSERT_TRUE(HasStarted("a"));
  cluster_->agent_shim(0).clock_offset_ns = -3'600'000'000'000;
  cluster_->agent(0).Kill();
  cluster_->StartAgent(0);
  ASSERT_TRUE(
      Eventually(absl::Seconds(30), [&] { return NodeState() == "up"; }));
  LetEnd("a");
  ASSERT_TRUE(Reaches(job, v1::JOB_SUCCEEDED)) << cluster_->Logs();
  const v1::Attempt attempt = cluster_->Get(job)->attempts(0);
  const auto seconds = [](const google::protobuf::Timestamp& t) {
    return static_cast<double>(t.seconds()) + t.nanos() * 1e-9;
  };
  const double ran = seconds(attempt.ended()) - seconds(attempt.started());
  EXPECT_LT(ran, 60);
  EXPECT_NEAR(seconds(attempt.ended()), absl::ToUnixSeconds(absl::Now()), 30);
  EXPECT_LE(attempt.energy_kwh() * 3.6e6, 1.1 * kActiveWatts * ran + 10);
}

}  // namespace
}  // namespace ccsched::testing
