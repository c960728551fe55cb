// Where the scheduler may listen: near by, or anywhere with TLS.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/listen_address.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "scheduler/rpc/access.h"

namespace ccsched {
namespace {

// sun_path holds 108 bytes, with the final zero.
constexpr size_t kSocketPathMax = 107;

absl::Status CheckForm(const std::string& address) {
  const auto wrong = [&](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen address \"", address, "\": ", why));
  };
  if (absl::StartsWith(address, "unix:")) {
    const size_t length = address.size() - 5;
    if (length == 0) return wrong("no path follows \"unix:\"");
    if (length > kSocketPathMax) {
      return wrong("the path of a Unix socket has at most 107 bytes");
    }
    return absl::OkStatus();
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return wrong("give HOST:PORT or unix:PATH");
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) {
    return wrong("the port is a number from 0 to 65535");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsLocalAddress(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const std::string host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  if (!absl::StartsWith(host, "127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

absl::Status CheckListenConfig(const v1::ListenConfig& config) {
  if (absl::Status form = CheckForm(config.address()); !form.ok()) return form;
  const bool certificate = !config.tls_certificate().empty();
  const bool key = !config.tls_key().empty();
  if (certificate != key || (!config.tls_client_ca().empty() && !key)) {
    return absl::InvalidArgumentError(
        "listen: tls_certificate and tls_key must be given together");
  }
  if (key && absl::StartsWith(config.address(), "unix:")) {
    return absl::InvalidArgumentError(
        "listen: a Unix socket takes no TLS; its file's mode guards it");
  }
  if (absl::Status roles = CheckRoles(config); !roles.ok()) return roles;
  if (IsLocalAddress(config.address()) || key) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "listen address \"", config.address(),
      "\" can be reached from other machines, and whoever reaches the "
      "scheduler runs commands on its nodes: configure listen.tls_certificate, "
      "listen.tls_key and listen.tls_client_ca, or listen on 127.0.0.1 or a "
      "Unix socket"));
}

}  // namespace ccsched
