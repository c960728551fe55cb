// 100,000 queued jobs and 2,000 agents on one scheduler: time and memory.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched-bench-scale [POLICY [SECONDS [JOBS [AGENTS]]]]
//
// The scheduler is a process of its own; this one plays all agents, each on a
// stream of its own, and ends attempts as fast as it is told to start them, up
// to a rate.
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/agents.grpc.pb.h"
#include "ccsched/v1/forecasts.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/wire/proto_time.h"
#include "tests/bench/child_process.h"

namespace ccsched {
namespace {

constexpr int kChannels = 32;
constexpr int kPerNode = 8;

std::shared_ptr<grpc::Channel> Connect(const std::string& address, int i) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("ccsched.bench.channel", i);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

// Attempts that were started and not yet ended, over all agents.
struct Running;

class SimulatedAgent
    : public grpc::ClientBidiReactor<v1::AgentMessage, v1::SchedulerMessage> {
 public:
  SimulatedAgent(v1::Agents::Stub* stub, int number, Running* running)
      : running_(running) {
    v1::AgentMessage message;
    v1::Register& hello = *message.mutable_register_();
    hello.set_node(absl::StrCat("node", number));
    hello.set_site(absl::StrCat("site", number % 4));
    hello.set_accelerator("gpu");
    hello.set_count(kPerNode);
    hello.set_state_id(absl::StrCat("state", number));
    stub->async()->Connect(&context_, this);
    Send(std::move(message));
    StartRead(&incoming_);
    StartCall();
  }
  void Send(v1::AgentMessage message) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(message));
    if (!writing_) WriteNext();
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
    writing_ = false;
    if (ok) WriteNext();
  }
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status&) override { done_ = true; }
  void Cancel() { context_.TryCancel(); }
  bool done() const { return done_; }

 private:
  void WriteNext() {
    if (queue_.empty()) return;
    writing_ = true;
    StartWrite(&queue_.front());
  }

  Running* const running_;
  grpc::ClientContext context_;
  v1::SchedulerMessage incoming_;
  std::mutex mutex_;
  std::deque<v1::AgentMessage> queue_;
  bool writing_ = false;
  std::atomic<bool> done_ = false;
};

struct Running {
  std::mutex mutex;
  std::deque<std::pair<SimulatedAgent*, v1::AttemptKey>> attempts;
  std::atomic<uint64_t> registered = 0, started = 0, ended = 0;
};

v1::AgentMessage StatusOf(const v1::AttemptKey& key, bool ended) {
  v1::AgentMessage message;
  v1::AttemptStatus& status = *message.mutable_status();
  *status.mutable_key() = key;
  *status.mutable_started() = ToProto(absl::Now());
  if (ended) {
    *status.mutable_ended() = ToProto(absl::Now());
    status.set_outcome(v1::OUTCOME_SUCCEEDED);
  }
  return message;
}

void SimulatedAgent::OnReadDone(bool ok) {
  if (!ok) return;
  if (incoming_.has_registered()) ++running_->registered;
  if (incoming_.has_start()) {
    const v1::AttemptKey key = incoming_.start().key();
    Send(StatusOf(key, false));
    ++running_->started;
    const std::lock_guard lock(running_->mutex);
    running_->attempts.emplace_back(this, key);
  }
  incoming_.Clear();
  StartRead(&incoming_);
}

std::string WriteConfig(const std::string& dir, const std::string& policy) {
  std::string path = dir + "/cluster.yaml";
  std::ofstream config(path);
  config << "version: 1\nregions: [{name: r0}, {name: r1}, {name: r2}, "
            "{name: r3}]\nsites:\n";
  for (int i = 0; i < 4; ++i) {
    config << "  - {name: site" << i << ", region: r" << i
           << ", pools: [{accelerator: gpu, idle_watts: 50, active_watts: "
              "400}]}\n";
  }
  config << "policy: " << policy << "\n";
  return path;
}

void PushForecasts(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = v1::Forecasts::NewStub(channel);
  for (int r = 0; r < 4; ++r) {
    grpc::ClientContext context;
    v1::PushForecastRequest request;
    v1::GridSeries& series = *request.mutable_series();
    series.set_region(absl::StrCat("r", r));
    *series.mutable_start() = ToProto(
        absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) / 3600 * 3600));
    *series.mutable_step() = ToProto(absl::Hours(1));
    for (int h = 0; h < 72; ++h) {
      series.add_intensity(300 + 100 * r + 10 * ((h * 7 + r * 5) % 24));
    }
    v1::PushForecastResponse response;
    stub->Push(&context, request, &response);
  }
}

void SubmitJobs(const std::shared_ptr<grpc::Channel>& channel, int jobs) {
  const auto stub = v1::Jobs::NewStub(channel);
  grpc::ClientContext context;
  v1::SubmitBulkResponse response;
  const auto writer = stub->SubmitBulk(&context, &response);
  v1::SubmitBulkRequest request;
  for (int i = 0; i < jobs; ++i) {
    v1::JobSpec& spec = *request.add_jobs();
    spec.add_command("true");
    spec.set_accelerators(1 << (i * 2654435761u >> 16) % 6);  // 1 to 32
    spec.set_user(absl::StrCat("user", i % 97));
    *spec.mutable_runtime() = ToProto(absl::Minutes(5 + i % 300));
    if (i % 3 == 0) spec.add_site(absl::StrCat("site", i % 4));
    if (request.jobs_size() == 100 || i + 1 == jobs) {
      writer->Write(request);
      request.Clear();
    }
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  std::printf("submitted: %lu accepted, %lu refused %s\n",
              static_cast<unsigned long>(response.accepted()),
              static_cast<unsigned long>(response.refused()),
              status.error_message().c_str());
}

v1::StatusResponse AskStatus(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  v1::StatusResponse response;
  v1::Admin::NewStub(channel)->Status(&context, {}, &response);
  return response;
}

// Ends attempts, oldest first, `per_second` in all.
void Churn(Running& running, double seconds, int per_second) {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const double now =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
    if (now > seconds) return;
    std::vector<std::pair<SimulatedAgent*, v1::AttemptKey>> due;
    {
      const std::lock_guard lock(running.mutex);
      while (running.ended + due.size() < now * per_second &&
             !running.attempts.empty()) {
        due.push_back(running.attempts.front());
        running.attempts.pop_front();
      }
    }
    for (const auto& [agent, key] : due) agent->Send(StatusOf(key, true));
    running.ended += due.size();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Print(const char* when, const v1::StatusResponse& status,
           const ChildProcess& child) {
  std::printf(
      "%s: %lu live jobs; decisions p50 %.2f ms, p99 %.2f ms, max "
      "%.2f ms over the last of %lu; peak %.0f MiB\n",
      when, static_cast<unsigned long>(status.jobs_live()),
      status.step_ms_p50(), status.step_ms_p99(), status.step_ms_max(),
      static_cast<unsigned long>(status.steps()), child.PeakKib() / 1024);
}

int Main(const std::string& policy, double seconds, int jobs, int agents) {
  std::string name =
      std::filesystem::temp_directory_path() / "ccsched-scaleXXXXXX";
  const std::string dir = ::mkdtemp(name.data());
  {
    const ChildProcess child(
        {CCSCHEDD, "--config", WriteConfig(dir, policy), "--state",
         dir + "/state", "--listen", "unix:" + dir + "/socket"},
        dir + "/log");
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    std::vector<std::unique_ptr<v1::Agents::Stub>> stubs;
    for (int i = 0; i < kChannels; ++i) {
      channels.push_back(Connect("unix:" + dir + "/socket", i));
      channels.back()->WaitForConnected(std::chrono::system_clock::now() +
                                        std::chrono::seconds(10));
      stubs.push_back(v1::Agents::NewStub(channels.back()));
    }
    PushForecasts(channels[0]);
    Running running;
    std::vector<std::unique_ptr<SimulatedAgent>> all;
    for (int i = 0; i < agents; ++i) {
      all.push_back(std::make_unique<SimulatedAgent>(stubs[i % kChannels].get(),
                                                     i, &running));
    }
    for (int i = 0; i < 3000 && running.registered < agents; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::printf("%s: %lu agents registered\n", policy.c_str(),
                static_cast<unsigned long>(running.registered.load()));
    SubmitJobs(channels[0], jobs);
    Print("after the submissions", AskStatus(channels[0]), child);
    const uint64_t before = running.started;
    Churn(running, seconds, 500);
    Print("with 500 endings a second", AskStatus(channels[0]), child);
    std::printf("%lu ended, %lu started meanwhile\n",
                static_cast<unsigned long>(running.ended.load()),
                static_cast<unsigned long>(running.started - before));
    for (const auto& agent : all) agent->Cancel();
    for (const auto& agent : all) {
      while (!agent->done()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  return ccsched::Main(argc > 1 ? argv[1] : "easy-backfill",
                       argc > 2 ? std::atof(argv[2]) : 10,
                       argc > 3 ? std::atoi(argv[3]) : 100'000,
                       argc > 4 ? std::atoi(argv[4]) : 2'000);
}
