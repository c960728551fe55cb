// The embedded cluster's configuration: the defaults, and what it is made of.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_DEV_CONFIG_H_
#define CCSCHED_SCHEDULER_CLI_DEV_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

// An agent that the embedded cluster runs.
struct DevNode {
  std::string name, site, accelerator;
  uint32_t count = 0;
};

// Three sites on three synthetic grids, whose CSV files are written to
// `dir`/grid and cover 400 days from a week before `start` on.
absl::StatusOr<v1::ClusterConfig> DefaultDevConfig(const std::string& dir,
                                                   absl::Time start);

// Reads a user's cluster.yaml and makes the paths in it absolute. Errors: those
// of ReadCluster; NotFound "file:line: …" for a file that is not there.
absl::StatusOr<v1::ClusterConfig> ReadDevConfig(const std::string& path);

// The agents of it: for each pool as many as its count makes of its node_size,
// one without. Errors: InvalidArgument for "unlimited", for a count that is no
// multiple of the node size, and for more than 100 agents.
absl::StatusOr<std::vector<DevNode>> DevNodes(const v1::ClusterConfig& config);

// Writes it as YAML (of the JSON kind).
absl::Status WriteDevConfig(const std::string& path,
                            const v1::ClusterConfig& config);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_DEV_CONFIG_H_
