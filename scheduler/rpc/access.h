// Who may do what, by the certificate that a caller showed.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_ACCESS_H_
#define CCSCHED_SCHEDULER_RPC_ACCESS_H_

#include <grpcpp/support/server_callback.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

// Callers are known by the common name of their certificate. Where the listen
// configuration names operators and agents, these alone may steer the cluster
// and run nodes, and everybody else is the user of that name, who submits and
// steers own jobs. Where it names none, everybody who is let in may do all.
// Queues, reports and the like are open to all. Thread safe.
class Access {
 public:
  explicit Access(const v1::ListenConfig& config);

  // Each is OK, or PermissionDenied saying who the caller is.
  absl::Status MayOperate(const grpc::CallbackServerContext& context) const {
    return MayOperate(NameOf(context));
  }
  absl::Status MayRunNodes(const grpc::CallbackServerContext& context) const {
    return MayRunNodes(NameOf(context));
  }
  absl::Status MayActFor(const grpc::CallbackServerContext& context,
                         std::string_view user) const {
    return MayActFor(NameOf(context), user);
  }
  // The same of a caller by name.
  absl::Status MayOperate(std::string_view name) const;
  absl::Status MayRunNodes(std::string_view name) const;
  absl::Status MayActFor(std::string_view name, std::string_view user) const;

  bool on() const { return on_; }
  // On the certificate that was checked; empty where there are no roles.
  std::string NameOf(const grpc::CallbackServerContext& context) const;

 private:
  const bool on_;
  const std::vector<std::string> operators_;
  const std::vector<std::string> agents_;  // "node-*" is all that begin so
};

// OK where the roles of the configuration can be told apart: both given, and
// callers' certificates checked.
absl::Status CheckRoles(const v1::ListenConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ACCESS_H_
