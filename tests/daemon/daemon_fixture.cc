// A scheduler in this process, on a Unix socket in a folder of its own.
// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/daemon_fixture.h"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr char kConfig[] = R"(version: 1
regions:
  - {name: dirty, residual: 500}
  - {name: clean}
sites:
  - {name: here, region: dirty, pue: 1.5,
     pools: [{accelerator: cpu, idle_watts: 10, active_watts: 100}]}
  - {name: there, region: clean,
     pools: [{accelerator: cpu, idle_watts: 10, active_watts: 100}]}
policy: fcfs
lease: 1s
heartbeat: 200ms
)";

}  // namespace

DaemonTest::DaemonTest() : config(kConfig) {
  std::string name = ::testing::TempDir() + "ccschedXXXXXX";
  dir_ = mkdtemp(name.data());
}

DaemonTest::~DaemonTest() {
  Stop();
  std::filesystem::remove_all(dir_);
}

absl::Status DaemonTest::TryStart() {
  const std::string file = dir_ + "/cluster.yaml";
  std::ofstream(file) << config;
  absl::StatusOr<Cluster> cluster = ReadCluster(file);
  if (!cluster.ok()) return cluster.status();
  DaemonOptions o = options;
  o.cluster = *std::move(cluster);
  o.listen.set_address(address());
  o.config_file = file;
  o.state = dir_ + "/state";
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(std::move(o));
  if (!daemon.ok()) return daemon.status();
  daemon_ = *std::move(daemon);
  return absl::OkStatus();
}

std::string DaemonTest::StartError() {
  const absl::Status status = TryStart();
  Stop();
  return std::string(status.message());
}

void DaemonTest::Start() {
  const absl::Status status = TryStart();
  ASSERT_TRUE(status.ok()) << status;
  // A channel of its own: one that saw the last scheduler go waits a while.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel = grpc::CreateCustomChannel(
      address(), grpc::InsecureChannelCredentials(), arguments);
  jobs = v1::Jobs::NewStub(channel);
  admin = v1::Admin::NewStub(channel);
  forecasts = v1::Forecasts::NewStub(channel);
}

void DaemonTest::Stop() {
  if (daemon_ == nullptr) return;
  const absl::Status stopped = daemon_->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  daemon_.reset();
}

absl::Status DaemonTest::StopInTrouble() {
  const absl::Status stopped = daemon_->Stop();
  daemon_.reset();
  return stopped;
}

std::unique_ptr<FakeAgent> DaemonTest::Agent(const FakeNode& node) {
  auto agent = std::make_unique<FakeAgent>(address(), node);
  EXPECT_TRUE(agent->WaitRegistered().has_value());
  return agent;
}

void DaemonTest::Replace(const std::string& from, const std::string& to) {
  const size_t at = config.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  config.replace(at, from.size(), to);
}

absl::Time DaemonTest::ThisHour() {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) / 3600 * 3600);
}

v1::GridSeries DaemonTest::Hourly(const std::string& region,
                                  const std::vector<double>& values,
                                  absl::Time start) {
  v1::GridSeries series;
  series.set_region(region);
  *series.mutable_start() = ToProto(start);
  *series.mutable_step() = ToProto(absl::Hours(1));
  for (const double value : values) series.add_intensity(value);
  return series;
}

grpc::Status DaemonTest::Push(const v1::GridSeries& series) {
  grpc::ClientContext context;
  v1::PushForecastRequest request;
  *request.mutable_series() = series;
  v1::PushForecastResponse response;
  return forecasts->Push(&context, request, &response);
}

v1::JobSpec DaemonTest::Spec(uint32_t accelerators) {
  v1::JobSpec spec;
  spec.add_command("true");
  spec.set_accelerators(accelerators);
  return spec;
}

grpc::Status DaemonTest::Submit(const v1::JobSpec& spec,
                                v1::SubmitResponse* response) {
  grpc::ClientContext context;
  v1::SubmitRequest request;
  *request.mutable_job() = spec;
  return jobs->Submit(&context, request, response);
}

uint64_t DaemonTest::Submit(const v1::JobSpec& spec) {
  v1::SubmitResponse response;
  const grpc::Status status = Submit(spec, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.job_id();
}

grpc::Status DaemonTest::Preview(const v1::JobSpec& spec,
                                 v1::PreviewResponse* response) {
  grpc::ClientContext context;
  v1::PreviewRequest request;
  *request.mutable_job() = spec;
  return jobs->Preview(&context, request, response);
}

v1::PreviewResponse DaemonTest::Preview(const v1::JobSpec& spec) {
  v1::PreviewResponse response;
  const grpc::Status status = Preview(spec, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::Job DaemonTest::Get(uint64_t id) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job_id(id);
  v1::Job job;
  const grpc::Status status = jobs->Get(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job DaemonTest::WaitFor(uint64_t id, v1::JobState state) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(10));
  v1::WatchJobsRequest request;
  request.add_job_ids(id);
  const auto reader = jobs->Watch(&context, request);
  v1::Job job;
  while (reader->Read(&job)) {
    if (job.state() == state) break;
  }
  context.TryCancel();
  EXPECT_EQ(job.state(), state) << job.ShortDebugString();
  return Get(id);
}

}  // namespace ccsched
