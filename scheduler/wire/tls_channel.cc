// How clients and agents prove who they are, and know the scheduler: by TLS.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/tls_channel.h"

#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

absl::StatusOr<std::string> ReadPem(const char* what, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in || text.find("-----BEGIN") == std::string::npos) {
    return absl::NotFoundError(
        absl::StrCat(what, ": ", path, " can't be read as a PEM file"));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentialsOf(
    const std::string& address, const TlsFiles& files) {
  if (files.empty() || absl::StartsWith(address, "unix:")) {
    return grpc::InsecureChannelCredentials();
  }
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        "TLS: a certificate and its key must be given together");
  }
  grpc::SslCredentialsOptions options;
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem("TLS CA", files.ca));
  ASSIGN_OR_RETURN(options.pem_cert_chain,
                   ReadPem("TLS certificate", files.certificate));
  ASSIGN_OR_RETURN(options.pem_private_key, ReadPem("TLS key", files.key));
  return grpc::SslCredentials(options);
}

}  // namespace ccsched
