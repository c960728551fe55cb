// Which agent serves which node now, and who reads logs through it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_AGENT_DIRECTORY_H_
#define CCSCHED_SCHEDULER_RPC_AGENT_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/rpc/agent_link.h"
#include "scheduler/rpc/log_relay.h"

namespace ccsched {

// Thread safe. The driver says who serves; services and sessions route.
class AgentDirectory {
 public:
  void Set(const std::string& node, std::shared_ptr<AgentLink> link);
  // Forgets the link if it still serves; fails the log requests through it.
  void Remove(const std::string& node, const AgentLink* link);

  // Ends the streams of agents that may not run nodes any more, each with what
  // `may_run` says of its certificate's name.
  void CloseRefused(
      const std::function<absl::Status(const std::string& name)>& may_run);
  // Ends all streams: the scheduler stops.
  void CloseAll(const absl::Status& why);

  // Asks the node's agent for an attempt's output. Returns the request's
  // number. Errors: Aborted if no agent serves the node now.
  absl::StatusOr<uint64_t> OpenLog(const std::string& node,
                                   const v1::AttemptKey& key, bool follow,
                                   std::shared_ptr<LogSink> sink);
  // Tells the agent to stop sending.
  void CloseLog(uint64_t request);
  // Hands on what came; data of unknown requests are dropped. Returns whether
  // the session may read on; if not, `resume` will be called.
  bool Route(v1::LogData data, std::function<void()> resume);
  // Cuts off readers that have let their node's stream wait since `then`: the
  // node's other messages wait behind them.
  void CutStalled(RealTime then);

 private:
  struct Request {
    std::shared_ptr<AgentLink> link;
    std::shared_ptr<LogSink> sink;
    v1::AttemptKey key;
  };

  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<AgentLink>> links_;
  absl::flat_hash_map<uint64_t, Request> requests_;
  uint64_t next_request_ = 1;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AGENT_DIRECTORY_H_
