// kill -9 of the real scheduler in a burst of submissions loses nothing.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/base/random.h"
#include "tests/daemon/fake_agent.h"

extern char** environ;

namespace ccsched {
namespace {

constexpr char kConfig[] = R"(version: 1
regions: [{name: grid}]
sites:
  - {name: here, region: grid,
     pools: [{accelerator: cpu, idle_watts: 10, active_watts: 100}]}
policy: fcfs
)";

class KillTest : public ::testing::Test {
 protected:
  KillTest() {
    std::string name = ::testing::TempDir() + "ccsched-killXXXXXX";
    dir_ = mkdtemp(name.data());
    std::ofstream(dir_ + "/cluster.yaml") << kConfig;
  }
  ~KillTest() override {
    Kill();
    std::filesystem::remove_all(dir_);
  }

  std::string address() const { return "unix:" + dir_ + "/s"; }

  void Spawn() {
    std::vector<std::string> words = {
        CCSCHEDD,  "--config",      dir_ + "/cluster.yaml",
        "--state", dir_ + "/state", "--listen",
        address()};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, (dir_ + "/log").c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_EQ(
        posix_spawn(&pid_, CCSCHEDD, &actions, nullptr, argv.data(), environ),
        0);
    posix_spawn_file_actions_destroy(&actions);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(
        address(), grpc::InsecureChannelCredentials(), arguments);
    ASSERT_TRUE(channel_->WaitForConnected(std::chrono::system_clock::now() +
                                           std::chrono::seconds(20)));
    jobs_ = v1::Jobs::NewStub(channel_);
  }

  void Kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  // Submits under `key` until the scheduler is gone; notes what it was told.
  void Burst(int round, int thread) {
    for (int i = 0;; ++i) {
      const std::string key = absl::StrCat(round, "-", thread, "-", i);
      grpc::ClientContext context;
      v1::SubmitRequest request;
      request.mutable_job()->add_command("true");
      request.mutable_job()->set_accelerators(4);
      request.mutable_job()->set_key(key);
      v1::SubmitResponse response;
      const grpc::Status status = jobs_->Submit(&context, request, &response);
      if (!status.ok()) return;
      const std::lock_guard lock(mutex_);
      acknowledged_[key] = response.job_id();
    }
  }

  std::string dir_;
  pid_t pid_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Jobs::Stub> jobs_;
  std::mutex mutex_;
  std::map<std::string, uint64_t> acknowledged_;
};

TEST_F(KillTest, KeepsEveryAcknowledgedJobExactlyOnceAndRunningOnesRunning) {
  const uint64_t seed = std::chrono::system_clock::now().time_since_epoch() /
                        std::chrono::nanoseconds(1);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Random random(seed);
  Spawn();
  auto agent = std::make_unique<FakeAgent>(address(),
                                           FakeNode{.node = "n1", .count = 4});
  ASSERT_TRUE(agent->WaitRegistered().has_value());
  std::optional<v1::AttemptKey> running;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([this, round, t] { Burst(round, t); });
    }
    if (!running) {
      const auto start = agent->WaitStart();
      ASSERT_TRUE(start.has_value());
      running = start->key();
      agent->Started(*running);
    }
    std::this_thread::sleep_for(
        std::chrono::milliseconds(50 + random.Below(200)));
    Kill();
    for (std::thread& thread : threads) thread.join();
    Spawn();
    agent = std::make_unique<FakeAgent>(
        address(),
        FakeNode{.node = "n1", .count = 4, .attempts = {StatusOf(*running)}});
    ASSERT_TRUE(agent->WaitRegistered().has_value());
  }
  ASSERT_GT(acknowledged_.size(), 100u) << "the burst was no burst";
  // Every key still means the job that was acknowledged, and no other.
  std::map<uint64_t, std::string> owners;
  for (const auto& [key, id] : acknowledged_) {
    EXPECT_TRUE(owners.emplace(id, key).second)
        << "job " << id << " was given to " << key << " and " << owners[id];
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(id);
    v1::Job job;
    const grpc::Status got = jobs_->Get(&context, request, &job);
    ASSERT_TRUE(got.ok()) << "job " << id << ": " << got.error_message();
    EXPECT_EQ(job.spec().key(), key);
    EXPECT_EQ(job.state(),
              id == running->job_id() ? v1::JOB_RUNNING : v1::JOB_QUEUED);
    grpc::ClientContext again;
    v1::SubmitRequest submit;
    *submit.mutable_job() = job.spec();
    submit.mutable_job()->set_key(key);
    v1::SubmitResponse response;
    const grpc::Status known = jobs_->Submit(&again, submit, &response);
    ASSERT_TRUE(known.ok()) << "job " << id << ": " << known.error_message();
    EXPECT_EQ(response.job_id(), id);
    EXPECT_TRUE(response.existed());
  }
  EXPECT_FALSE(agent->Has(v1::SchedulerMessage::kStart)) << "started twice";
  EXPECT_FALSE(agent->Has(v1::SchedulerMessage::kStop));
}

}  // namespace
}  // namespace ccsched
