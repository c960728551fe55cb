// How clients and agents prove who they are, and know the scheduler: by TLS.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_TLS_CHANNEL_H_
#define CCSCHED_SCHEDULER_WIRE_TLS_CHANNEL_H_

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ccsched {

// PEM files. All empty: in clear, which a scheduler takes from its own machine
// only.
struct TlsFiles {
  std::string ca;           // who signed the scheduler's certificate
  std::string certificate;  // our own, where the scheduler asks for one
  std::string key;

  bool empty() const {
    return ca.empty() && certificate.empty() && key.empty();
  }
};

// Reads the files, but for a Unix socket, which takes no TLS. Errors: NotFound
// naming a file that can't be read; InvalidArgument if one of certificate and
// key is missing.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentialsOf(
    const std::string& address, const TlsFiles& files);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_TLS_CHANNEL_H_
