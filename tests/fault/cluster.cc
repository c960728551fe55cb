// A whole cluster of real binaries in a temporary directory.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/cluster.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<grpc::ClientContext> Context(absl::Duration patience) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + patience));
  return context;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

std::string TailOf(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  return text.size() < 4000 ? text : text.substr(text.size() - 4000);
}

}  // namespace

TestCluster::TestCluster(ClusterOptions options) : options_(options) {
  std::string pattern = (fs::temp_directory_path() / "ccsched-fault-XXXXXX");
  dir_ = mkdtemp(pattern.data());
  socket_ = dir_ + "/s.sock";
  fs::create_directory(dir_ + "/jobs");
  WriteConfig();
  agents_.resize(options_.agents);
  StartScheduler();
  WaitUntilServing();
  for (int i = 0; i < options_.agents; ++i) {
    wires_.push_back(
        std::make_unique<Proxy>(absl::StrCat(dir_, "/a", i, ".sock"), socket_));
    StartAgent(i);
  }
}

TestCluster::~TestCluster() {
  for (Process& agent : agents_) {
    agent.Signal(SIGCONT);
    agent.Kill();
  }
  scheduler_.Signal(SIGCONT);
  scheduler_.Kill();
  wires_.clear();
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

void TestCluster::WriteConfig() const {
  std::ofstream out(dir_ + "/cluster.yaml");
  out << "version: 1\nlisten: {address: \"unix:" << socket_ << "\"}\n"
      << "regions: [{name: GRID, forecast: push}]\n"
      << "sites:\n  - {name: here, region: GRID, pue: 1.1, pools: "
         "[{accelerator: v100, idle_watts: 40, active_watts: 300}]}\n"
      << "policy: {name: " << options_.policy << "}\n"
      << "lease: " << options_.lease << "\nheartbeat: " << options_.heartbeat
      << "\n";
}

void TestCluster::StartScheduler() {
  scheduler_ = Process::Start({CCSCHEDD, "--config", dir_ + "/cluster.yaml",
                               "--state", dir_ + "/state"},
                              dir_ + "/ccschedd.log");
}

void TestCluster::StartAgent(int i) {
  const std::string name = absl::StrCat("node", i);
  agents_[i] = Process::Start(
      {CCSCHED_AGENT, "--scheduler",
       absl::StrCat("unix:", dir_, "/a", i, ".sock"), "--node", name, "--site",
       "here", "--accelerator", "v100", "--count",
       absl::StrCat(options_.accelerators), "--state", dir_ + "/" + name},
      dir_ + "/" + name + ".log");
}

void TestCluster::Connect() {
  // A channel that has failed waits for seconds before it tries again: here
  // each new scheduler gets a new one.
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ = grpc::CreateCustomChannel(
      "unix:" + socket_, grpc::InsecureChannelCredentials(), args);
  jobs_ = v1::Jobs::NewStub(channel_);
  admin_ = v1::Admin::NewStub(channel_);
}

bool TestCluster::WaitUntilServing() {
  return Eventually(absl::Minutes(1), [this] {
    Connect();
    v1::StatusResponse response;
    return admin_->Status(Context(absl::Seconds(2)).get(), {}, &response).ok();
  });
}

bool TestCluster::WaitForAccelerators(uint32_t count) {
  return Eventually(absl::Minutes(1), [this, count] {
    v1::SitesResponse response;
    if (!admin_->Sites(Context(absl::Seconds(2)).get(), {}, &response).ok()) {
      return false;
    }
    uint32_t total = 0;
    for (const auto& site : response.sites()) {
      for (const auto& pool : site.pools()) total += pool.total();
    }
    return total >= count;
  });
}

absl::StatusOr<uint64_t> TestCluster::Submit(const std::string& script,
                                             const std::string& key,
                                             uint32_t accelerators) {
  v1::SubmitRequest request;
  v1::JobSpec& job = *request.mutable_job();
  job.set_name(key);
  job.set_key(key);
  job.set_accelerators(accelerators);
  for (const char* arg : {"/bin/sh", "-c", script.c_str()}) {
    job.add_command(arg);
  }
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(
      Context(absl::Milliseconds(1500)).get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response.job_id();
}

absl::StatusOr<v1::Job> TestCluster::Get(uint64_t job) {
  v1::GetJobRequest request;
  request.set_job_id(job);
  v1::Job response;
  const grpc::Status status =
      jobs_->Get(Context(absl::Milliseconds(1500)).get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::Status TestCluster::Cancel(uint64_t job) {
  v1::JobActionRequest request;
  request.add_job_ids(job);
  v1::JobActionResponse response;
  return FromGrpc(
      jobs_->Cancel(Context(absl::Seconds(5)).get(), request, &response));
}

absl::StatusOr<std::vector<v1::NodeStatus>> TestCluster::Nodes() {
  v1::NodesResponse response;
  const grpc::Status status =
      admin_->Nodes(Context(absl::Seconds(5)).get(), {}, &response);
  if (!status.ok()) return FromGrpc(status);
  return std::vector<v1::NodeStatus>(response.nodes().begin(),
                                     response.nodes().end());
}

std::string TestCluster::Logs() const {
  std::string logs;
  for (const auto& entry : fs::directory_iterator(dir_)) {
    if (entry.path().extension() != ".log") continue;
    absl::StrAppend(&logs, "--- ", entry.path().filename().string(), "\n",
                    TailOf(entry.path()));
  }
  return logs;
}

}  // namespace ccsched::testing
