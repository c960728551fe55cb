// A connection to the scheduler by gRPC.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_GRPC_LINK_H_
#define CCSCHED_AGENT_GRPC_LINK_H_

#include <string>

#include "agent/event_loop.h"
#include "agent/scheduler_link.h"
#include "scheduler/wire/tls_channel.h"

namespace ccsched {

// Connects to `address`, "host:port" or "unix:/path". The TLS files are read
// again at each dial, so that renewed certificates are taken up; while they
// can't be read, those of the last dial serve. Errors: as ChannelCredentialsOf.
// REQUIRES: `loop` outlives the links.
absl::StatusOr<Dial> GrpcDial(EventLoop& loop, std::string address,
                              TlsFiles tls);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_GRPC_LINK_H_
