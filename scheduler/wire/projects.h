// Projects as configured: shares and budgets, checked and converted.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_PROJECTS_H_
#define CCSCHED_SCHEDULER_WIRE_PROJECTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/project.h"

namespace ccsched {

// "day", "week", "month", "year".
std::string_view ToString(BudgetPeriod period);

// In their order; symbols are left to the caller. Errors: InvalidArgument,
// "projects[i].field: …", for a missing or repeated name, a share or a budget
// that is not positive, an unknown period or action, an action without a
// budget.
absl::StatusOr<std::vector<ProjectTerms>> ToTerms(
    const google::protobuf::RepeatedPtrField<v1::ProjectConfig>& projects);

// How shares work, if any project has one. Errors: InvalidArgument for a
// half-life that is not positive.
absl::StatusOr<std::optional<FairShareOptions>> ToShares(
    const std::vector<ProjectTerms>& terms, const v1::FairShareConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_PROJECTS_H_
