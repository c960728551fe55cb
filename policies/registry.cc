// The list of all policies.
// SPDX-License-Identifier: Apache-2.0
#include "policies/registry.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policies/all.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

template <typename Range>
std::vector<std::string> NamesOf(const Range& range) {
  std::vector<std::string> names;
  names.reserve(range.size());
  for (const auto& entry : range) names.emplace_back(entry.name);
  return names;
}

}  // namespace

absl::Span<const PolicySpec> AllPolicies() {
  // clang-format off
  static const auto* const policies = new std::vector<PolicySpec>{
      // One row a policy, in the order in which people see them.
      FcfsPolicy(),
      EasyBackfillPolicy(),
      LowestCarbonNowPolicy(),
      LowestSlotPolicy(),
      LowestWindowPolicy(),
      CarbonTimePolicy(),
      WaitAwhilePolicy(),
      EcovisorPolicy(),
      CarbonScalerPolicy(),
      CapacityCurvePolicy(),
      ThresholdPolicy(),
      PlannerPolicy(),
  };
  // clang-format on
  return *policies;
}

absl::StatusOr<const PolicySpec*> FindPolicy(std::string_view name) {
  for (const PolicySpec& spec : AllPolicies()) {
    if (spec.name == name) return &spec;
  }
  return absl::NotFoundError(
      absl::StrCat("no policy is called \"", ToAbsl(name), "\"",
                   AmongKnown(name, NamesOf(AllPolicies()))));
}

absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(
    std::string_view name, const PolicyParameters& parameters) {
  ASSIGN_OR_RETURN(const PolicySpec* const spec, FindPolicy(name));
  PolicyParameters all;
  for (const ParameterSpec& p : spec->parameters) {
    all[p.name] = p.default_value;
  }
  for (const auto& [key, value] : parameters) {
    const auto p = std::find_if(
        spec->parameters.begin(), spec->parameters.end(),
        [&key = key](const ParameterSpec& p) { return p.name == key; });
    if (p == spec->parameters.end()) {
      return absl::InvalidArgumentError(
          spec->parameters.empty()
              ? absl::StrCat("policy ", spec->name,
                             " has no parameters, so not \"", key, "\" either")
              : absl::StrCat("policy ", spec->name, " has no parameter \"", key,
                             "\"", AmongKnown(key, NamesOf(spec->parameters))));
    }
    if (!(value >= p->min && value <= p->max)) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter ", key, " of policy ", spec->name, " is ",
                       value, ", not between ", p->min, " and ", p->max,
                       p->unit.empty() ? "" : " ", p->unit));
    }
    all[key] = value;
  }
  return spec->make(all);
}

}  // namespace ccsched
