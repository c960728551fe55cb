// The Agents service: one stream a node.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_

#include "ccsched/v1/agents.grpc.pb.h"
#include "scheduler/rpc/agent_session.h"

namespace ccsched {

// Thread safe. What it is given must outlive the server.
class AgentsService : public v1::Agents::CallbackService {
 public:
  AgentsService(Inbox* inbox, AgentDirectory* directory)
      : inbox_(inbox), directory_(directory) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::SchedulerMessage>* Connect(
      grpc::CallbackServerContext* /*context*/) override {
    return AgentSession::Begin(inbox_, directory_);
  }

 private:
  Inbox* const inbox_;
  AgentDirectory* const directory_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_
