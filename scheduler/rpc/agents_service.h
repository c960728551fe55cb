// The Agents service: one stream a node.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_

#include "ccsched/v1/agents.grpc.pb.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/agent_session.h"
#include "scheduler/rpc/unary.h"

namespace ccsched {

// Thread safe. What it is given must outlive the server.
class AgentsService : public v1::Agents::CallbackService {
 public:
  AgentsService(const Access* access, Inbox* inbox, AgentDirectory* directory)
      : access_(access), inbox_(inbox), directory_(directory) {}

  using Stream =
      grpc::ServerBidiReactor<v1::AgentMessage, v1::SchedulerMessage>;

  Stream* Connect(grpc::CallbackServerContext* context) override {
    const std::string name = CertificateName(*context);
    const absl::Status allowed = access_->MayRunNodes(name);
    if (!allowed.ok()) return RefusedStream<Stream>::Begin(allowed);
    return AgentSession::Begin(inbox_, directory_, name);
  }

 private:
  const Access* const access_;
  Inbox* const inbox_;
  AgentDirectory* const directory_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AGENTS_SERVICE_H_
