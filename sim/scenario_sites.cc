// Loads a scenario's sites and pools: hourly PUE and power caps.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_sites.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/wire/money.h"
#include "sim/scenario_grid.h"
#include "sim/series_product.h"

namespace ccsched {
namespace {

constexpr double kPueMax = 10;
constexpr double kWattsMax = 1e9;

class SiteLoader {
 public:
  SiteLoader(const YamlSource& source, Scenario& scenario)
      : source_(source), scenario_(scenario) {}

  absl::Status Load(const ccsched::v1::ScenarioSite& from, int index) {
    at_ = absl::StrCat("sites[", index, "]");
    Topology& topology = scenario_.topology;
    Site site;
    site.name = from.name();
    if (site.name.empty()) return At("", "site without a name");
    for (const Site& other : topology.sites) {
      if (other.name == site.name) {
        return At(".name", absl::StrCat("site ", site.name, " is given twice"));
      }
    }
    size_t region = 0;
    while (region < topology.regions.size() &&
           topology.regions[region].name != from.region()) {
      ++region;
    }
    if (region == topology.regions.size()) {
      std::vector<std::string> known;
      known.reserve(topology.regions.size());
      for (const Region& r : topology.regions) known.push_back(r.name);
      return At(".region",
                absl::StrCat("there is no region \"", from.region(), "\"",
                             AmongKnown(from.region(), known)));
    }
    site.region = RegionId(static_cast<uint16_t>(region));
    double worst_pue = 1;
    RETURN_IF_ERROR(LoadPue(from, site, &worst_pue));
    const SiteId id(static_cast<uint16_t>(topology.sites.size()));
    if (from.pools().empty()) {
      return At("", absl::StrCat("site ", site.name, " has no pools"));
    }
    topology.sites.push_back(std::move(site));
    const size_t first = topology.pools.size();
    for (int i = 0; i < from.pools_size(); ++i) {
      RETURN_IF_ERROR(
          LoadPool(from.pools(i), id, absl::StrCat(".pools[", i, "]")));
    }
    return from.has_cap_watts() ? Cap(from.cap_watts(), worst_pue, first)
                                : absl::OkStatus();
  }

 private:
  absl::Status At(const std::string& path, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(source_.At(at_ + path), ": ", what));
  }

  absl::Status LoadPue(const ccsched::v1::ScenarioSite& from, Site& site,
                       double* worst) {
    SitePower& power = scenario_.site_power.emplace_back();
    if (from.has_pue()) site.pue = from.pue();
    if (!(site.pue >= 1 && site.pue <= kPueMax)) {
      return At(".pue", absl::StrCat("pue ", site.pue, " is not between 1 and ",
                                     kPueMax));
    }
    *worst = site.pue;
    if (from.pue_csv().empty()) return absl::OkStatus();
    if (from.has_pue()) {
      return At(".pue_csv", "a site has either pue or pue_csv");
    }
    power.file = ResolvePath(scenario_.path, from.pue_csv());
    scenario_.files.push_back(power.file);
    absl::StatusOr<GridColumn> column = ReadGridCsv(
        power.file, from.pue_column().empty() ? "pue" : from.pue_column(),
        GapRule::kRefuse);
    if (!column.ok()) {
      return At(".pue_csv", std::string(column.status().message()));
    }
    const StepSeries& pue = column->series;
    for (size_t i = 0; i < pue.values().size(); ++i) {
      if (pue.values()[i] >= 1 && pue.values()[i] <= kPueMax) continue;
      return At(".pue_csv",
                absl::StrCat(power.file, ": the PUE at ",
                             FormatUtc(pue.start() + pue.step() * i), " is ",
                             pue.values()[i], ", not between 1 and ", kPueMax));
    }
    absl::Time last = scenario_.end;
    if (last == absl::InfiniteFuture()) last = scenario_.start + pue.step();
    if (scenario_.horizon) last = std::max(last, *scenario_.horizon);
    if (!pue.Covers(scenario_.start, last)) {
      return At(
          ".pue_csv",
          absl::StrCat(power.file, ": the PUE of ", site.name, " covers ",
                       FormatUtc(pue.start()), " to ", FormatUtc(pue.end()),
                       ", the scenario ", FormatUtc(scenario_.start), " to ",
                       FormatUtc(last)));
    }
    const absl::Time until =
        scenario_.end == absl::InfiniteFuture() && !scenario_.horizon
            ? pue.end()
            : last;
    site.pue = pue.IntegralHours(scenario_.start, until) /
               absl::ToDoubleHours(until - scenario_.start);
    *worst = *std::max_element(pue.values().begin(), pue.values().end());
    absl::StatusOr<StepSeries> carbon =
        SeriesProduct(scenario_.regions[site.region.value()].actual, pue);
    if (!carbon.ok()) {
      return At(".pue_csv", std::string(carbon.status().message()));
    }
    power.carbon = *std::move(carbon);
    power.pue = std::move(column->series);
    return absl::OkStatus();
  }

  absl::StatusOr<uint32_t> PoolCount(const ccsched::v1::ScenarioPool& from,
                                     const std::string& at) const {
    if (from.count() == "unlimited") return kUnlimited;
    uint32_t count = 0;
    const std::string& text = from.count();
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), count);
    if (text.empty() || error != std::errc() ||
        end != text.data() + text.size() || count == 0 || count >= kUnlimited) {
      return At(at + ".count",
                absl::StrCat("count \"", text,
                             "\" is neither a positive number nor unlimited"));
    }
    return count;
  }

  absl::Status LoadPool(const ccsched::v1::ScenarioPool& from, SiteId site,
                        const std::string& at) {
    Topology& topology = scenario_.topology;
    if (from.accelerator().empty()) return At(at, "pool without accelerator");
    uint16_t type = 0;
    while (type < topology.accelerators.size() &&
           topology.accelerators[type] != from.accelerator()) {
      ++type;
    }
    if (type == topology.accelerators.size()) {
      topology.accelerators.push_back(from.accelerator());
    }
    for (const Pool& other : topology.pools) {
      if (other.site == site && other.accelerator == AcceleratorId(type)) {
        return At(at + ".accelerator",
                  absl::StrCat("a second pool of ", from.accelerator(),
                               " at one site"));
      }
    }
    PoolSize size;
    ASSIGN_OR_RETURN(size.count, PoolCount(from, at));
    if (from.has_node_size()) size.node_size = from.node_size();
    if (from.has_node_size() && size.node_size == 0) {
      return At(at + ".node_size", "node_size 0 is not positive");
    }
    if (size.node_size != 0 && size.count == kUnlimited) {
      return At(at + ".node_size", "an unlimited pool has no nodes");
    }
    if (size.node_size > size.count) {
      return At(at + ".node_size", "a node is larger than its pool");
    }
    if (scenario_.faults && size.node_size == 0) {
      return At(at, "with faults a pool needs node_size: what fails is a node");
    }
    if (!from.has_active_watts()) return At(at, "pool without active_watts");
    Pool pool{.site = site,
              .accelerator = AcceleratorId(type),
              .idle = Watts(from.idle_watts()),
              .active = Watts(from.active_watts())};
    if (!(pool.active.value() >= 0 && pool.active.value() <= kWattsMax)) {
      return At(at + ".active_watts",
                absl::StrCat("active_watts ", pool.active.value(),
                             " is not between 0 and ", kWattsMax));
    }
    if (!(pool.idle.value() >= 0 && pool.idle <= pool.active)) {
      return At(at + ".idle_watts",
                absl::StrCat("idle_watts ", pool.idle.value(),
                             " is not between 0 and active_watts, ",
                             pool.active.value()));
    }
    if (size.count == kUnlimited && pool.idle > Watts(0)) {
      return At(at + ".idle_watts", "an unlimited pool can't have idle watts");
    }
    if (from.has_price_per_hour()) {
      const absl::Status price =
          CheckHourlyPrice(from.price_per_hour(), topology.currency);
      if (!price.ok()) {
        return At(at + ".price_per_hour", std::string(price.message()));
      }
      pool.hourly = Money(from.price_per_hour());
    }
    topology.pools.push_back(pool);
    scenario_.pool_sizes.push_back(size);
    return absl::OkStatus();
  }

  // Switches accelerators of the pools from `first` on off.
  absl::Status Cap(double watts, double worst_pue, size_t first) {
    if (!(watts > 0) || !std::isfinite(watts)) {
      return At(".cap_watts",
                absl::StrCat("cap_watts ", watts, " is not positive"));
    }
    const std::vector<Pool>& pools = scenario_.topology.pools;
    double all = 0;
    for (size_t i = first; i < pools.size(); ++i) {
      if (scenario_.pool_sizes[i].count == kUnlimited) {
        return At(".cap_watts", "an unlimited pool can't be under a cap");
      }
      all += pools[i].active.value() * scenario_.pool_sizes[i].count;
    }
    const double share = watts / (all * worst_pue);
    if (!(share < 1)) return absl::OkStatus();
    for (size_t i = first; i < pools.size(); ++i) {
      PoolSize& size = scenario_.pool_sizes[i];
      // What is whole but for rounding stays; nodes go off as a whole.
      const uint32_t unit = std::max<uint32_t>(1, size.node_size);
      const double left = std::floor(size.count * share / unit * (1 + 1e-12));
      if (left < 1) {
        return At(".cap_watts",
                  absl::StrCat("cap_watts ", watts, " leaves no ",
                               size.node_size > 0 ? "node" : "accelerator",
                               " of its pool ", i - first, " to work"));
      }
      size.count = static_cast<uint32_t>(left) * unit;
    }
    return absl::OkStatus();
  }

  const YamlSource& source_;
  Scenario& scenario_;
  std::string at_;
};

}  // namespace

absl::Status LoadSites(const ccsched::v1::Scenario& proto,
                       const YamlSource& source, Scenario& scenario) {
  if (proto.sites().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.At("sites"), ": there are no sites"));
  }
  SiteLoader loader(source, scenario);
  for (int i = 0; i < proto.sites_size(); ++i) {
    RETURN_IF_ERROR(loader.Load(proto.sites(i), i));
  }
  return absl::OkStatus();
}

}  // namespace ccsched
