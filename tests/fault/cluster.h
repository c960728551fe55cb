// A whole cluster of real binaries in a temporary directory, to be broken.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_CLUSTER_H_
#define CCSCHED_TESTS_FAULT_CLUSTER_H_

#include <ios>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "tests/fault/mangler.h"
#include "tests/fault/process.h"
#include "tests/fault/shim.h"
#include "tests/fault/wire.h"

namespace ccsched::testing {

// Of the cluster's one site: what the ledger is compared with.
inline constexpr double kPue = 1.1;
inline constexpr double kIdleWatts = 40;
inline constexpr double kActiveWatts = 300;

struct ClusterOptions {
  int agents = 3;
  int accelerators = 4;  // of each agent
  std::string lease = "4s";
  std::string heartbeat = "300ms";
  std::string policy = "fcfs";
  std::string clock;  // of the configuration; empty: the real one
  // Each agent in a network namespace of its own, connected by TLS; else over
  // unix sockets, through a Proxy and a Mangler. REQUIRES: NamespacesWork().
  bool namespaces = false;
  uint64_t seed = 1;  // of the manglers
};

// One ccschedd and a few agents, each behind a wire. Every process runs with
// the shim of shim.h.
class TestCluster {
 public:
  explicit TestCluster(ClusterOptions options);
  ~TestCluster();

  // `failpoints`: for CCSCHED_FAILPOINTS (scheduler/base/failpoint.h).
  void StartScheduler(const std::string& failpoints = "");
  void StartAgent(int i, const std::string& failpoints = "");
  // An agent that claims to be `i`, with a copy of its state as it is now.
  Process StartCloneOf(int i);
  // Pids of the supervisors of agent `i`, or of their jobs' first processes.
  std::vector<pid_t> SupervisorsOf(int i) const;
  std::vector<pid_t> JobsOf(int i) const;
  // Waits until the scheduler answers; false if it does not in that time.
  bool WaitUntilServing(absl::Duration patience = absl::Minutes(1));
  // Waits until so many accelerators are usable.
  bool WaitForAccelerators(uint32_t count);

  Process& scheduler() { return scheduler_; }
  Process& agent(int i) { return agents_[i]; }
  Wire& wire(int i) { return *wires_[i]; }
  // Null in namespaces.
  Mangler* mangler(int i) {
    return manglers_.empty() ? nullptr : manglers_[i].get();
  }
  ShimState& scheduler_shim() { return *shims_.back(); }
  ShimState& agent_shim(int i) { return *shims_[i]; }
  int agents() const { return options_.agents; }
  const std::string& dir() const { return dir_; }
  uint32_t accelerators() const { return options_.accelerators; }

  // SIGKILL to a supervisor or a job, as one that is meant.
  void KillMeant(pid_t pid);
  // Which of all processes so far died of a signal that was not meant.
  std::vector<std::string> UnexplainedDeaths();
  // Of those whose agent is dead: to be called now and then.
  void ReapOrphans() { deaths_.ReapOrphans(); }

  // One job that runs `script` by sh; `elastic` is "" or "MIN:MAX", and such a
  // job may be suspended, too. Errors: the client's; the job may then be known
  // or not, and the same key tells.
  absl::StatusOr<uint64_t> Submit(const std::string& script,
                                  const std::string& key,
                                  uint32_t accelerators = 1,
                                  const std::string& elastic = "");
  absl::StatusOr<v1::Job> Get(uint64_t job);
  // What the nodes' meters have said, as the ledger has it: PUE included; of
  // the stretches that began before `to`, if it is given.
  absl::StatusOr<double> MeteredKwh(
      const google::protobuf::Timestamp* to = nullptr);
  absl::StatusOr<google::protobuf::Timestamp> Now();  // by the cluster's clock
  // How many jobs have not ended; nothing if the scheduler does not say.
  std::optional<uint64_t> LiveJobs();
  absl::Status Cancel(uint64_t job);
  absl::Status Resize(uint64_t job, uint32_t accelerators);
  absl::StatusOr<std::vector<v1::NodeStatus>> Nodes();
  // Leaves the folder where it is, for who looks into a failure.
  void KeepFolder() { keep_ = true; }
  // The ends of all logs, for a failure's message.
  std::string Logs() const;

 private:
  void Connect();
  void WriteConfig() const;
  void MakeCertificate() const;
  void MakeShims();
  void MakeWires();
  std::string ShimPath(int i) const;
  std::vector<std::string> AgentCommand(int i, const std::string& state) const;
  std::vector<std::string> Environment(int shim,
                                       const std::string& failpoints) const;
  void ExpectDeaths(const Process& process, const std::string& failpoints);
  void ReadAgentsLogs();

  const ClusterOptions options_;
  DeathBook deaths_;                                 // outlives the processes
  std::map<std::string, std::streamoff> logs_read_;  // how far
  std::string dir_;
  bool keep_ = false;
  std::string socket_;
  int port_ = 0;  // of a scheduler with TLS
  Process scheduler_;
  std::vector<std::unique_ptr<Mangler>> manglers_;
  std::vector<std::unique_ptr<Wire>> wires_;
  std::vector<ShimState*> shims_;  // of the agents, then the scheduler; mapped
  std::vector<Process> agents_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Jobs::Stub> jobs_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_CLUSTER_H_
