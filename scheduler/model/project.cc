// What is agreed with a project: its share of scarce capacity, its budget.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/project.h"

#include "absl/time/civil_time.h"

namespace ccsched {
namespace {

absl::CivilDay FirstDay(BudgetPeriod period, absl::Time t) {
  const absl::CivilDay day = absl::ToCivilDay(t, absl::UTCTimeZone());
  switch (period) {
    case BudgetPeriod::kDay:
      return day;
    case BudgetPeriod::kWeek:
      return absl::PrevWeekday(day + 1, absl::Weekday::monday);
    case BudgetPeriod::kMonth:
      return absl::CivilDay(absl::CivilMonth(day));
    case BudgetPeriod::kYear:
      return absl::CivilDay(absl::CivilYear(day));
  }
  return day;
}

absl::CivilDay NextFirstDay(BudgetPeriod period, absl::Time t) {
  const absl::CivilDay first = FirstDay(period, t);
  switch (period) {
    case BudgetPeriod::kDay:
      return first + 1;
    case BudgetPeriod::kWeek:
      return first + 7;
    case BudgetPeriod::kMonth:
      return absl::CivilDay(absl::CivilMonth(first) + 1);
    case BudgetPeriod::kYear:
      return absl::CivilDay(absl::CivilYear(first) + 1);
  }
  return first + 1;
}

}  // namespace

absl::Time PeriodStart(BudgetPeriod period, absl::Time t) {
  return absl::FromCivil(FirstDay(period, t), absl::UTCTimeZone());
}

absl::Time PeriodEnd(BudgetPeriod period, absl::Time t) {
  return absl::FromCivil(NextFirstDay(period, t), absl::UTCTimeZone());
}

}  // namespace ccsched
