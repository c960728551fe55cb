// The policy in force: as configured, or as an operator has set it since.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/policy_setting.h"

#include <cmath>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "policies/registry.h"

namespace ccsched {
namespace {

constexpr char kSet[] = "policy.set";
constexpr char kConfigured[] = "policy.configured";

std::map<std::string, std::string> Sorted(const v1::PolicyConfig& policy) {
  return {policy.parameters().begin(), policy.parameters().end()};
}

}  // namespace

absl::StatusOr<PolicyParameters> ParseParameters(
    const google::protobuf::Map<std::string, std::string>& parameters) {
  PolicyParameters out;
  for (const auto& [name, text] : parameters) {
    double value = 0;
    if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "policy parameter ", name, ": \"", text, "\" is no number"));
    }
    out[name] = value;
  }
  return out;
}

absl::Status CheckPolicyConfig(const Cluster& cluster) {
  const v1::PolicyConfig& policy = cluster.config.policy();
  absl::StatusOr<PolicyParameters> parameters =
      ParseParameters(policy.parameters());
  const absl::Status status =
      parameters.ok() ? MakePolicy(policy.name(), *parameters).status()
                      : parameters.status();
  if (status.ok()) return absl::OkStatus();
  const bool named = FindPolicy(policy.name()).ok();
  return absl::InvalidArgumentError(absl::StrCat(
      cluster.source.At(named ? "policy.parameters" : "policy.name"), ": ",
      status.message()));
}

bool SamePolicy(const v1::PolicyConfig& a, const v1::PolicyConfig& b) {
  return a.name() == b.name() && Sorted(a) == Sorted(b);
}

Settings PolicySettings(const v1::PolicyConfig& set,
                        const v1::PolicyConfig& configured) {
  return {{kSet, set.SerializeAsString()},
          {kConfigured, configured.SerializeAsString()}};
}

v1::PolicyConfig PolicyInForce(const Settings& recorded,
                               const v1::PolicyConfig& configured) {
  v1::PolicyConfig set, then;
  bool found = false;
  for (const auto& [name, value] : recorded) {
    if (name == kSet) found = set.ParseFromString(value);
    if (name == kConfigured) then.ParseFromString(value);
  }
  return found && SamePolicy(then, configured) ? set : configured;
}

}  // namespace ccsched
