// Who may do what, by the certificate that a caller showed.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/access.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

bool Matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty() || pattern.back() != '*') return pattern == name;
  pattern.remove_suffix(1);
  return name.substr(0, pattern.size()) == pattern;
}

bool IsAmong(const std::vector<std::string>& patterns, std::string_view name) {
  return !name.empty() &&
         std::any_of(patterns.begin(), patterns.end(),
                     [name](const auto& p) { return Matches(p, name); });
}

absl::Status Denied(std::string_view name, const std::string& what) {
  return absl::PermissionDeniedError(
      name.empty() ? absl::StrCat("your certificate has no common name: ", what)
                   : absl::StrCat("you are '", ToAbsl(name),
                                  "' by your certificate: ", what));
}

}  // namespace

Access::Access(const v1::ListenConfig& config)
    : on_(config.operators_size() > 0 || config.agents_size() > 0),
      operators_(config.operators().begin(), config.operators().end()),
      agents_(config.agents().begin(), config.agents().end()) {}

std::string Access::NameOf(const grpc::CallbackServerContext& context) const {
  if (!on_) return "";  // it is looked at for each submission
  const auto caller = context.auth_context();
  if (caller == nullptr || !caller->IsPeerAuthenticated()) return "";
  const auto names = caller->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (names.size() != 1) return "";
  return {names[0].data(), names[0].size()};
}

absl::Status Access::MayOperate(std::string_view name) const {
  if (!on_ || IsAmong(operators_, name)) return absl::OkStatus();
  return Denied(name, "only an operator may do this (listen.operators)");
}

absl::Status Access::MayRunNodes(std::string_view name) const {
  if (!on_ || IsAmong(agents_, name)) return absl::OkStatus();
  return Denied(name, "only an agent may run a node (listen.agents)");
}

absl::Status Access::MayActFor(std::string_view name,
                               std::string_view user) const {
  if (!on_ || IsAmong(operators_, name)) return absl::OkStatus();
  // A node's certificate lies on a machine where users' jobs run.
  if (IsAmong(agents_, name)) return Denied(name, "an agent has no jobs");
  if (!name.empty() && name == user) return absl::OkStatus();
  return Denied(name, absl::StrCat("only '", ToAbsl(user),
                                   "' or an operator may do this with jobs of "
                                   "'",
                                   ToAbsl(user), "'"));
}

absl::Status CheckRoles(const v1::ListenConfig& config) {
  if (config.operators_size() == 0 && config.agents_size() == 0) {
    return absl::OkStatus();
  }
  if (config.operators_size() == 0 || config.agents_size() == 0) {
    return absl::InvalidArgumentError(
        "listen: operators and agents must be given together: whoever is "
        "neither is a user");
  }
  if (config.tls_client_ca().empty()) {
    return absl::InvalidArgumentError(
        "listen: operators and agents are known by their certificates: "
        "tls_client_ca says who signs them");
  }
  for (const auto* const names : {&config.operators(), &config.agents()}) {
    for (const std::string& name : *names) {
      if (!name.empty() && name != "*") continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "listen: operators and agents: \"", name, "\" names nobody apart"));
    }
  }
  return absl::OkStatus();
}

}  // namespace ccsched
