// Who may do what, by the certificate that a caller showed.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/access.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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

Access::Roles::Roles(const v1::ListenConfig& config)
    : on(config.operators_size() > 0 || config.agents_size() > 0),
      operators(config.operators().begin(), config.operators().end()),
      agents(config.agents().begin(), config.agents().end()) {}

Access::Access(const v1::ListenConfig& config) { Replace(config); }

void Access::Replace(const v1::ListenConfig& config) {
  auto roles = std::make_shared<const Roles>(config);
  const std::lock_guard lock(mutex_);
  roles_.swap(roles);
}

std::shared_ptr<const Access::Roles> Access::roles() const {
  const std::lock_guard lock(mutex_);
  return roles_;
}

absl::Status Access::MayOperate(std::string_view name) const {
  const auto roles = this->roles();
  if (!roles->on || IsAmong(roles->operators, name)) return absl::OkStatus();
  return Denied(name, "only an operator may do this (listen.operators)");
}

absl::Status Access::MayRunNodes(std::string_view name) const {
  const auto roles = this->roles();
  if (!roles->on || IsAmong(roles->agents, name)) return absl::OkStatus();
  return Denied(name, "only an agent may run a node (listen.agents)");
}

absl::Status Access::MayActFor(std::string_view name,
                               std::string_view user) const {
  const auto roles = this->roles();
  if (!roles->on || IsAmong(roles->operators, name)) return absl::OkStatus();
  // A node's certificate lies on a machine where users' jobs run.
  if (IsAmong(roles->agents, name)) return Denied(name, "an agent has no jobs");
  if (!name.empty() && name == user) return absl::OkStatus();
  return Denied(name, absl::StrCat("only '", ToAbsl(user),
                                   "' or an operator may do this with jobs of "
                                   "'",
                                   ToAbsl(user), "'"));
}

std::string CertificateName(const grpc::CallbackServerContext& context) {
  const auto caller = context.auth_context();
  if (caller == nullptr || !caller->IsPeerAuthenticated()) return "";
  const auto names = caller->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (names.size() != 1) return "";
  return {names[0].data(), names[0].size()};
}

std::string CallerAt(std::string_view peer) {
  const std::string_view kind = peer.substr(0, peer.find(':'));
  if (kind == "unix" || kind == "unix-abstract") return "local";
  if ((kind != "ipv4" && kind != "ipv6") || kind == peer) {
    return std::string(peer);
  }
  std::string_view host = peer.substr(kind.size() + 1);
  host = host.substr(0, host.rfind(':'));
  std::string address = absl::StrReplaceAll(
      ToAbsl(host),
      {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}, {"::ffff:", ""}});
  const bool local = address == "::1" || absl::StartsWith(address, "127.");
  return local ? "local" : address;
}

std::string CallerOf(const grpc::CallbackServerContext& context) {
  std::string name = CertificateName(context);
  return name.empty() ? CallerAt(context.peer()) : name;
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
