// What is agreed with a project: its share of scarce capacity, its budget.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_PROJECT_H_
#define CCSCHED_SCHEDULER_MODEL_PROJECT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"

namespace ccsched {

// Of the UTC calendar; weeks begin on Monday.
enum class BudgetPeriod : uint8_t { kDay, kWeek, kMonth, kYear };
// The period that holds `t`, half-open.
absl::Time PeriodStart(BudgetPeriod period, absl::Time t);
absl::Time PeriodEnd(BudgetPeriod period, absl::Time t);

// How much a project's jobs may emit in each period.
struct CarbonBudget {
  GramsCo2e limit;
  BudgetPeriod period = BudgetPeriod::kMonth;
  bool hold = false;  // jobs beyond it are held; else only warned of
};

struct ProjectTerms {
  std::string name;
  Symbol symbol;  // of the name
  std::optional<double> share;
  std::optional<CarbonBudget> budget;
  // What is on record when this is agreed: emissions in the current period, and
  // accelerator-seconds charged to its share.
  GramsCo2e used;
  double charged = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_PROJECT_H_
