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

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_COSTS_H_
