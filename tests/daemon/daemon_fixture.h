// A scheduler in this process, on a Unix socket in a folder of its own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_DAEMON_DAEMON_FIXTURE_H_
#define CCSCHED_TESTS_DAEMON_DAEMON_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/forecasts.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/daemon/daemon.h"
#include "tests/daemon/fake_agent.h"

namespace ccsched {

// Two sites, "here" and "there", each with a pool of "cpu", each on a grid of
// its own; fcfs; leases of one second, so that losing a node takes seconds.
class DaemonTest : public ::testing::Test {
 protected:
  DaemonTest();
  ~DaemonTest() override;

  // The configuration that the next Start uses.
  std::string config;
  DaemonOptions options;

  // Puts `to` in the place of `from` in it.
  void Replace(const std::string& from, const std::string& to);

  void Start();
  // Why the configuration does not start; "" if it does.
  std::string StartError();
  void Stop();
  // Stops a scheduler that is in trouble; returns what it says.
  absl::Status StopInTrouble();
  void Restart() {
    Stop();
    Start();
  }

  std::string address() const { return "unix:" + dir_ + "/s"; }
  const std::string& dir() const { return dir_; }
  Daemon& daemon() { return *daemon_; }

  std::unique_ptr<FakeAgent> Agent(const FakeNode& node);
  // A series of hourly values from an hour on, by default the current one.
  static v1::GridSeries Hourly(const std::string& region,
                               const std::vector<double>& values,
                               absl::Time start = ThisHour());
  static absl::Time ThisHour();
  grpc::Status Push(const v1::GridSeries& series);
  // A job of one accelerator that runs `true`.
  static v1::JobSpec Spec(uint32_t accelerators = 1);
  grpc::Status Submit(const v1::JobSpec& spec, v1::SubmitResponse* response);
  // REQUIRES: it is accepted. Returns its id.
  uint64_t Submit(const v1::JobSpec& spec);
  grpc::Status Preview(const v1::JobSpec& spec, v1::PreviewResponse* response);
  // REQUIRES: it is answered.
  v1::PreviewResponse Preview(const v1::JobSpec& spec);
  v1::Job Get(uint64_t id);
  // The job as soon as it is in this state; after ten seconds, as it is then.
  v1::Job WaitFor(uint64_t id, v1::JobState state);

  std::unique_ptr<v1::Jobs::Stub> jobs;
  std::unique_ptr<v1::Admin::Stub> admin;
  std::unique_ptr<v1::Forecasts::Stub> forecasts;
  std::shared_ptr<grpc::Channel> channel;

 private:
  absl::Status TryStart();

  std::string dir_;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_DAEMON_DAEMON_FIXTURE_H_
