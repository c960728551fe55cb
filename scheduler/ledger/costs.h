// What the energy and the accelerators of each attempt cost, on record.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_COSTS_H_
#define CCSCHED_SCHEDULER_LEDGER_COSTS_H_

#include <vector>

#include "absl/status/status.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

// A row takes the place of an earlier one of its attempt and start.
absl::Status WriteCosts(SqliteDb& db, const std::vector<CostRow>& rows);

// Adds to each record of a report what its part of the energy cost. Rows of
// emissions that were superseded take their cost with them.
absl::Status AddCosts(SqliteDb& db, const ReportFilter& filter,
                      std::vector<ReportRecord>& records);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_COSTS_H_
