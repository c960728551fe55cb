// Checks of the cluster's configuration, and its defaults.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/cluster_config.h"

#include <algorithm>
#include <tuple>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/grid_csv_header.h"
#include "scheduler/wire/money.h"
#include "scheduler/wire/projects.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

constexpr double kPueMax = 10;
constexpr double kWattsMax = 100'000;         // of one accelerator
constexpr double kEmbodiedMaxKg = 1'000'000;  // of one accelerator
constexpr size_t kSitesMax = 1000;
constexpr uint32_t kCountMax = 1'000'000;

// Builds a Cluster from a configuration, one part after the other.
class Builder {
 public:
  Builder(v1::ClusterConfig config, const YamlSource* source)
      : source_(source) {
    cluster_.config = std::move(config);
  }

  absl::StatusOr<Cluster> Build() {
    v1::ClusterConfig& config = cluster_.config;
    const std::string version = WrongVersion(config.version());
    if (!version.empty()) return Bad("version", version);
    if (const absl::Status money = CheckMoney(config.money()); !money.ok()) {
      return Bad("money", std::string(money.message()));
    }
    cluster_.topology.currency = config.money().currency();
    RETURN_IF_ERROR(AddRegions());
    RETURN_IF_ERROR(AddSites());
    RETURN_IF_ERROR(AddProjects());
    RETURN_IF_ERROR(Complete());
    return std::move(cluster_);
  }

 private:
  absl::Status Bad(const std::string& path, const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(
        source_ == nullptr ? "" : absl::StrCat(source_->At(path), ": "), path,
        ": ", what));
  }

  // A name that scripts, tables and file names can hold.
  absl::Status CheckName(const std::string& path,
                         const std::string& name) const {
    if (name.empty()) return Bad(path, "a name is needed");
    const bool plain =
        name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
          return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
        });
    if (!plain) {
      return Bad(path, absl::StrCat("'", ToAbsl(Printable(name)),
                                    "' may have letters, digits, '-', '_' and "
                                    "'.' only, at most 64"));
    }
    return absl::OkStatus();
  }

  absl::Status AddRegions() {
    v1::ClusterConfig& config = cluster_.config;
    if (config.regions_size() > kSitesMax) return Bad("regions", "too many");
    absl::flat_hash_set<std::string> names;
    for (int i = 0; i < config.regions_size(); ++i) {
      v1::RegionConfig& region = *config.mutable_regions(i);
      const std::string path = absl::StrCat("regions[", i, "]");
      RETURN_IF_ERROR(CheckName(path + ".name", region.name()));
      if (!names.insert(region.name()).second) {
        return Bad(path + ".name",
                   absl::StrCat("there are two regions '", region.name(), "'"));
      }
      RETURN_IF_ERROR(CompleteRegion(path, &region));
      cluster_.topology.regions.push_back({region.name()});
    }
    return absl::OkStatus();
  }

  absl::Status CompleteRegion(const std::string& path,
                              v1::RegionConfig* region) const {
    const auto one_of = [&](const char* field, std::string* value,
                            const std::vector<std::string>& allowed) {
      if (value->empty()) *value = allowed[0];
      if (std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) {
        return absl::OkStatus();
      }
      return Bad(
          absl::StrCat(path, ".", field),
          absl::StrCat("'", *value, "' must be ", absl::StrJoin(allowed, ", "),
                       DidYouMean(*value, allowed)));
    };
    const std::string in_file = BasisOfColumn(region->column());
    if (region->basis().empty() && absl::StartsWith(in_file, "average-")) {
      region->set_basis(in_file);
    }
    RETURN_IF_ERROR(
        one_of("basis", region->mutable_basis(),
               {"average-lifecycle", "average-direct", "average-residual"}));
    if (!region->decision_basis().empty()) {
      RETURN_IF_ERROR(
          one_of("decision_basis", region->mutable_decision_basis(),
                 {"average-lifecycle", "average-direct", "average-residual",
                  "marginal-lifecycle", "marginal-direct"}));
    }
    RETURN_IF_ERROR(
        one_of("gaps", region->mutable_gaps(), {"refuse", "interpolate"}));
    if (region->forecast().empty()) {
      region->set_forecast(region->intensity().empty() ? "push" : "perfect");
    }
    RETURN_IF_ERROR(
        one_of("forecast", region->mutable_forecast(),
               {"perfect", "persistence", "blend", "regression", "push"}));
    const bool fetched =
        !region->provider().empty() && region->forecast() != "perfect";
    if (region->intensity().empty() && region->forecast() != "push" &&
        !fetched) {
      return Bad(path + ".forecast",
                 absl::StrCat("'", region->forecast(),
                              "' needs `intensity`, a file of values"));
    }
    if (region->has_residual() &&
        !(region->residual() >= 0 && region->residual() <= 10'000)) {
      return Bad(path + ".residual",
                 absl::StrCat(region->residual(),
                              " gCO2e/kWh is not between 0 and 10000"));
    }
    return absl::OkStatus();
  }

  absl::Status AddSites() {
    v1::ClusterConfig& config = cluster_.config;
    if (config.sites_size() == 0) return Bad("sites", "there is none");
    if (config.sites_size() > kSitesMax) return Bad("sites", "too many");
    absl::flat_hash_set<std::string> names;
    for (int i = 0; i < config.sites_size(); ++i) {
      v1::SiteConfig& site = *config.mutable_sites(i);
      const std::string path = absl::StrCat("sites[", i, "]");
      RETURN_IF_ERROR(CheckName(path + ".name", site.name()));
      if (!names.insert(site.name()).second) {
        return Bad(path + ".name",
                   absl::StrCat("there are two sites '", site.name(), "'"));
      }
      if (!site.has_pue()) site.set_pue(1);
      if (!(site.pue() >= 1 && site.pue() <= kPueMax)) {
        return Bad(path + ".pue",
                   absl::StrCat(site.pue(), " is not between 1 and ", kPueMax));
      }
      ASSIGN_OR_RETURN(const RegionId region, FindRegion(path, site.region()));
      cluster_.topology.sites.push_back({site.name(), region, site.pue()});
      RETURN_IF_ERROR(AddPools(path, SiteId(i), &site));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<RegionId> FindRegion(const std::string& path,
                                      const std::string& name) const {
    std::vector<std::string> known;
    for (const Region& region : cluster_.topology.regions) {
      if (region.name == name) {
        return RegionId(static_cast<uint16_t>(known.size()));
      }
      known.push_back(region.name);
    }
    return Bad(path + ".region",
               absl::StrCat("there is no region '", ToAbsl(Printable(name)),
                            "'", AmongKnown(name, known)));
  }

  AcceleratorId InternAccelerator(const std::string& name) {
    auto& all = cluster_.topology.accelerators;
    const auto found = std::find(all.begin(), all.end(), name);
    const AcceleratorId id(static_cast<uint16_t>(found - all.begin()));
    if (found == all.end()) all.push_back(name);
    return id;
  }

  absl::Status AddPools(const std::string& site_path, SiteId site,
                        v1::SiteConfig* config) {
    if (config->pools_size() == 0) {
      return Bad(site_path + ".pools", "a site needs at least one pool");
    }
    absl::flat_hash_set<std::string> types;
    for (int i = 0; i < config->pools_size(); ++i) {
      v1::PoolConfig& pool = *config->mutable_pools(i);
      const std::string path = absl::StrCat(site_path, ".pools[", i, "]");
      RETURN_IF_ERROR(CheckName(path + ".accelerator", pool.accelerator()));
      if (!types.insert(pool.accelerator()).second) {
        return Bad(path + ".accelerator",
                   absl::StrCat("the site has two pools of '",
                                pool.accelerator(), "'"));
      }
      RETURN_IF_ERROR(AddPool(path, site, &pool));
    }
    return absl::OkStatus();
  }

  absl::Status AddPool(const std::string& path, SiteId site,
                       v1::PoolConfig* pool) {
    Cluster::PoolSize size;
    if (!pool->count().empty()) {
      const auto count = ParsePoolCount(pool->count());
      if (!count.ok()) {
        return Bad(path + ".count", std::string(count.status().message()));
      }
      size.count = *count;
    }
    if (pool->has_node_size()) {
      size.node_size = pool->node_size();
      if (pool->node_size() == 0 || pool->node_size() > kCountMax) {
        return Bad(path + ".node_size",
                   absl::StrCat(pool->node_size(), " is not between 1 and ",
                                kCountMax));
      }
    }
    if (!pool->has_active_watts()) {
      for (const KnownAccelerator& known : KnownAccelerators()) {
        if (known.name == pool->accelerator()) {
          pool->set_active_watts(known.active.value());
        }
      }
    }
    for (const auto& [field, given, watts] :
         {std::tuple("active_watts", pool->has_active_watts(),
                     pool->active_watts()),
          std::tuple("idle_watts", pool->has_idle_watts(),
                     pool->idle_watts())}) {
      if (!given) {
        return Bad(absl::StrCat(path, ".", field),
                   absl::StrCat("the system watts of one '",
                                pool->accelerator(), "' are needed"));
      }
      if (!(watts >= 0 && watts <= kWattsMax)) {
        return Bad(absl::StrCat(path, ".", field),
                   absl::StrCat(watts, " W is not between 0 and ", kWattsMax));
      }
    }
    if (pool->idle_watts() > pool->active_watts()) {
      return Bad(
          path + ".idle_watts",
          absl::StrCat(pool->idle_watts(), " W is more than when active, ",
                       pool->active_watts(), " W"));
    }
    RETURN_IF_ERROR(CheckEmbodied(path + ".embodied", pool));
    std::optional<Money> hourly;
    if (pool->has_price_per_hour()) {
      const absl::Status price =
          CheckHourlyPrice(pool->price_per_hour(), cluster_.topology.currency);
      if (!price.ok()) {
        return Bad(path + ".price_per_hour", std::string(price.message()));
      }
      hourly = Money(pool->price_per_hour());
    }
    cluster_.topology.pools.push_back(
        {site, InternAccelerator(pool->accelerator()),
         Watts(pool->idle_watts()), Watts(pool->active_watts()), hourly});
    cluster_.sizes.push_back(size);
    return absl::OkStatus();
  }

  absl::Status CheckEmbodied(const std::string& path,
                             v1::PoolConfig* pool) const {
    if (!pool->has_embodied()) return absl::OkStatus();
    v1::EmbodiedConfig& embodied = *pool->mutable_embodied();
    if (!(embodied.kg() > 0 && embodied.kg() <= kEmbodiedMaxKg)) {
      return Bad(path + ".kg", absl::StrCat(embodied.kg(),
                                            " kg CO2e is not above 0 and at "
                                            "most ",
                                            kEmbodiedMaxKg));
    }
    if (FromProto(embodied.lifetime()) <= absl::ZeroDuration()) {
      return Bad(path + ".lifetime",
                 "the hours that a machine serves are needed, above 0");
    }
    if (embodied.used() == 0) embodied.set_used(1);
    if (!(embodied.used() > 0 && embodied.used() <= 1)) {
      return Bad(path + ".used", absl::StrCat(embodied.used(),
                                              " is not above 0 and at most 1"));
    }
    return absl::OkStatus();
  }

  absl::Status AddProjects() {
    const v1::ClusterConfig& config = cluster_.config;
    absl::StatusOr<std::vector<ProjectTerms>> terms =
        ToTerms(config.projects());
    if (!terms.ok()) {
      return Bad("projects", std::string(terms.status().message()));
    }
    cluster_.projects = *std::move(terms);
    const auto shares = ToShares(cluster_.projects, config.fair_share());
    if (!shares.ok()) {
      return Bad("fair_share", std::string(shares.status().message()));
    }
    cluster_.shares = *shares;
    return absl::OkStatus();
  }

  absl::Status Complete() {
    v1::ClusterConfig& config = cluster_.config;
    if (config.policy().name().empty()) {
      config.mutable_policy()->set_name("planner");
    }
    if (config.listen().address().empty()) {
      config.mutable_listen()->set_address("127.0.0.1:7390");
    }
    if (config.clock().rate() == 0) config.mutable_clock()->set_rate(1);
    if (!(config.clock().rate() > 0 && config.clock().rate() <= 1'000'000)) {
      return Bad("clock.rate", absl::StrCat(config.clock().rate(),
                                            " is not between 0 and 1000000"));
    }
    if (config.max_inbox() == 0) config.set_max_inbox(65536);
    if (!config.has_lease())
      *config.mutable_lease() = ToProto(absl::Minutes(10));
    if (!config.has_heartbeat()) {
      *config.mutable_heartbeat() = ToProto(absl::Seconds(5));
    }
    const absl::Duration lease = FromProto(config.lease());
    const absl::Duration heartbeat = FromProto(config.heartbeat());
    if (heartbeat < absl::Milliseconds(10)) {
      return Bad("heartbeat", absl::StrCat(absl::FormatDuration(heartbeat),
                                           " is less than 10ms"));
    }
    if (lease < 3 * heartbeat) {
      return Bad("lease", absl::StrCat(absl::FormatDuration(lease),
                                       " is less than three heartbeats of ",
                                       absl::FormatDuration(heartbeat)));
    }
    v1::JobDefaults& defaults = *config.mutable_defaults();
    if (!defaults.has_max_delay()) {
      *defaults.mutable_max_delay() = ToProto(absl::Hours(24));
    }
    if (!defaults.has_grace()) {
      *defaults.mutable_grace() = ToProto(absl::Seconds(30));
    }
    for (const auto& [field, given, d] :
         {std::tuple("max_delay", true, FromProto(defaults.max_delay())),
          std::tuple("grace", true, FromProto(defaults.grace())),
          std::tuple("runtime", defaults.has_runtime(),
                     FromProto(defaults.runtime())),
          std::tuple("time_limit", defaults.has_time_limit(),
                     FromProto(defaults.time_limit()))}) {
      if (given && d < absl::ZeroDuration()) {
        return Bad(absl::StrCat("defaults.", field),
                   absl::StrCat(ShortDuration(d), " is negative"));
      }
    }
    return absl::OkStatus();
  }

  const YamlSource* const source_;
  Cluster cluster_;
};

}  // namespace

const std::vector<KnownAccelerator>& KnownAccelerators() {
  static const auto& known = *new std::vector<KnownAccelerator>{
      {"v100", Watts(330), "Patterson et al. 2021, arXiv 2104.10350, table 4"},
      {"p100", Watts(296), "Patterson et al. 2021, arXiv 2104.10350, table 1"},
      {"tpu-v2", Watts(208),
       "Patterson et al. 2021, arXiv 2104.10350, table 4"},
      {"tpu-v3", Watts(289),
       "Patterson et al. 2021, arXiv 2104.10350, table 4 (Meena)"},
  };
  return known;
}

absl::StatusOr<uint32_t> ParsePoolCount(std::string_view text) {
  if (text == "unlimited") return kUnlimited;
  uint32_t count;
  if (!absl::SimpleAtoi(ToAbsl(text), &count) || count == 0 ||
      count > kCountMax) {
    return absl::InvalidArgumentError(absl::StrCat("'", ToAbsl(Printable(text)),
                                                   "' must be a number from 1 "
                                                   "to ",
                                                   kCountMax, " or unlimited"));
  }
  return count;
}

absl::StatusOr<Cluster> MakeCluster(v1::ClusterConfig config,
                                    const YamlSource* source) {
  return Builder(std::move(config), source).Build();
}

absl::StatusOr<Cluster> ReadCluster(const std::string& path) {
  v1::ClusterConfig config;
  YamlSource source;
  RETURN_IF_ERROR(ReadYamlFile(path, config, &source));
  ASSIGN_OR_RETURN(Cluster cluster, MakeCluster(std::move(config), &source));
  cluster.source = std::move(source);
  return cluster;
}

std::string RelativeTo(const std::string& file, const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  const size_t slash = file.rfind('/');
  return slash == file.npos ? path
                            : absl::StrCat(file.substr(0, slash + 1), path);
}

}  // namespace ccsched
