// The whole scheduler as one object: ledger, driver, server, and their order.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(auto daemon, Daemon::Start({.cluster = cluster, …}));
//   … daemon->address() …
//   daemon->Stop();
#ifndef CCSCHED_SCHEDULER_DAEMON_DAEMON_H_
#define CCSCHED_SCHEDULER_DAEMON_DAEMON_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

struct DaemonOptions {
  Cluster cluster;
  v1::ListenConfig listen;  // instead of the configuration's, if it is set
  std::string config_file;  // read again by Reload
  std::string state;        // folder; made if it is not there
  std::optional<absl::Time> real_origin;
  // Opens the ledger; OpenSqliteLedger of state/ledger.db if absent. Tests
  // wrap it to inject faults.
  std::function<absl::StatusOr<std::unique_ptr<Ledger>>()> open_ledger;
  // Called once, on the driver's thread, if it ends by itself.
  std::function<void()> on_failure;
};

class Daemon {
 public:
  // Takes up what is recorded, then listens and serves. Errors: those of the
  // ledger, of Driver::Create and of Server::Start.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(DaemonOptions options);
  ~Daemon();  // stops

  const std::string& address() const;  // what clients dial
  int port() const;
  int metrics_port() const;  // 0: metrics are off
  LedgerReader& reader();
  // Reads the configuration again, for `caller`, as the audit trail has it.
  void Reload(std::string caller = "local");
  // Stops cleanly: nothing new is taken, what was taken is recorded and
  // answered; jobs run on. Returns how the driver ended.
  absl::Status Stop();

 private:
  struct State;
  explicit Daemon(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_DAEMON_H_
