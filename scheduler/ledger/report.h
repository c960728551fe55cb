// Sums the ledger's energy and emissions by user, site, month and so on.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_REPORT_H_
#define CCSCHED_SCHEDULER_LEDGER_REPORT_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
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
absl::StatusOr<std::vector<ReportRecord>> MakeReport(
    SqliteDb& db, const ReportFilter& filter);

// The nodes' energy that is no job's; see LedgerReader::Unallocated.
absl::StatusOr<std::vector<ReportRecord>> MakeUnallocatedReport(
    SqliteDb& db, const ReportFilter& filter);

std::string MonthOf(absl::Time t);  // "2026-11", UTC

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_REPORT_H_
