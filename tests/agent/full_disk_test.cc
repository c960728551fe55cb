// What holds when an agent's disk is full, and when it has room again.
// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

// The state is on a disk of one MiB.
class FullDiskTest : public AgentTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(Path("state"));
    if (mount("tmpfs", Path("state").c_str(), "tmpfs", 0, "size=1m") != 0) {
      GTEST_SKIP() << "this process may not mount";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (agent_ != 0) KillAgent();
    if (mounted_) umount2(Path("state").c_str(), MNT_DETACH);
    std::filesystem::create_directories(StateFile("run"));
  }
  void Fill() {
    std::ofstream filler(StateFile("filler"));
    while (filler.write("x", 1).flush()) {
    }
  }
  void MakeRoom() { std::filesystem::remove(StateFile("filler")); }
  bool mounted_ = false;
};

TEST_F(FullDiskTest, RefusesWhatItCannotRecordAndLosesNoEnd) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Waiter({1, 1})));
  ASSERT_TRUE(WaitFileHolds(Path("starts"), "started"));
  ASSERT_TRUE(scheduler_->WaitRunning({1, 1}));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  Fill();
  for (uint64_t job = 2; job < 80; ++job) {
    const auto status = RunToEnd(Waiter({job, 1}));
    EXPECT_EQ(status.outcome(), v1::OUTCOME_REFUSED);
    EXPECT_THAT(status.message(), HasSubstr("No space left"));
  }
  LetGo();
  ASSERT_TRUE(WaitGone(supervisor));
  MakeRoom();
  const auto status = scheduler_->WaitEnded({1, 1});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code(), 7);
  EXPECT_EQ(RunToEnd(Waiter({100, 1})).exit_code(), 7);
  EXPECT_EQ(Read(Path("starts")), "started\nstarted\n");
  KillAgent();
  StartAgent();
  const auto known = scheduler_->WaitRegistered(2);
  for (const auto& attempt : known->attempts()) {
    EXPECT_NE(attempt.key().job_id(), 1u) << "its acknowledgement was lost";
  }
}

// Else it is taken for unfit for ever: nobody asks.
TEST_F(FullDiskTest, ThatItIsFitAgainIsSaidToWhoHeardTheContraryLast) {
  StartAgent();
  Fill();
  EXPECT_EQ(RunToEnd(Waiter({1, 1})).outcome(), v1::OUTCOME_REFUSED);
  scheduler_->set_answer(false);
  scheduler_->Disconnect();
  const auto hello = scheduler_->WaitRegistered(++registrations_);
  ASSERT_TRUE(hello);
  ASSERT_THAT(hello->unfit(), HasSubstr("No space left"));
  MakeRoom();
  ASSERT_TRUE(WaitFileHolds(Path("agent.log"), "fit for new jobs again"));
  scheduler_->set_answer(true);
  v1::SchedulerMessage answer;  // late
  *answer.mutable_registered() = scheduler_->registered;
  ASSERT_TRUE(scheduler_->Send(answer));
  ASSERT_TRUE(scheduler_->WaitHealth(2)) << "it is not said";
  EXPECT_EQ(scheduler_->Health().back(), "");
}

// What a job writes meanwhile is dropped, and counted where it is missing: also
// if nothing can be written after it, as long as there is a disk to read.
TEST_F(FullDiskTest, OutputThatHadNoRoomIsCounted) {
  StartAgent();
  const auto pause = [&](const std::string& name) {
    return "; echo > " + Path("at-" + name) + "; while ! [ -e " + Path(name) +
           " ]; do sleep 0.02; done; ";
  };
  const auto go_on = [&](const std::string& name) {
    std::ofstream(Path(name)) << "\n";
  };
  const std::string log = StateFile("logs/1-1.out");
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo first" + pause("a") + "seq 1 100000" + pause("b") +
                        "echo second" + pause("c") + "seq 1 100000; exit 7")));
  ASSERT_TRUE(WaitFileHolds(log, "first"));
  const pid_t supervisor = SupervisorOf({1, 1}).pid;
  Fill();
  go_on("a");
  ASSERT_TRUE(WaitFileHolds(Path("at-b"), "\n"));
  MakeRoom();
  go_on("b");
  ASSERT_TRUE(WaitFileHolds(log, "second"));
  Fill();
  go_on("c");
  ASSERT_TRUE(WaitGone(supervisor));
  MakeRoom();
  EXPECT_EQ(scheduler_->WaitEnded({1, 1})->exit_code(), 7);
  for (const uint64_t request : {9, 10}) {
    ASSERT_TRUE(scheduler_->ReadLog(request, {1, 1}, request == 10));
    ASSERT_TRUE(scheduler_->WaitLog(request,
                                    [](const auto&, bool end) { return end; }));
    const std::string all = scheduler_->Log(request);
    // What was left of the file's last page is written, the rest is missing.
    EXPECT_EQ(all.size(), 6 + 588'895 + 7 + 588'895u);
    const auto missing = std::count(all.begin(), all.end(), '?');
    EXPECT_GT(missing, 2 * 500'000);
    EXPECT_EQ(scheduler_->LogUnwritten(request), missing);
    EXPECT_EQ(all.substr(0, 10), "first\n1\n2\n");
    EXPECT_THAT(all, HasSubstr("second\n1\n2\n"));
    EXPECT_EQ(all.back(), '?');
    RunToEnd(Shell({request, 1}, "exit 0"));  // the end is acknowledged
  }
}

// What could not be recorded is on no record, so it is not reported again by
// itself; a scheduler that has not heard of it asks again.
TEST_F(FullDiskTest, ARefusalThatWasLostIsSaidAgain) {
  StartAgent();
  Fill();
  AttemptId id{0, 1};
  std::string why;
  while (why.find("journal") == std::string::npos) {
    ASSERT_LT(++id.job, 80u) << why;
    why = RunToEnd(Waiter(id)).message();
  }
  MakeRoom();
  ASSERT_TRUE(scheduler_->Start(Waiter(id)));
  RunToEnd(Shell({100, 1}, "exit 0"));  // shows that it was read
  EXPECT_EQ(scheduler_->EndedCount(id), 2u) << "the scheduler waits for ever";
}

// Two things stand in the way of starts; that one is gone leaves the other.
TEST_F(FullDiskTest, AWrittenJournalDoesNotMakeUpForTheSupervisor) {
  const std::string other = Path("other");
  std::ofstream(other) << "#!/bin/sh\necho 1\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  StartAgent({"--supervisor", other});
  EXPECT_THAT(scheduler_->WaitRegistered(1)->unfit(), HasSubstr("version"));
  const auto told = [&] {
    std::vector<std::string> all;
    for (const v1::AgentMessage& message : scheduler_->Messages()) {
      if (message.has_health()) all.push_back(message.health().unfit());
    }
    return all;
  };
  Fill();
  uint64_t job = 0;
  while (!testing::Matches(testing::Contains(HasSubstr("journal")))(told())) {
    RunToEnd(Waiter({++job, 1}));
    ASSERT_LT(job, 80u);
  }
  MakeRoom();
  while (testing::Matches(HasSubstr("journal"))(told().back())) {
    RunToEnd(Waiter({++job, 1}));
  }
  EXPECT_THAT(told(), testing::Each(testing::Not(testing::IsEmpty())));
}

}  // namespace
}  // namespace ccsched
