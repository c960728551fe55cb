// Rows of energy put on the grid data that are known now.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_RESTATE_H_
#define CCSCHED_SCHEDULER_DAEMON_RESTATE_H_

#include <cstdint>

#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/grid_record.h"
#include "scheduler/ledger/ledger.h"

namespace ccsched {

int64_t ToMilligrams(GramsCo2e grams);

// Puts the row on the actual values of its hours, and on their carbon-free
// share and marginal intensity. Returns whether anything of it has changed;
// false, and the row as it was, where not all of its hours are actual: a row
// never goes back to a forecast.
bool Restate(const GridRecord& record, RegionId region, EmissionRow& row);
bool Restate(const GridRecord& record, RegionId region, NodeEnergyRow& row);

// Of a row that is new: the same where its intensity was not actual, and its
// other signals in any case.
void PutOnSignals(const GridRecord& record, RegionId region, EmissionRow& row);
void PutOnSignals(const GridRecord& record, RegionId region,
                  NodeEnergyRow& row);

// What the baseline's energy would have emitted, as far as that is known now.
// Returns whether that has changed.
bool Rebase(const GridRecord& record, RegionId region, BaselineRow& row);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_RESTATE_H_
