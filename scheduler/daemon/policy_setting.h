// The policy in force: as configured, or as an operator has set it since.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_POLICY_SETTING_H_
#define CCSCHED_SCHEDULER_DAEMON_POLICY_SETTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"
#include "policies/policy.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Errors: InvalidArgument naming the parameter whose value is no number.
absl::StatusOr<PolicyParameters> ParseParameters(
    const google::protobuf::Map<std::string, std::string>& parameters);

// Whether the configuration's policy can be made. Errors: InvalidArgument
// naming its line, and the policy, parameter or value that is wrong.
absl::Status CheckPolicyConfig(const Cluster& cluster);

bool SamePolicy(const v1::PolicyConfig& a, const v1::PolicyConfig& b);

// What to record of a policy that was set while `configured` was the
// configuration's.
Settings PolicySettings(const v1::PolicyConfig& set,
                        const v1::PolicyConfig& configured);

// The policy to start with: the one that was set, unless the configuration's
// has changed since; then the configuration's.
v1::PolicyConfig PolicyInForce(const Settings& recorded,
                               const v1::PolicyConfig& configured);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_POLICY_SETTING_H_
