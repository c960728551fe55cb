// Who may do what, by the certificate that a caller showed.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_ACCESS_H_
#define CCSCHED_SCHEDULER_RPC_ACCESS_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

// The common name on the caller's certificate, if it was checked; else empty.
std::string CertificateName(const grpc::CallbackServerContext& context);

// Callers are known by the common name of their certificate. Where the listen
// configuration names operators and agents, these alone may steer the cluster
// and run nodes, and everybody else is the user of that name, who submits and
// steers own jobs. Where it names none, everybody who is let in may do all.
// Queues, reports and the like are open to all. Thread safe.
class Access {
 public:
  explicit Access(const v1::ListenConfig& config);

  // From now on these roles hold. REQUIRES: CheckRoles(config).
  void Replace(const v1::ListenConfig& config);

  // Each is OK, or PermissionDenied saying who the caller is. By a context the
  // caller's name is looked up only where there are roles: once a submission.
  absl::Status MayOperate(const grpc::CallbackServerContext& context) const {
    return on() ? MayOperate(CertificateName(context)) : absl::OkStatus();
  }
  absl::Status MayActFor(const grpc::CallbackServerContext& context,
                         std::string_view user) const {
    return on() ? MayActFor(CertificateName(context), user) : absl::OkStatus();
  }
  // The same of a caller by name.
  absl::Status MayOperate(std::string_view name) const;
  absl::Status MayRunNodes(std::string_view name) const;
  absl::Status MayActFor(std::string_view name, std::string_view user) const;

  // Whether there are roles.
  bool on() const { return roles()->on; }

 private:
  struct Roles {
    explicit Roles(const v1::ListenConfig& config);
    bool on;
    std::vector<std::string> operators;
    std::vector<std::string> agents;  // "node-*" is all that begin so
  };
  std::shared_ptr<const Roles> roles() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Roles> roles_;
};

// Who calls, for the audit trail: by the certificate if there is one, else
// "local" from this machine, else the address.
std::string CallerOf(const grpc::CallbackServerContext& context);
// The same of a peer without a certificate, as gRPC names it.
std::string CallerAt(std::string_view peer);

// OK where the roles of the configuration can be told apart: both given, and
// callers' certificates checked.
absl::Status CheckRoles(const v1::ListenConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ACCESS_H_
