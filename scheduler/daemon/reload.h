// What of the configuration may change while the scheduler runs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_RELOAD_H_
#define CCSCHED_SCHEDULER_DAEMON_RELOAD_H_

#include "absl/status/status.h"
#include "scheduler/daemon/node_table.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

// The policy, defaults of jobs, the regions' data and how they are forecast,
// prices, projects' budgets and shares, leases and heartbeats may. Errors:
// FailedPrecondition naming the first thing that may not: regions and sites
// themselves, their PUE and pools, the clock, the listening address, the inbox.
absl::Status CheckReload(const Cluster& current, const Cluster& next);

LeaseTimes LeaseTimesOf(const v1::ClusterConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_RELOAD_H_
