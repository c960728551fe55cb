// A whole cluster of real binaries in a temporary directory, to be broken.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_CLUSTER_H_
#define CCSCHED_TESTS_FAULT_CLUSTER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "tests/fault/process.h"
#include "tests/fault/proxy.h"

namespace ccsched::testing {

struct ClusterOptions {
  int agents = 3;
  int accelerators = 4;  // of each agent
  std::string lease = "4s";
  std::string heartbeat = "300ms";
  std::string policy = "fcfs";
};

// One ccschedd and a few agents, each behind a Proxy, over unix sockets.
class TestCluster {
 public:
  explicit TestCluster(ClusterOptions options);
  ~TestCluster();

  void StartScheduler();
  void StartAgent(int i);
  // Waits until the scheduler answers; false if it does not within a minute.
  bool WaitUntilServing();
  // Waits until so many accelerators are usable.
  bool WaitForAccelerators(uint32_t count);

  Process& scheduler() { return scheduler_; }
  Process& agent(int i) { return agents_[i]; }
  Proxy& wire(int i) { return *wires_[i]; }
  int agents() const { return options_.agents; }
  const std::string& dir() const { return dir_; }

  // One job that runs `script` by sh. Errors: the client's; the job may then
  // be known or not, and the same key tells.
  absl::StatusOr<uint64_t> Submit(const std::string& script,
                                  const std::string& key,
                                  uint32_t accelerators = 1);
  absl::StatusOr<v1::Job> Get(uint64_t job);
  absl::Status Cancel(uint64_t job);
  absl::StatusOr<std::vector<v1::NodeStatus>> Nodes();
  // The ends of all logs, for a failure's message.
  std::string Logs() const;

 private:
  void Connect();
  void WriteConfig() const;

  const ClusterOptions options_;
  std::string dir_;
  std::string socket_;
  Process scheduler_;
  std::vector<std::unique_ptr<Proxy>> wires_;
  std::vector<Process> agents_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Jobs::Stub> jobs_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_CLUSTER_H_
