// How many durable, acknowledged submissions a second; beside bare SQLite.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched-bench-submit [SECONDS] [STATE_FOLDER]
//
// One process holds the scheduler, with its ledger on disk, and its clients,
// over a Unix socket: what a machine does with both together.
#include <grpcpp/grpcpp.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/daemon/daemon.h"

namespace ccsched {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kCallers = 64;
constexpr int kChannels = 8;
constexpr int kBulkStreams = 8;
constexpr int kBulkJobs = 100;  // in a message

double Seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

v1::JobSpec Spec() {
  v1::JobSpec spec;
  spec.set_name("train");
  spec.add_command("/usr/bin/python3");
  spec.add_command("train.py");
  spec.add_command("--epochs=10");
  spec.set_accelerators(4);
  spec.set_user("alice");
  spec.set_project("vision");
  return spec;
}

std::unique_ptr<v1::Jobs::Stub> Connect(const std::string& address, int i) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("ccsched.bench.channel", i);  // a connection of its own
  return v1::Jobs::NewStub(grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments));
}

// One caller: as soon as it has an answer, it asks again.
class Caller {
 public:
  Caller(v1::Jobs::Stub* stub, Clock::time_point until)
      : stub_(stub), until_(until) {
    *request_.mutable_job() = Spec();
  }
  void Next() {
    if (Clock::now() >= until_) {
      done_ = true;
      done_.notify_all();
      return;
    }
    context_ = std::make_unique<grpc::ClientContext>();
    asked_ = Clock::now();
    stub_->async()->Submit(context_.get(), &request_, &response_,
                           [this](grpc::Status status) {
                             if (status.ok()) {
                               ++acknowledged;
                               waits.push_back(Seconds(Clock::now() - asked_));
                             } else {
                               ++refused;
                             }
                             Next();
                           });
  }
  void Wait() { done_.wait(false); }

  uint64_t acknowledged = 0, refused = 0;
  std::vector<double> waits;

 private:
  v1::Jobs::Stub* const stub_;
  const Clock::time_point until_;
  v1::SubmitRequest request_;
  v1::SubmitResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
  Clock::time_point asked_;
  std::atomic<bool> done_ = false;
};

double Unary(const std::string& address, double seconds) {
  std::vector<std::unique_ptr<v1::Jobs::Stub>> stubs;
  for (int i = 0; i < kChannels; ++i) stubs.push_back(Connect(address, i));
  const auto begin = Clock::now();
  const auto until = begin + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(seconds));
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(
        std::make_unique<Caller>(stubs[i % kChannels].get(), until));
  }
  for (const auto& caller : callers) caller->Next();
  uint64_t acknowledged = 0, refused = 0;
  std::vector<double> waits;
  for (const auto& caller : callers) {
    caller->Wait();
    acknowledged += caller->acknowledged;
    refused += caller->refused;
    waits.insert(waits.end(), caller->waits.begin(), caller->waits.end());
  }
  const double took = Seconds(Clock::now() - begin);
  std::sort(waits.begin(), waits.end());
  const double rate = static_cast<double>(acknowledged) / took;
  std::printf(
      "unary, %d callers: %.0f durable acks/s (p50 %.2f ms, p99 %.2f "
      "ms, %lu refused)\n",
      kCallers, rate, 1e3 * waits[waits.size() / 2],
      1e3 * waits[waits.size() * 99 / 100],
      static_cast<unsigned long>(refused));
  return rate;
}

double Bulk(const std::string& address, double seconds) {
  std::atomic<uint64_t> accepted = 0;
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (int i = 0; i < kBulkStreams; ++i) {
    threads.emplace_back([&, i] {
      const auto stub = Connect(address, i);
      grpc::ClientContext context;
      v1::SubmitBulkResponse response;
      const auto writer = stub->SubmitBulk(&context, &response);
      v1::SubmitBulkRequest request;
      for (int j = 0; j < kBulkJobs; ++j) *request.add_jobs() = Spec();
      while (Seconds(Clock::now() - begin) < seconds &&
             writer->Write(request)) {
      }
      writer->WritesDone();
      const grpc::Status status = writer->Finish();
      if (!status.ok()) std::printf("%s\n", status.error_message().c_str());
      accepted += response.accepted();
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double rate =
      static_cast<double>(accepted) / Seconds(Clock::now() - begin);
  std::printf("bulk, %d streams of %d jobs a message: %.0f durable acks/s\n",
              kBulkStreams, kBulkJobs, rate);
  return rate;
}

// The disk's own measure: bare rows of the same payload, `batch` a commit.
double BareSqlite(const std::string& file, int batch, double seconds) {
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  for (const char* sql :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "CREATE TABLE jobs(id INTEGER PRIMARY KEY, payload BLOB)"}) {
    sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  }
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO jobs(payload) VALUES(?)", -1, &insert,
                     nullptr);
  const std::string payload = Spec().SerializeAsString();
  const auto begin = Clock::now();
  uint64_t rows = 0;
  while (Seconds(Clock::now() - begin) < seconds) {
    sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
    for (int i = 0; i < batch; ++i, ++rows) {
      sqlite3_bind_blob(insert, 1, payload.data(),
                        static_cast<int>(payload.size()), SQLITE_STATIC);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  const double rate = static_cast<double>(rows) / Seconds(Clock::now() - begin);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  std::printf("bare SQLite, %d rows a commit: %.0f rows/s\n", batch, rate);
  return rate;
}

// Says how many commits there were, how large and how long.
class TimedLedger : public Ledger {
 public:
  explicit TimedLedger(std::unique_ptr<Ledger> ledger)
      : ledger_(std::move(ledger)) {}
  absl::Status Commit(const Batch& batch) override {
    const auto begin = Clock::now();
    absl::Status status = ledger_->Commit(batch);
    took_ += Seconds(Clock::now() - begin);
    ++commits_;
    jobs_ += batch.submissions.size();
    return status;
  }
  absl::StatusOr<Snapshot> Load() override { return ledger_->Load(); }
  absl::StatusOr<std::optional<KeyedJob>> FindKey(
      const std::string& key) override {
    return ledger_->FindKey(key);
  }
  LedgerReader& reader() override { return ledger_->reader(); }

  // Since the last call.
  void Print(double seconds) {
    const double commits = std::max<double>(1, commits_.exchange(0));
    std::printf(
        "  %.0f commits of %.1f jobs, %.2f ms each; %.0f %% of the "
        "time in commits\n",
        commits, jobs_.exchange(0) / commits, 1e3 * took_ / commits,
        100 * took_ / seconds);
    took_ = 0;
  }

 private:
  const std::unique_ptr<Ledger> ledger_;
  std::atomic<uint64_t> commits_ = 0, jobs_ = 0;
  double took_ = 0;  // read between phases, when nothing commits
};

absl::StatusOr<std::unique_ptr<Daemon>> StartDaemon(const std::string& dir,
                                                    TimedLedger** timed) {
  v1::ClusterConfig config;
  config.set_version(1);
  config.add_regions()->set_name("grid");
  v1::SiteConfig& site = *config.add_sites();
  site.set_name("here");
  site.set_region("grid");
  v1::PoolConfig& pool = *site.add_pools();
  pool.set_accelerator("a100");
  pool.set_active_watts(400);
  pool.set_idle_watts(50);
  config.mutable_policy()->set_name("fcfs");
  config.mutable_listen()->set_address("unix:" + dir + "/socket");
  absl::StatusOr<Cluster> cluster = MakeCluster(std::move(config));
  if (!cluster.ok()) return cluster.status();
  DaemonOptions options;
  options.cluster = *std::move(cluster);
  options.state = dir + "/state";
  options.open_ledger = [dir,
                         timed]() -> absl::StatusOr<std::unique_ptr<Ledger>> {
    auto ledger = OpenSqliteLedger(dir + "/state/ledger.db");
    if (!ledger.ok()) return ledger.status();
    auto made = std::make_unique<TimedLedger>(*std::move(ledger));
    *timed = made.get();
    return made;
  };
  return Daemon::Start(std::move(options));
}

int Main(double seconds, const std::string& dir) {
  std::filesystem::create_directories(dir);
  TimedLedger* timed = nullptr;
  auto daemon = StartDaemon(dir, &timed);
  if (!daemon.ok()) {
    std::fprintf(stderr, "%s\n", daemon.status().ToString().c_str());
    return 1;
  }
  const double unary = Unary((*daemon)->address(), seconds);
  timed->Print(seconds);
  const double bulk = Bulk((*daemon)->address(), seconds);
  timed->Print(seconds);
  const absl::Status stopped = (*daemon)->Stop();
  daemon->reset();
  const double bare64 = BareSqlite(dir + "/bare64.db", kCallers, seconds / 2);
  const double bare800 =
      BareSqlite(dir + "/bare800.db", kBulkStreams * kBulkJobs, seconds / 2);
  std::printf("ratio to bare SQLite: unary %.3f, bulk %.3f\n", unary / bare64,
              bulk / bare800);
  return stopped.ok() ? 0 : 1;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  std::string dir = argc > 2 ? argv[2] : "";
  if (dir.empty()) {
    std::string name =
        (std::filesystem::temp_directory_path() / "ccsched-benchXXXXXX");
    dir = ::mkdtemp(name.data());
  }
  const int result = ccsched::Main(seconds, dir);
  if (argc <= 2) std::filesystem::remove_all(dir);
  return result;
}
