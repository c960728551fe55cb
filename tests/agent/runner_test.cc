// Starts and ends of attempts with their loop, threads and supervisors, but
// without a process or a connection of their own.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/job_runner.h"
#include "agent/lease_file.h"
#include "agent/log_keeper.h"
#include "agent/state_folder.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr int64_t kPatienceNs = 20 * kNanosPerSecond;

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() : meter_({}, 128) {
    std::string name = testing::TempDir() + "ccsched-runner-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    state_ = *OpenStateFolder(folder_ / "state");
    if (!lease_.Open(state_.path + "/lease", true)) std::abort();
    store_ = *AttemptStore::Open(state_.path + "/journal", 128);
    RunnerOptions options;
    options.supervisor = CCSCHED_SUPERVISE_BINARY;
    options.launch.node = "node-1";
    options.launch.state = state_.path;
    options.launch.tmp = state_.path + "/tmp";
    options.launch.path = "/usr/bin:/bin";
    options.launch.home = "/";
    runner_ = std::make_unique<JobRunner>(
        loop_, *store_, meter_, options,
        [this](v1::AgentMessage message) { sent_.push_back(message); });
    v1::Registered registered;
    registered.set_active_watts(300);
    runner_->Adopt();
    runner_->SetClock(registered, absl::ZeroDuration());
    loop_.set_after_batch([this] { runner_->Settle(); });
  }
  ~RunnerTest() override {
    runner_->EndAll();
    EXPECT_TRUE(RunUntil([this] { return runner_->idle(); }));
    runner_->Leave();
    runner_.reset();
    if (store_->book().attempts().empty()) {
      EXPECT_TRUE(std::filesystem::is_empty(state_.path + "/tmp"));
    }
    std::filesystem::remove_all(folder_);
  }

  // False after twenty seconds.
  bool RunUntil(const std::function<bool()>& done) {
    const int64_t until = BootNanos() + kPatienceNs;
    while (!done()) {
      if (BootNanos() >= until) return false;
      loop_.RunOnce(kNanosPerSecond / 10);
    }
    return true;
  }
  // Appends its attempt's number to "ran", and then does as `script` says.
  void Start(AttemptId id, const std::string& script) {
    v1::StartAttempt start;
    *start.mutable_key() = ToProto(id);
    start.set_count(1);
    for (const std::string& word :
         {std::string("/bin/sh"), std::string("-c"),
          absl::StrCat("echo ", id.ToString(), " >> ",
                       (folder_ / "ran").string(), "; ", script)}) {
      start.mutable_spec()->add_command(word);
    }
    runner_->Start(start);
  }
  std::string Ran() const {
    std::ostringstream out;
    out << std::ifstream(folder_ / "ran").rdbuf();
    return out.str();
  }
  const v1::AttemptStatus* EndOf(AttemptId id) const {
    for (const v1::AgentMessage& message : sent_) {
      if (message.status().has_ended() &&
          FromProto(message.status().key()) == id) {
        return &message.status();
      }
    }
    return nullptr;
  }
  void Acknowledge(AttemptId id) {
    v1::Acknowledge acknowledge;
    *acknowledge.add_ended() = ToProto(id);
    runner_->Acknowledge(acknowledge);
  }

  std::filesystem::path folder_;
  StateFolder state_;
  LeaseFile lease_;
  EventLoop loop_;
  AttemptMeter meter_;
  std::unique_ptr<AttemptStore> store_;
  std::vector<v1::AgentMessage> sent_;
  std::unique_ptr<JobRunner> runner_;
  std::unique_ptr<LogKeeper> keeper_;
};

// Many at once, beside what looks after their output: three threads work on the
// disk while the loop goes on.
TEST_F(RunnerTest, RunsJobsUntilTheyAreForgotten) {
  constexpr uint64_t kJobs = 40;
  const std::string logs = state_.path + "/logs";
  keeper_ = std::make_unique<LogKeeper>(
      loop_, logs, LogBounds{.files_max = 0},
      [this](AttemptId id) { return runner_->IsRunning(id); });
  keeper_->Begin();
  for (uint64_t job = 1; job <= kJobs; ++job) Start({job, 1}, "exit 3");
  uint64_t acknowledged = 0;
  ASSERT_TRUE(RunUntil([&] {
    runner_->Sample();
    while (acknowledged < kJobs && EndOf({acknowledged + 1, 1}) != nullptr) {
      Acknowledge({++acknowledged, 1});
    }
    return acknowledged == kJobs && store_->book().attempts().empty();
  }));
  ASSERT_TRUE(RunUntil([&] { return keeper_->looks() == 1; }));
  for (uint64_t job = 1; job <= kJobs; ++job) {
    EXPECT_EQ(EndOf({job, 1})->outcome(), v1::OUTCOME_FAILED);
    EXPECT_EQ(EndOf({job, 1})->exit_code(), 3);
  }
  const std::string ran = Ran();
  EXPECT_EQ(std::count(ran.begin(), ran.end(), '\n'), kJobs);
  ASSERT_TRUE(
      RunUntil([&] { return !store_->dirty() && !store_->committing(); }));
  EXPECT_TRUE((*AttemptStore::Open(state_.path + "/journal", 128))
                  ->book()
                  .attempts()
                  .empty());
  keeper_->Begin();
  ASSERT_TRUE(RunUntil([&] { return keeper_->looks() == 2; }));
  EXPECT_TRUE(std::filesystem::is_empty(logs));
}

// Those that are looked at later as well, and one that waits for another.
TEST_F(RunnerTest, OnceItEndsItsJobsNothingStarts) {
  Start({1, 1}, "exec sleep 600");
  ASSERT_TRUE(RunUntil([&] { return Ran() == "1-1\n"; }));
  Start({1, 2}, "exec sleep 600");
  runner_->Settle();  // the older one is told to end
  for (uint64_t job = 2; job < 90; ++job) Start({job, 1}, "exec sleep 600");
  runner_->EndAll();
  Start({100, 1}, "exec sleep 600");
  ASSERT_TRUE(RunUntil([&] { return runner_->idle(); }));
  EXPECT_EQ(Ran(), "1-1\n");
  ASSERT_NE(EndOf({1, 1}), nullptr);
  std::vector<AttemptId> refused = {{1, 2}, {100, 1}};
  for (uint64_t job = 2; job < 90; ++job) refused.push_back({job, 1});
  for (const AttemptId id : refused) {
    const v1::AttemptStatus* const end = EndOf(id);
    ASSERT_NE(end, nullptr) << id.ToString();
    EXPECT_EQ(end->outcome(), v1::OUTCOME_REFUSED);
    EXPECT_TRUE(end->node_at_fault()) << "it is none of the job's";
  }
}

// However far its start has come.
TEST_F(RunnerTest, WhatIsBeingStartedEndsWithTheRest) {
  for (uint64_t job = 1; job <= 5; ++job) Start({job, 1}, "exec sleep 600");
  ASSERT_TRUE(RunUntil([&] { return runner_->running_count() >= 1; }));
  runner_->EndAll();
  ASSERT_TRUE(RunUntil([&] { return runner_->idle(); }));
  for (uint64_t job = 1; job <= 5; ++job) {
    const v1::AttemptStatus* const end = EndOf({job, 1});
    ASSERT_NE(end, nullptr) << job;
    EXPECT_TRUE(end->outcome() == v1::OUTCOME_LOST ||
                end->outcome() == v1::OUTCOME_REFUSED)
        << end->outcome();
  }
}

}  // namespace
}  // namespace ccsched
