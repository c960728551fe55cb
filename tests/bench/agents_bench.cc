// Ten thousand agents on one scheduler: its CPU, its memory, and how long a
// submission takes meanwhile; beside a bare gRPC server under the same load.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched-bench-agents [AGENTS [SECONDS [JOBS]]]
//
// This process plays the agents, each on a connection of its own over a Unix
// socket, and speaks their protocol: Register, then every 5 s a heartbeat and
// what the node's accelerators do, with a sample of each of its JOBS attempts.
// The servers are processes of their own, so that only they are measured.
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <algorithm>
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
#include "ccsched/v1/agents.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/wire/proto_time.h"
#include "tests/bench/child_process.h"

namespace ccsched {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kReportEvery{5};
constexpr int kPerNode = 8;
constexpr int kSites = 4;
// Submissions a second meanwhile, one at a time.
constexpr std::chrono::milliseconds kSubmitEvery{20};

double Seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

struct Load {
  int agents = 10'000;
  double seconds = 20;
  int jobs = 0;
};

struct Counters {
  std::atomic<int> registered = 0, started = 0, ended = 0;
  std::atomic<uint64_t> sent = 0, answered = 0;
};

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

// One node's agent.
class LoadAgent
    : public grpc::ClientBidiReactor<v1::AgentMessage, v1::SchedulerMessage> {
 public:
  LoadAgent(const std::string& address, int number, Counters* counters)
      : counters_(counters), stub_(v1::Agents::NewStub(Connect(address))) {
    v1::AgentMessage message;
    v1::Register& hello = *message.mutable_register_();
    hello.set_node(absl::StrCat("node", number));
    hello.set_site(absl::StrCat("site", number % kSites));
    hello.set_accelerator("gpu");
    hello.set_count(kPerNode);
    hello.set_state_id(absl::StrCat("state", number));
    hello.set_meter("nvml");
    stub_->async()->Connect(&context_, this);
    AddHold();  // Report may start a write at any time
    StartRead(&incoming_);
    StartCall();
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(message));
    Write();
  }

  // A heartbeat, and what has been measured since the last report.
  void Report() {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    v1::AgentMessage heartbeat;
    heartbeat.set_sequence(++sequence_);
    heartbeat.mutable_heartbeat();
    Queue(std::move(heartbeat));
    v1::AgentMessage message;
    message.set_sequence(++sequence_);
    v1::Telemetry& telemetry = *message.mutable_telemetry();
    const absl::Time now = absl::Now();
    *telemetry.mutable_start() = ToProto(reported_);
    *telemetry.mutable_end() = ToProto(now);
    telemetry.set_node_joules(kPerNode * 1500.0);
    for (int i = 0; i < kPerNode; ++i) {
      v1::AcceleratorState& state = *telemetry.add_accelerators();
      state.set_index(i);
      state.set_utilisation(0.9);
      state.set_watts(300);
      state.set_memory_used_bytes(6e10);
      state.set_celsius(60);
    }
    Queue(std::move(message));
    for (const v1::AttemptKey& key : attempts_) {
      v1::AgentMessage sampled;
      v1::EnergySample& sample = *sampled.mutable_telemetry()->add_samples();
      *sample.mutable_key() = key;
      *sample.mutable_start() = ToProto(reported_);
      *sample.mutable_end() = ToProto(now);
      sample.set_joules(1500);
      sample.set_method("measured");
      Queue(std::move(sampled));
    }
    reported_ = now;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    context_.TryCancel();
    RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
    if (ok && !queue_.empty()) Write();
    counters_->sent += ok;
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    counters_->registered += incoming_.has_registered();
    counters_->answered += incoming_.has_lease();
    if (incoming_.has_start()) Start(incoming_.start().key());
    StartRead(&incoming_);
  }
  void OnDone(const grpc::Status& /*status*/) override { ++counters_->ended; }

 private:
  void Start(const v1::AttemptKey& key) {
    v1::AgentMessage message;
    v1::AttemptStatus& status = *message.mutable_status();
    *status.mutable_key() = key;
    *status.mutable_started() = ToProto(absl::Now());
    const std::lock_guard lock(mutex_);
    attempts_.push_back(key);
    Queue(std::move(message));
    ++counters_->started;
  }
  // REQUIRES, as Write: mutex_ is held.
  void Queue(v1::AgentMessage message) {
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) Write();
  }
  void Write() { StartWrite(&queue_.front()); }

  Counters* const counters_;
  const std::unique_ptr<v1::Agents::Stub> stub_;
  grpc::ClientContext context_;
  v1::SchedulerMessage incoming_;
  std::mutex mutex_;
  std::deque<v1::AgentMessage> queue_;
  std::vector<v1::AttemptKey> attempts_;
  absl::Time reported_ = absl::Now();
  uint64_t sequence_ = 0;
  bool closed_ = false;
};

// The least that a server of this protocol can do: it reads, and answers
// heartbeats.
class BareServer : public v1::Agents::CallbackService {
 public:
  grpc::ServerBidiReactor<v1::AgentMessage, v1::SchedulerMessage>* Connect(
      grpc::CallbackServerContext* /*context*/) override {
    class Session : public grpc::ServerBidiReactor<v1::AgentMessage,
                                                   v1::SchedulerMessage> {
     public:
      Session() { StartRead(&in_); }
      void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        const bool asked = in_.has_heartbeat() || in_.has_register_();
        if (in_.has_register_()) {
          out_.mutable_registered();
        } else if (asked) {
          out_.mutable_lease()->set_sequence(in_.sequence());
        }
        if (asked) StartWrite(&out_);
        StartRead(&in_);
      }
      void OnDone() override { delete this; }

     private:
      v1::AgentMessage in_;
      v1::SchedulerMessage out_;
    };
    return new Session;
  }
};

int RunBareServer(const std::string& address) {
  BareServer service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
  return 0;
}

template <typename Predicate>
bool WaitUntil(Clock::duration patience, Predicate predicate) {
  for (const auto end = Clock::now() + patience; !predicate();) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// Submits now and then until told to stop. What its jobs ask for is nowhere
// free, so that they stay in the queue.
class Submitter {
 public:
  explicit Submitter(const std::string& address)
      : stub_(v1::Jobs::NewStub(Connect(address))),
        thread_([this] { Run(); }) {}
  std::vector<double> Stop() {
    stopping_ = true;
    thread_.join();
    std::sort(waits_.begin(), waits_.end());
    return waits_;
  }

 private:
  void Run() {
    v1::SubmitRequest request;
    request.mutable_job()->add_command("true");
    request.mutable_job()->set_accelerators(kPerNode);
    while (!stopping_) {
      grpc::ClientContext context;
      v1::SubmitResponse response;
      const auto asked = Clock::now();
      if (stub_->Submit(&context, request, &response).ok()) {
        waits_.push_back(Seconds(Clock::now() - asked));
      }
      std::this_thread::sleep_until(asked + kSubmitEvery);
    }
  }

  const std::unique_ptr<v1::Jobs::Stub> stub_;
  std::vector<double> waits_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

void SubmitJobs(const std::string& address, const Load& load,
                const Counters& counters) {
  if (load.jobs == 0) return;
  const auto stub = v1::Jobs::NewStub(Connect(address));
  grpc::ClientContext context;
  v1::SubmitBulkResponse response;
  const auto writer = stub->SubmitBulk(&context, &response);
  v1::SubmitBulkRequest request;
  for (int i = 0; i < load.agents * load.jobs; ++i) {
    request.add_jobs()->add_command("true");
    if (request.jobs_size() < 100) continue;
    writer->Write(request);
    request.Clear();
  }
  writer->Write(request);
  writer->WritesDone();
  writer->Finish();
  WaitUntil(std::chrono::minutes(2),
            [&] { return counters.started >= load.agents * load.jobs; });
}

// Lets every agent report in turn, evenly spread over kReportEvery.
void ReportFor(double seconds,
               const std::vector<std::unique_ptr<LoadAgent>>& agents) {
  const auto begin = Clock::now();
  const double gap = Seconds(kReportEvery) / static_cast<double>(agents.size());
  for (uint64_t i = 0;; ++i) {
    const double due = gap * static_cast<double>(i);
    if (due > seconds) return;
    const auto at = begin + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(due));
    if (at - Clock::now() > std::chrono::milliseconds(2)) {
      std::this_thread::sleep_until(at);
    }
    agents[i % agents.size()]->Report();
  }
}

void Measure(const char* name, const std::string& address, const Load& load,
             const ChildProcess& server, bool is_scheduler) {
  WaitUntil(std::chrono::seconds(10), [&] {
    return Connect(address)->WaitForConnected(std::chrono::system_clock::now() +
                                              std::chrono::milliseconds(200));
  });
  const double kib_before = server.ResidentKib();
  Counters counters;
  std::vector<std::unique_ptr<LoadAgent>> agents;
  const auto begin = Clock::now();
  const double cpu_begin = server.CpuSeconds();
  for (int i = 0; i < load.agents; ++i) {
    agents.push_back(std::make_unique<LoadAgent>(address, i, &counters));
    // Not more at once than a listening socket's backlog takes.
    WaitUntil(std::chrono::seconds(30),
              [&] { return i - counters.registered < 200; });
  }
  const bool all = WaitUntil(std::chrono::seconds(30), [&] {
    return counters.registered >= load.agents;
  });
  std::printf("%s: %d of %d agents registered in %.1f s, %.1f CPU s%s\n", name,
              counters.registered.load(), load.agents,
              Seconds(Clock::now() - begin), server.CpuSeconds() - cpu_begin,
              all ? "" : " (gave up)");
  if (is_scheduler) SubmitJobs(address, load, counters);
  ReportFor(Seconds(kReportEvery), agents);  // each once, to settle
  std::unique_ptr<Submitter> submitter;
  if (is_scheduler) submitter = std::make_unique<Submitter>(address);
  const uint64_t sent = counters.sent;
  const uint64_t answered = counters.answered;
  const double cpu = server.CpuSeconds();
  const auto from = Clock::now();
  ReportFor(load.seconds, agents);
  const double took = Seconds(Clock::now() - from);
  std::printf(
      "%s: %.0f messages/s in, %.0f leases/s out: %.3f of a core; "
      "%.1f KiB an agent\n",
      name, static_cast<double>(counters.sent - sent) / took,
      static_cast<double>(counters.answered - answered) / took,
      (server.CpuSeconds() - cpu) / took,
      (server.ResidentKib() - kib_before) / load.agents);
  if (submitter != nullptr) {
    const std::vector<double> waits = submitter->Stop();
    if (!waits.empty()) {
      std::printf("%s: %zu submissions meanwhile: p50 %.2f ms, p99 %.2f ms\n",
                  name, waits.size(), 1e3 * waits[waits.size() / 2],
                  1e3 * waits[waits.size() * 99 / 100]);
    }
  }
  std::fflush(stdout);
  for (const auto& agent : agents) agent->Close();
  WaitUntil(std::chrono::seconds(60),
            [&] { return counters.ended >= load.agents; });
}

std::string WriteConfig(const std::string& dir) {
  std::string path = dir + "/cluster.yaml";
  std::ofstream config(path);
  config << "version: 1\nregions: [{name: grid}]\nsites:\n";
  for (int i = 0; i < kSites; ++i) {
    config << "  - {name: site" << i
           << ", region: grid, pools: [{accelerator: gpu, idle_watts: 50, "
              "active_watts: 400}]}\n";
  }
  config << "policy: fcfs\n";
  return path;
}

int Main(const std::string& self, const Load& load) {
  std::string name =
      std::filesystem::temp_directory_path() / "ccsched-agentsXXXXXX";
  const std::string dir = ::mkdtemp(name.data());
  {
    const std::string address = "unix:" + dir + "/bare";
    const ChildProcess bare({self, "--bare", address}, dir + "/bare.log");
    Measure("bare gRPC server", address, load, bare, false);
  }
  {
    const std::string address = "unix:" + dir + "/scheduler";
    const ChildProcess scheduler(
        {CCSCHEDD, "--config", WriteConfig(dir), "--state", dir + "/state",
         "--listen", address},
        dir + "/scheduler.log");
    Measure("ccschedd", address, load, scheduler, true);
  }
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--bare") {
    return ccsched::RunBareServer(argv[2]);
  }
  ccsched::Load load;
  if (argc > 1) load.agents = std::atoi(argv[1]);
  if (argc > 2) load.seconds = std::atof(argv[2]);
  if (argc > 3) load.jobs = std::atoi(argv[3]);
  if (load.agents < 1 || load.seconds <= 0 || load.jobs < 0) {
    std::fprintf(stderr,
                 "usage: ccsched-bench-agents [AGENTS [SECONDS [JOBS]]]\n");
    return 2;
  }
  return ccsched::Main(std::filesystem::read_symlink("/proc/self/exe"), load);
}
