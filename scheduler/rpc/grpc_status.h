// Abseil's statuses as gRPC's; the codes are the same numbers.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_GRPC_STATUS_H_
#define CCSCHED_SCHEDULER_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace ccsched {

inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message())};
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_GRPC_STATUS_H_
