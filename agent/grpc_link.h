// A connection to the scheduler by gRPC.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_GRPC_LINK_H_
#define CCSCHED_AGENT_GRPC_LINK_H_

#include <string>

#include "agent/event_loop.h"
#include "agent/scheduler_link.h"

namespace ccsched {

// Connects to `address`, "host:port" or "unix:/path", in clear: a scheduler
// takes that from its own machine only. REQUIRES: `loop` outlives the links.
Dial GrpcDial(EventLoop& loop, std::string address);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_GRPC_LINK_H_
