// What the energy and the accelerators of each attempt cost, on record.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/costs.h"

#include "scheduler/base/status.h"
#include "scheduler/ledger/rows.h"

namespace ccsched {

absl::Status WriteCosts(SqliteDb& db, const std::vector<CostRow>& rows) {
  Statement& insert = db.Prepare(
      "REPLACE INTO costs (attempt, start, electricity, currency, "
      "accelerators, accelerator_currency) VALUES (?,?,?,?,?,?)");
  for (const CostRow& row : rows) {
    RETURN_IF_ERROR(insert
                        .Bind(PackedId(row.job, row.epoch), row.start,
                              row.electricity_micros, row.currency,
                              row.accelerator_micros, row.accelerator_currency)
                        .Run());
  }
  return absl::OkStatus();
}

}  // namespace ccsched
