// The embedded cluster: a scheduler and its agents in the background.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_DEV_CLUSTER_H_
#define CCSCHED_SCHEDULER_CLI_DEV_CLUSTER_H_

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/cli/client.h"
#include "scheduler/cli/dev_config.h"
#include "scheduler/cli/process.h"

namespace ccsched {

struct DevUpOptions {
  std::string dir;
  std::optional<double> clock_rate;
  std::optional<absl::Time> start;
  std::string config;  // empty: the defaults, or what was kept
  absl::Duration patience = absl::Seconds(30);
};

// What `dir` holds: address, cluster.yaml, grid/, state/, agents/NODE/,
// run/NAME.pid, log/NAME.log and lock.
class DevCluster {
 public:
  // Takes the folder's lock: one `dev` command at a time. Errors:
  // FailedPrecondition if another one has it; Internal.
  static absl::StatusOr<DevCluster> Open(const std::string& dir);
  ~DevCluster();
  DevCluster(DevCluster&& other) noexcept;

  // Starts what does not run yet and waits until all of it answers. What ran
  // already is left alone. Errors: InvalidArgument for a wrong configuration,
  // or one that differs from what the kept state was made with; Internal, with
  // the end of its log, if a process does not come up.
  absl::Status Up(const DevUpOptions& options, std::ostream& progress);

  // Stops agents, then the scheduler. Returns how many processes were stopped.
  int Down(std::ostream& progress);

  std::string address() const;
  const std::vector<DevNode>& nodes() const { return nodes_; }
  const std::string& dir() const { return dir_; }

 private:
  explicit DevCluster(std::string dir, int lock)
      : dir_(std::move(dir)), lock_(lock) {}
  absl::Status Prepare(const DevUpOptions& options);
  absl::Status ChooseAddress();
  absl::Status StartScheduler(const DevUpOptions& options);
  absl::Status StartAgents(const DevUpOptions& options);
  absl::Status Start(const std::string& name,
                     const std::vector<std::string>& command);
  // Whether a process that is to come up has ended instead.
  absl::Status CheckRuns(const std::string& name);
  absl::Status Died(const std::string& name) const;
  std::string Pid(const std::string& name) const;
  std::string Log(const std::string& name) const;

  std::string dir_;
  int lock_;
  std::string address_;
  std::vector<DevNode> nodes_;
  std::map<std::string, ProcessKey> started_;  // by us
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_DEV_CLUSTER_H_
