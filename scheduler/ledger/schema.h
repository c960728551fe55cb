// The schema's version in a file, and bringing an older one up to date.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_SCHEMA_H_
#define CCSCHED_SCHEDULER_LEDGER_SCHEMA_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

// Marks a SQLite file as a ledger: "CCSL".
inline constexpr int64_t kLedgerApplicationId = 0x4343534c;

// The steps of schema.sql: SchemaSteps()[n - 1] leads to version n.
const std::vector<std::string_view>& SchemaSteps();
inline int64_t SchemaVersion() {
  return static_cast<int64_t>(SchemaSteps().size());
}

// Makes the tables in an empty file, or migrates an older one, up to version
// `to`, all in one transaction. Errors: FailedPrecondition for a newer file
// and for a database of another program; what SQLite says otherwise.
absl::Status MigrateSchema(SqliteDb& db, int64_t to = SchemaVersion());
// The same refusals, for a file that is only read.
absl::Status CheckSchema(SqliteDb& db);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_SCHEMA_H_
