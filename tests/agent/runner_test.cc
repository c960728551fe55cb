// Starts and ends of attempts with their loop, threads and supervisors, but
// without a process or a connection of their own.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
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
  explicit RunnerTest(const UserDirectory::Options* users = nullptr)
      : meter_({}, 128) {
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
    if (users != nullptr) {
      options.launch.as_submitter = true;
      options.users = *users;
    }
    runner_ = std::make_unique<JobRunner>(
        loop_, *store_, meter_, options,
        [this](v1::AgentMessage message) { sent_.push_back(message); });
    runner_->set_unfit([this](Obstacle obstacle, const std::string& why) {
      unfit_.emplace_back(obstacle, why);
    });
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
  void Start(AttemptId id, const std::string& script,
             const std::string& user = "") {
    v1::StartAttempt start;
    start.mutable_spec()->set_user(user);
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
  std::vector<std::pair<Obstacle, std::string>> unfit_;
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

// A user database in which "far" is not found before it is let, and everybody
// else is who runs the test.
struct FakeUsers {
  std::mutex mutex;
  std::condition_variable changed;
  bool answers = false;
  int asked = 0;  // for "far"

  absl::StatusOr<User> Find(const std::string& name) {
    if (name == "far") {
      std::unique_lock lock(mutex);
      ++asked;
      changed.notify_all();
      changed.wait(lock, [this] { return answers; });
    }
    return User{.name = name,
                .home = "/",
                .ids = {.uid = geteuid(), .gid = getegid(), .groups = {}}};
  }
  void Answer() {
    const std::lock_guard lock(mutex);
    answers = true;
    changed.notify_all();
  }
  void WaitAsked(int times) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return asked == times; });
  }
  static UserDirectory::Options Options(std::shared_ptr<FakeUsers> users,
                                        absl::Duration patience) {
    return {.find = [users](const std::string& n) { return users->Find(n); },
            .patience_ns = absl::ToInt64Nanoseconds(patience)};
  }
};

class UsersTest : public RunnerTest {
 protected:
  UsersTest() : UsersTest(absl::Hours(1)) {}
  explicit UsersTest(absl::Duration patience)
      : UsersTest(std::make_shared<FakeUsers>(), patience) {}
  ~UsersTest() override { users_->Answer(); }  // its threads end

  const std::shared_ptr<FakeUsers> users_;

 private:
  UsersTest(const std::shared_ptr<FakeUsers>& users, absl::Duration patience)
      : UsersTest(users, FakeUsers::Options(users, patience)) {}
  UsersTest(std::shared_ptr<FakeUsers> users,
            const UserDirectory::Options& options)
      : RunnerTest(&options), users_(std::move(users)) {}
};

TEST_F(UsersTest, AStartWaitsForItsUserAndOthersDoNot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root takes on another user";
  Start({1, 1}, "exit 3", "far");
  Start({2, 1}, "exit 3", "near");
  Start({3, 1}, "exit 3");
  ASSERT_TRUE(RunUntil([&] { return EndOf({2, 1}) && EndOf({3, 1}); }));
  EXPECT_TRUE(runner_->IsRunning({1, 1})) << "as it is about to";
  EXPECT_FALSE(runner_->idle());
  EXPECT_EQ(store_->book().fence(1), 0u) << "nothing of it is on record";
  Start({1, 1}, "exit 3", "far");  // told of once more
  users_->Answer();
  ASSERT_TRUE(RunUntil([&] { return EndOf({1, 1}) != nullptr; }));
  EXPECT_EQ(EndOf({1, 1})->exit_code(), 3);
  const std::string ran = Ran();
  EXPECT_EQ(std::count(ran.begin(), ran.end(), '\n'), 3) << ran;
}

TEST_F(UsersTest, AStartThatIsStoppedMeanwhileIsNone) {
  Start({1, 1}, "exit 3", "far");
  users_->WaitAsked(1);
  v1::StopAttempt stop;
  *stop.mutable_key() = ToProto(AttemptId{1, 1});
  runner_->Stop(stop);
  ASSERT_TRUE(RunUntil([&] { return EndOf({1, 1}) != nullptr; }));
  EXPECT_EQ(EndOf({1, 1})->outcome(), v1::OUTCOME_STOPPED);
  users_->Answer();
  Start({2, 1}, "exit 3");  // shows that the answer was read
  ASSERT_TRUE(RunUntil([&] { return EndOf({2, 1}) != nullptr; }));
  EXPECT_EQ(Ran(), "2-1\n");
}

TEST_F(UsersTest, AnAgentThatEndsItsJobsDoesNotWaitForOne) {
  Start({1, 1}, "exit 3", "far");
  users_->WaitAsked(1);
  runner_->EndAll();
  ASSERT_TRUE(RunUntil([&] { return runner_->idle(); }));
  ASSERT_NE(EndOf({1, 1}), nullptr);
  EXPECT_EQ(EndOf({1, 1})->outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(EndOf({1, 1})->node_at_fault());
}

class HungUsersTest : public UsersTest {
 protected:
  HungUsersTest() : UsersTest(absl::Milliseconds(50)) {}
};

// The job is not to blame, and its next start, elsewhere, may go well.
TEST_F(HungUsersTest, OneThatIsNeverFoundFailsTheStartAndNotTheJob) {
  Start({1, 1}, "exit 3", "far");
  users_->WaitAsked(1);
  ASSERT_TRUE(RunUntil([&] { return EndOf({1, 1}) != nullptr; }));
  EXPECT_EQ(EndOf({1, 1})->outcome(), v1::OUTCOME_REFUSED);
  EXPECT_TRUE(EndOf({1, 1})->node_at_fault());
  EXPECT_THAT(EndOf({1, 1})->message(), testing::HasSubstr("'far'"));
  ASSERT_EQ(unfit_.size(), 1u) << "so that it is not sent here again";
  EXPECT_EQ(unfit_[0].first, Obstacle::kStart);
  // And what hangs keeps nobody else from being found.
  Start({1, 2}, "exit 3", "far");
  users_->WaitAsked(2);
  users_->Answer();
  ASSERT_TRUE(RunUntil([&] { return EndOf({1, 2}) != nullptr; }));
}

TEST(FindUserTest, KnowsWhoIsHereAndWhoIsNot) {
  const auto root = FindUser("root");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->ids.uid, 0u);
  const auto nobody = FindUser("no-such-user-here");
  EXPECT_TRUE(absl::IsNotFound(nobody.status())) << nobody.status();
}

}  // namespace
}  // namespace ccsched
