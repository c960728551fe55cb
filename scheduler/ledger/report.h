// Sums the ledger's energy and emissions by user, site, month and so on.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_REPORT_H_
#define CCSCHED_SCHEDULER_LEDGER_REPORT_H_

#include <cmath>
#include <cstdint>

#include "absl/status/statusor.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

// Joules drawn by the site for `joules` at its accelerators. Rounded for each
// row, so that every way of grouping adds up to the same total.
inline int64_t WithPue(int64_t joules, double pue) {
  return std::llround(static_cast<double>(joules) * pue);
}

// Reads attempts and emissions once, side by side in the order of their jobs;
// memory is of the size of the answer. The records come in order of their key.
absl::StatusOr<LedgerReport> MakeReport(SqliteDb& db,
                                        const ReportFilter& filter);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_REPORT_H_
