// The driver: what operators see and do.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "policies/registry.h"
#include "scheduler/base/log.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/daemon/contracts.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/daemon/reload.h"
#include "scheduler/wire/money.h"

namespace ccsched {
namespace {

// It is kept, and shown with each look at the nodes.
constexpr size_t kReasonBytesMax = 1000;

std::string_view StateName(const NodeEntry& node, bool busy) {
  if (node.state == NodeState::kLost) return "lost";
  if (node.drained) return busy ? "draining" : "drained";
  if (node.state == NodeState::kSilent) return "silent";
  return node.unfit.empty() ? "up" : "unfit";
}

const std::string& AcceleratorName(const Topology& topology, PoolId pool) {
  return topology
      .accelerators[topology.pools[pool.value()].accelerator.value()];
}

}  // namespace

void Driver::Apply(StatusCall& call) {
  v1::StatusResponse response;
  response.set_version(CCSCHED_VERSION);
  *response.mutable_now() = ToProto(work_.now);
  response.set_clock_rate(clock_setting_.rate);
  response.set_policy(policy_name_);
  response.set_jobs_live(engine_->live_jobs());
  response.set_last_job_id(last_job_);
  response.set_steps(steps_);
  response.set_inbox(setup_.inbox->size());
  if (!step_ms_.empty()) {
    std::vector<float> ms = step_ms_;
    std::sort(ms.begin(), ms.end());
    response.set_step_ms_p50(ms[ms.size() / 2]);
    response.set_step_ms_p99(ms[ms.size() * 99 / 100]);
    response.set_step_ms_max(ms.back());
  }
  work_.outbox.answers.push_back(
      [response, reply = std::move(call.reply)] { reply(response); });
}

void Driver::Apply(SitesCall& call) {
  const Topology& t = topology();
  v1::SitesResponse response;
  *response.mutable_now() = ToProto(work_.now);
  std::vector<uint32_t> drained(t.pools.size()), nodes(t.pools.size());
  for (const NodeEntry& node : nodes_.nodes()) {
    if (node.state == NodeState::kLost) continue;
    ++nodes[node.pool.value()];
    if (node.drained) drained[node.pool.value()] += node.count;
  }
  std::vector<ProviderState> providers;
  if (setup_.providers) providers = setup_.providers();
  for (size_t s = 0; s < t.sites.size(); ++s) {
    const Site& site = t.sites[s];
    v1::SiteStatus& out = *response.add_sites();
    out.set_name(site.name);
    out.set_region(t.regions[site.region.value()].name);
    out.set_pue(site.pue);
    const GridRecord& record = grid_->record();
    if (const auto intensity = record.At(site.region, work_.now)) {
      out.set_intensity(intensity->value());
    }
    if (const auto share = record.ShareAt(site.region, work_.now)) {
      out.set_cfe_pct(*share * 100);
    }
    out.set_data_state(
        std::string(ToString(grid_->State(site.region, work_.now))));
    if (const auto issued = record.Issued(site.region, work_.now)) {
      *out.mutable_data_issued() = ToProto(*issued);
    }
    out.set_basis(record.options(site.region).basis);
    for (const ProviderState& p : providers) {
      if (p.region != out.region() || p.last_status.ok()) continue;
      out.set_data_error(absl::StrCat(p.name, ": ", p.last_status.message()));
    }
    for (size_t p = 0; p < t.pools.size(); ++p) {
      if (t.pools[p].site.value() != s) continue;
      const PoolUse& use = engine_->pools()[p];
      v1::PoolStatus& pool = *out.add_pools();
      pool.set_accelerator(
          AcceleratorName(t, PoolId(static_cast<uint16_t>(p))));
      pool.set_total(use.total);
      pool.set_busy(use.total - use.free);
      pool.set_drained(drained[p]);
      pool.set_nodes(nodes[p]);
      pool.set_idle_watts(t.pools[p].idle.value());
      pool.set_active_watts(t.pools[p].active.value());
    }
  }
  work_.outbox.answers.push_back(
      [response, reply = std::move(call.reply)] { reply(response); });
}

namespace {

// An empty name is all sites.
absl::Status CheckSite(const Topology& topology, const std::string& name) {
  std::vector<std::string> known;
  known.reserve(topology.sites.size());
  for (const Site& site : topology.sites) known.push_back(site.name);
  if (name.empty() ||
      std::find(known.begin(), known.end(), name) != known.end()) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("site: there is no \"", name, "\"",
                                          AmongKnown(name, known)));
}

}  // namespace

void Driver::Apply(NodesCall& call) {
  const std::string& wanted = call.request.site();
  if (absl::Status found = CheckSite(topology(), wanted); !found.ok()) {
    work_.outbox.answers.push_back(
        [found = std::move(found), reply = std::move(call.reply)] {
          reply(found);
        });
    return;
  }
  v1::NodesResponse response;
  const RealTime real_now = std::chrono::steady_clock::now();
  for (const NodeEntry& node : nodes_.nodes()) {
    const std::string& site = topology().site(node.pool).name;
    if (!wanted.empty() && site != wanted) continue;
    v1::NodeStatus& out = *response.add_nodes();
    out.set_name(node.name);
    out.set_site(site);
    out.set_accelerator(AcceleratorName(topology(), node.pool));
    out.set_total(node.count);
    uint32_t busy = 0;
    for (const JobId job : attempts_.JobsOn(node.id)) {
      const AttemptPart* const part = attempts_.Find(job)->Part(node.id);
      if (part->ended) continue;
      busy += part->count;
      out.add_jobs(job.value());
    }
    out.set_busy(busy);
    out.set_state(std::string(StateName(node, busy > 0)));
    out.set_reason(node.drained ? node.drain_reason : node.unfit);
    out.set_meter(node.meter);
    out.set_version(node.version);
    out.set_container_runtime(node.container_runtime);
    if (node.lease != nullptr && node.joined) {
      const absl::Duration ago =
          absl::FromChrono(real_now - node.lease->heard());
      *out.mutable_last_heard() =
          ToProto(work_.now - ago * clock_setting_.rate);
    }
  }
  work_.outbox.answers.push_back(
      [response = std::move(response), reply = std::move(call.reply)] {
        reply(response);
      });
}

void Driver::Apply(DrainCall& call) {
  absl::Status status;
  NodeEntry* const node = nodes_.Find(call.request.node());
  if (call.request.reason().size() > kReasonBytesMax) {
    status = absl::InvalidArgumentError(
        absl::StrCat("reason: ", call.request.reason().size(),
                     " bytes; at most ", kReasonBytesMax));
  } else if (node == nullptr) {
    std::vector<std::string> known;
    for (const NodeEntry& entry : nodes_.nodes()) known.push_back(entry.name);
    status = absl::NotFoundError(absl::StrCat(
        "node: there is no \"", call.request.node(), "\"",
        DidYouMean(call.request.node(), known), " (see 'ccsched nodes')"));
  } else {
    node->drained = !call.request.undrain();
    node->drain_reason = node->drained ? call.request.reason() : "";
    work_.batch.nodes.push_back(ToRow(*node, topology()));
    work_.events.emplace_back(
        NodeDrained{node->id, node->drained || !node->unfit.empty()});
    if (!node->drained && !node->unfit.empty()) {
      v1::SchedulerMessage message;
      message.mutable_resume();
      Send(*node, std::move(message));  // what was wrong may be mended
    }
  }
  SettleAct(call, status);
}

void Driver::Apply(PoliciesCall& call) {
  v1::PoliciesResponse response;
  for (const PolicySpec& spec : AllPolicies()) {
    v1::PolicyInfo& info = *response.add_policies();
    info.set_name(spec.name);
    info.set_summary(spec.summary);
    info.set_doc(spec.doc);
    info.set_current(spec.name == policy_name_);
    for (const ParameterSpec& parameter : spec.parameters) {
      v1::PolicyParameter& out = *info.add_parameters();
      out.set_name(parameter.name);
      out.set_unit(parameter.unit);
      out.set_doc(parameter.doc);
      out.set_default_value(absl::StrCat(parameter.default_value));
      double value = parameter.default_value;
      const auto set = policy_parameters_.find(parameter.name);
      if (info.current() && set != policy_parameters_.end()) {
        value = set->second;
      }
      out.set_value(absl::StrCat(value));
    }
  }
  work_.outbox.answers.push_back(
      [response = std::move(response), reply = std::move(call.reply)] {
        reply(response);
      });
}

absl::Status Driver::ChangePolicy(const v1::PolicyConfig& policy) {
  ASSIGN_OR_RETURN(PolicyParameters parameters,
                   ParseParameters(policy.parameters()));
  RETURN_IF_ERROR(MakePolicy(policy.name(), parameters).status());
  RETURN_IF_ERROR(CheckMoneyWeight(parameters, prices_.prices(), topology()));
  policy_name_ = policy.name();
  policy_parameters_ = parameters;
  work_.events.emplace_back(PolicyChanged{policy.name(), parameters});
  for (auto& setting : PolicySettings(policy, setup_.cluster.config.policy())) {
    work_.batch.settings.push_back(std::move(setting));
  }
  Log(LogLevel::kInfo, "policy changed", {{"policy", policy.name()}});
  return absl::OkStatus();
}

void Driver::Apply(SetPolicyCall& call) {
  v1::PolicyConfig policy;
  policy.set_name(call.request.name());
  *policy.mutable_parameters() = call.request.parameters();
  const absl::Status status = ChangePolicy(policy);
  SettleAct(call, status);
}

void Driver::Apply(PushForecastCall& call) {
  const v1::GridSeries& series = call.request.series();
  absl::StatusOr<GridRow> row = grid_->Accept(series, work_.now);
  if (!row.ok()) return SettleAct(call, row.status());
  v1::PushForecastResponse response;
  response.set_values(std::max(series.intensity_size(), series.cfe_pct_size()));
  work_.batch.grids.push_back(*std::move(row));
  const RegionId region = *grid_->FindRegion(series.region());
  const std::vector<TimeSpan> changes = grid_->TakeChanges(region);
  if (series.actual()) RestateChanges(region, changes);
  SettleAct(call, absl::OkStatus(), response);
}

void Driver::Apply(GetForecastCall& call) {
  const auto get = [&]() -> absl::StatusOr<v1::GetForecastResponse> {
    v1::GetForecastResponse response;
    *response.mutable_now() = ToProto(work_.now);
    const absl::Duration horizon = call.request.has_horizon()
                                       ? FromProto(call.request.horizon())
                                       : absl::Hours(24);
    if (!call.request.region().empty()) {
      ASSIGN_OR_RETURN(const RegionId region,
                       grid_->FindRegion(call.request.region()));
      *response.add_regions() =
          call.request.has_start()
              ? grid_->Known(region, FromProto(call.request.start()), horizon)
              : grid_->View(region, work_.now, horizon);
      return response;
    }
    if (call.request.has_start()) {
      return absl::InvalidArgumentError("start: name a region with it");
    }
    for (size_t i = 0; i < topology().regions.size(); ++i) {
      *response.add_regions() = grid_->View(RegionId(i), work_.now, horizon);
    }
    return response;
  };
  work_.outbox.answers.push_back(
      [result = get(), reply = std::move(call.reply)] { reply(result); });
}

// All or nothing: whatever is wrong leaves everything as it was.
void Driver::Apply(ReloadConfig& in) {
  const auto reload = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Cluster cluster, ReadCluster(setup_.config_file));
    RETURN_IF_ERROR(CheckPolicyConfig(cluster));
    RETURN_IF_ERROR(CheckReload(setup_.cluster, cluster));
    ASSIGN_OR_RETURN(GridFeed grid,
                     GridFeed::Load(cluster, setup_.config_file));
    ASSIGN_OR_RETURN(const std::vector<GridRow> in_force,
                     setup_.ledger->reader().GridsInForce());
    RETURN_IF_ERROR(TakeUpGrids(in_force, grid));
    ASSIGN_OR_RETURN(std::vector<ContractRow> contracts,
                     ReadContractConfig(cluster, setup_.config_file));
    ASSIGN_OR_RETURN(PriceFeed prices,
                     PriceFeed::Load(cluster, setup_.config_file));
    RETURN_IF_ERROR(
        CheckMoneyWeight(policy_parameters_, prices.prices(), topology()));
    ASSIGN_OR_RETURN(std::vector<ProjectTerms> terms,
                     TermsOnRecord(cluster, work_.now));
    std::swap(prices, prices_);
    const v1::PolicyConfig& policy = cluster.config.policy();
    const bool changed = !SamePolicy(policy, setup_.cluster.config.policy());
    if (changed) {
      const absl::Status status = ChangePolicy(policy);
      if (!status.ok()) std::swap(prices, prices_);
      RETURN_IF_ERROR(status);
    }
    // Emptied terms are told, too: budgets that are gone hold nobody.
    agree_ = !terms.empty() || !terms_.empty();
    terms_ = std::move(terms);
    Agree();
    RecordContracts(std::move(contracts), work_.batch, work_.now);
    setup_.cluster = std::move(cluster);
    std::swap(*grid_, grid);
    for (size_t i = 0; i < topology().regions.size(); ++i) {
      grid_->TakeChanges(RegionId(i));
      RestateChanges(RegionId(i),
                     grid_->record().ChangesSince(grid.record(), RegionId(i)));
    }
    RecordGridFiles({});
    lease_times_ = LeaseTimesOf(setup_.cluster.config);
    if (setup_.on_roles) setup_.on_roles(setup_.cluster.config.listen());
    return absl::OkStatus();
  };
  const absl::Status status = reload();
  if (status.ok()) {
    Log(LogLevel::kInfo, "configuration reloaded");
  } else {
    Log(LogLevel::kError, "configuration not reloaded: nothing has changed",
        {{"error", status}});
  }
  SettleAct({.by = in.caller,
             .what = "reload",
             .target = "configuration",
             .detail = ""},
            status, [] {});
}

}  // namespace ccsched
