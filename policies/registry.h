// The list of all policies.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_REGISTRY_H_
#define CCSCHED_POLICIES_REGISTRY_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "policies/policy.h"

namespace ccsched {

// All policies, in the order in which they are listed to people.
absl::Span<const PolicySpec> AllPolicies();

// Errors: NotFound naming the nearest name, if there is no such policy.
absl::StatusOr<const PolicySpec*> FindPolicy(std::string_view name);

// Makes a policy; parameters not given have their defaults.
// Errors: NotFound; InvalidArgument naming a parameter that the policy does
// not have or whose value is out of range.
absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(
    std::string_view name, const PolicyParameters& parameters);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_REGISTRY_H_
