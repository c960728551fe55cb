// Makes the embedded cluster's configuration.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/dev_config.h"

#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/synthetic_grid.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/wire/cluster_config.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {
namespace {

constexpr uint32_t kDefaultCount = 8;
constexpr size_t kNodesMax = 100;

absl::Status WriteFile(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(fresh, path, error);
  if (!out || error) {
    return absl::InternalError(absl::StrCat(path, ": can't be written"));
  }
  return absl::OkStatus();
}

// In the order that fcfs tries them, the dirtiest first: what a user who does
// not care would get.
struct DevSite {
  const char *name, *profile;
  double pue;
};
constexpr DevSite kDevSites[] = {{"coalport", "fossil", 1.3},
                                 {"solarville", "solar", 1.1},
                                 {"windhaven", "wind", 1.1}};

}  // namespace

absl::StatusOr<v1::ClusterConfig> DefaultDevConfig(const std::string& dir,
                                                   absl::Time start) {
  v1::ClusterConfig config;
  config.set_version(1);
  const absl::Time first =
      absl::FromUnixSeconds(absl::ToUnixSeconds(start) / 86400 * 86400) -
      absl::Hours(7 * 24);
  std::error_code error;
  std::filesystem::create_directories(dir + "/grid", error);
  uint64_t seed = 1;
  for (const DevSite& s : kDevSites) {
    const GridProfile* profile = FindGridProfile(s.profile);
    if (profile == nullptr) {
      return absl::InternalError(absl::StrCat("no grid profile ", s.profile));
    }
    const std::string csv = absl::StrCat(dir, "/grid/", s.name, ".csv");
    RETURN_IF_ERROR(
        WriteFile(csv, SyntheticGridCsv(*profile, first, 400 * 24, seed++)));
    v1::RegionConfig& region = *config.add_regions();
    region.set_name(s.name);
    region.set_intensity(csv);
    region.set_column("ci_lca");
    region.set_forecast("perfect");
    v1::SiteConfig& site = *config.add_sites();
    site.set_name(s.name);
    site.set_region(s.name);
    site.set_pue(s.pue);
    v1::PoolConfig& pool = *site.add_pools();
    pool.set_accelerator("v100");
    pool.set_count(absl::StrCat(kDefaultCount));
    pool.set_idle_watts(40);
    pool.set_active_watts(300);
  }
  config.mutable_policy()->set_name("planner");
  return config;
}

absl::StatusOr<v1::ClusterConfig> ReadDevConfig(const std::string& path) {
  ASSIGN_OR_RETURN(Cluster cluster, ReadCluster(path));
  RETURN_IF_ERROR(CheckPolicyConfig(cluster));
  absl::Status missing;
  const auto settle = [&](const std::string& where, std::string* file) {
    if (file->empty()) return;
    *file = RelativeTo(path, *file);
    std::error_code error;
    if (missing.ok() && !std::filesystem::is_regular_file(*file, error)) {
      missing = absl::NotFoundError(absl::StrCat(
          cluster.source.At(where), ": ", *file, ": there is no such file"));
    }
    const auto absolute = std::filesystem::absolute(*file, error);
    if (!error) *file = absolute.lexically_normal().string();
  };
  const auto settle_all = [&](const std::string& where, auto* contracts) {
    for (int i = 0; i < contracts->size(); ++i) {
      settle(absl::StrCat(where, ".clean_energy[", i, "].file"),
             contracts->Mutable(i)->mutable_file());
    }
  };
  v1::ClusterConfig& config = cluster.config;
  for (int i = 0; i < config.regions_size(); ++i) {
    const std::string where = absl::StrCat("regions[", i, "]");
    v1::RegionConfig& region = *config.mutable_regions(i);
    settle(where + ".intensity", region.mutable_intensity());
    settle(where + ".price", region.mutable_price());
    settle_all(where, region.mutable_clean_energy());
  }
  for (int i = 0; i < config.sites_size(); ++i) {
    settle_all(absl::StrCat("sites[", i, "]"),
               config.mutable_sites(i)->mutable_clean_energy());
  }
  RETURN_IF_ERROR(missing);
  return std::move(config);
}

absl::StatusOr<std::vector<DevNode>> DevNodes(const v1::ClusterConfig& config) {
  std::vector<DevNode> nodes;
  for (const v1::SiteConfig& site : config.sites()) {
    for (const v1::PoolConfig& pool : site.pools()) {
      const std::string where =
          absl::StrCat("sites ", site.name(), ", pool ", pool.accelerator());
      uint32_t count = kDefaultCount;
      if (!pool.count().empty()) {
        ASSIGN_OR_RETURN(count, ParsePoolCount(pool.count()));
        if (count == kUnlimited) {
          return absl::InvalidArgumentError(absl::StrCat(
              where,
              ": count: 'unlimited' is for simulations; an agent has a "
              "number"));
        }
      }
      const uint32_t size = pool.has_node_size() ? pool.node_size() : count;
      if (count % size != 0) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": count: ", count,
                         " is no multiple of the node size, ", size));
      }
      for (uint32_t i = 1; i <= count / size; ++i) {
        const std::string base =
            site.pools_size() == 1
                ? site.name()
                : absl::StrCat(site.name(), "-", pool.accelerator());
        nodes.push_back({absl::StrCat(base, "-", i), site.name(),
                         pool.accelerator(), size});
        if (nodes.size() > kNodesMax) {
          return absl::InvalidArgumentError(
              absl::StrCat(where, ": more than ", kNodesMax,
                           " agents; give larger nodes by node_size"));
        }
      }
    }
  }
  return nodes;
}

absl::Status WriteDevConfig(const std::string& path,
                            const v1::ClusterConfig& config) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(config, &json, options);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat(path, ": can't be written"));
  }
  return WriteFile(
      path, "# Written by 'ccsched dev up', kept for the next one.\n" + json);
}

}  // namespace ccsched
