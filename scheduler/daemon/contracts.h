// Carbon-free energy under contract, from the configuration.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_CONTRACTS_H_
#define CCSCHED_SCHEDULER_DAEMON_CONTRACTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

// What regions and sites have bought, files read (relative to `config_file`),
// and regions' residual mixes. Errors: InvalidArgument naming region or site
// and the field, those of ReadGridCsv, and a negative amount by its time.
absl::StatusOr<std::vector<ContractRow>> ReadContractConfig(
    const Cluster& cluster, const std::string& config_file);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_CONTRACTS_H_
