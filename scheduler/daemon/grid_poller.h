// What the regions' providers bring, put into the scheduler's inbox.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_GRID_POLLER_H_
#define CCSCHED_SCHEDULER_DAEMON_GRID_POLLER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"
#include "scheduler/base/clock.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/providers/poller.h"
#include "scheduler/rpc/inbox.h"

namespace ccsched {

// A poller of all providers of the configuration, not started; null if it names
// none. What the ledger has on record is not fetched again. Errors: those of
// MakeProvider, and FailedPrecondition for a clock that runs faster than real
// time: providers know of no other. REQUIRES: `clock` (real time) and `inbox`
// outlive the poller.
absl::StatusOr<std::unique_ptr<Poller>> MakeGridPoller(
    const v1::ClusterConfig& config, const Clock* clock, Ledger& ledger,
    Inbox& inbox);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_GRID_POLLER_H_
