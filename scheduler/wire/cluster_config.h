// cluster.yaml: read, checked, defaults filled, and turned into a topology.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(Cluster cluster, ReadCluster("cluster.yaml"));
//   Engine engine(cluster.topology, ...);
#ifndef CCSCHED_SCHEDULER_WIRE_CLUSTER_CONFIG_H_
#define CCSCHED_SCHEDULER_WIRE_CLUSTER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"
#include "scheduler/base/units.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/fair_share.h"
#include "scheduler/model/project.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {

struct Cluster {
  v1::ClusterConfig config;  // with every default filled in
  Topology topology;
  // Of each pool, what the configuration says of its size.
  struct PoolSize {
    std::optional<uint32_t> count;      // kUnlimited for "unlimited"
    std::optional<uint32_t> node_size;  // accelerators on a node
  };
  std::vector<PoolSize> sizes;
  std::vector<ProjectTerms> projects;  // without symbols
  std::optional<FairShareOptions> shares;
  YamlSource source;  // for errors found later; empty if it came from no file
};

// Reads, checks and completes. Paths in it stay relative to the file. Errors
// name the file and the line, or the field and the value.
absl::StatusOr<Cluster> ReadCluster(const std::string& path);
absl::StatusOr<Cluster> MakeCluster(v1::ClusterConfig config,
                                    const YamlSource* source = nullptr);

// `path` as written in `file`: relative paths begin at the file's folder.
std::string RelativeTo(const std::string& file, const std::string& path);

// A pool's count: a number from 1 to 1,000,000 or "unlimited" (kUnlimited).
// Errors: InvalidArgument.
absl::StatusOr<uint32_t> ParsePoolCount(std::string_view text);

// System watts of one accelerator at work (chip and its share of host and
// network, before PUE), where there is a published measurement.
struct KnownAccelerator {
  std::string_view name;
  Watts active;
  std::string_view source;
};
const std::vector<KnownAccelerator>& KnownAccelerators();

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_CLUSTER_CONFIG_H_
