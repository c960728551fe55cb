// Where the scheduler may listen: near by, or anywhere with TLS.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_LISTEN_ADDRESS_H_
#define CCSCHED_SCHEDULER_RPC_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

inline constexpr char kDefaultListenAddress[] = "127.0.0.1:7390";

// Whether only processes of this machine can reach the address: a Unix socket,
// 127.0.0.0/8, [::1] or localhost.
bool IsLocalAddress(const std::string& address);

// Checks the address and that it is local or TLS is configured whole.
// Errors: InvalidArgument for what is no address, half a TLS configuration or
// roles that nobody could have (CheckRoles);
// FailedPrecondition for another machine's reach without TLS.
absl::Status CheckListenConfig(const v1::ListenConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_LISTEN_ADDRESS_H_
