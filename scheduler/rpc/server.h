// The gRPC server: all services on one address.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_SERVER_H_
#define CCSCHED_SCHEDULER_RPC_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/agent_directory.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/rpc/watch_hub.h"

namespace ccsched {

// What the services work with; all must outlive the server.
struct ServerParts {
  Inbox* inbox = nullptr;
  LedgerReader* reader = nullptr;
  WatchHub* hub = nullptr;
  AgentDirectory* directory = nullptr;
};

// Jobs, Agents, Admin, Forecasts, health checking and reflection.
class Server {
 public:
  // Listens and serves. The address' port may be 0: port() then tells it.
  // Errors: as CheckListenConfig; NotFound naming a TLS file that can't be
  // read; Unavailable if the address can't be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const v1::ListenConfig& config, const ServerParts& parts);
  ~Server();

  int port() const;  // 0 for a Unix socket
  // "127.0.0.1:41234" or "unix:/path": what clients dial.
  const std::string& address() const;
  // From now on the roles of `config` hold; agents that may not run nodes any
  // more are cut off. REQUIRES: CheckRoles(config).
  void SetRoles(const v1::ListenConfig& config);
  // What health checks answer, of every service.
  void SetServing(bool serving);
  // Ends: new calls are refused, running ones have `grace` to finish and are
  // then cancelled. Replies must still come for this to return.
  void Shutdown(absl::Duration grace);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_SERVER_H_
