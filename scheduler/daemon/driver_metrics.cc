// The driver: its figures for Prometheus, made only when somebody asks.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/metrics.h"
#include "scheduler/rpc/job_view.h"

namespace ccsched {
namespace {

using prometheus::MetricType;

constexpr double kGramsPerMilligram = .001;

}  // namespace

// Jobs change state one at a time; so does their count.
void Driver::CountJob(JobNotes& notes, JobState state) {
  const auto index = static_cast<size_t>(state);
  if (notes.counted) --job_counts_[static_cast<size_t>(*notes.counted)];
  ++job_counts_[index];
  notes.counted = state;
}

void Driver::AddGridMetrics(MetricFamilies& families) const {
  FamilyBuilder intensity(
      "ccsched_region_carbon_intensity_grams_per_kilowatt_hour",
      "Location-based intensity of the region's grid now, CO2e",
      MetricType::Gauge);
  FamilyBuilder share("ccsched_region_carbon_free_ratio",
                      "Carbon-free share of the region's grid now",
                      MetricType::Gauge);
  FamilyBuilder age("ccsched_forecast_age_seconds",
                    "How old the newest data behind the region's forecast are",
                    MetricType::Gauge);
  FamilyBuilder state("ccsched_region_data_state",
                      "1 for the state of the region's data: fresh, stale, "
                      "fallback or none",
                      MetricType::Gauge);
  const GridRecord& record = grid_->record();
  for (size_t i = 0; i < topology().regions.size(); ++i) {
    const RegionId id(i);
    const MetricLabels region = {{"region", topology().regions[i].name}};
    if (const auto g = record.At(id, work_.now)) {
      intensity.Add(g->value(), region);
    }
    if (const auto s = record.ShareAt(id, work_.now)) share.Add(*s, region);
    if (const auto a = grid_->Age(id, work_.now)) {
      age.Add(absl::ToDoubleSeconds(*a), region);
    }
    const GridState now = grid_->State(id, work_.now);
    for (const GridState s : {GridState::kFresh, GridState::kStale,
                              GridState::kFallback, GridState::kNone}) {
      state.Add(s == now ? 1 : 0,
                {region[0], {"state", std::string(ToString(s))}});
    }
  }
  for (FamilyBuilder* f : {&intensity, &share, &age, &state}) {
    f->MoveTo(families);
  }
}

void Driver::AddProviderMetrics(MetricFamilies& families) const {
  if (!setup_.providers) return;
  FamilyBuilder up("ccsched_provider_up",
                   "Whether the provider's last poll brought what was asked",
                   MetricType::Gauge);
  FamilyBuilder good("ccsched_provider_last_success_timestamp_seconds",
                     "When a poll last did, since 1970", MetricType::Gauge);
  for (const ProviderState& p : setup_.providers()) {
    const MetricLabels labels = {{"region", p.region}, {"provider", p.name}};
    up.Add(p.last_status.ok() && p.last_good ? 1 : 0, labels);
    if (p.last_good) {
      good.Add(static_cast<double>(absl::ToUnixSeconds(*p.last_good)), labels);
    }
  }
  up.MoveTo(families);
  good.MoveTo(families);
}

void Driver::AddEnergyMetrics(MetricFamilies& families) const {
  FamilyBuilder emissions(
      "ccsched_emissions_grams_total",
      "CO2e put on record since the scheduler's start, PUE included, as it was "
      "first known; bases are never to be added up",
      MetricType::Counter);
  for (size_t s = 0; s < topology().sites.size(); ++s) {
    if (s >= site_sums_.size()) break;
    const std::string& site = topology().sites[s].name;
    emissions.Add(site_sums_[s].milligrams * kGramsPerMilligram,
                  {{"site", site}, {"basis", "location"}});
    emissions.Add(site_sums_[s].idle_milligrams * kGramsPerMilligram,
                  {{"site", site}, {"basis", "location-idle"}});
    if (site_sums_[s].marginal_grams > 0) {
      emissions.Add(site_sums_[s].marginal_grams,
                    {{"site", site}, {"basis", "marginal"}});
    }
  }
  FamilyBuilder avoided(
      "ccsched_avoided_emissions_grams_total",
      "Baseline less gross emissions of the jobs that have ended since the "
      "scheduler's start; falls where a job emitted more than its baseline",
      MetricType::Untyped);
  avoided.Add(avoided_milligrams_ * kGramsPerMilligram);
  FamilyBuilder nodes("ccsched_node_energy_joules_total",
                      "Energy that the node's meter reported since the "
                      "scheduler's start, before PUE: of jobs, and of none",
                      MetricType::Counter);
  for (const NodeEntry& node : nodes_.nodes()) {
    nodes.Add(node.job_joules, {{"node", node.name}, {"component", "jobs"}});
    nodes.Add(node.idle_joules, {{"node", node.name}, {"component", "idle"}});
  }
  for (FamilyBuilder* f : {&emissions, &avoided, &nodes}) f->MoveTo(families);
}

MetricFamilies Driver::MakeMetrics() const {
  MetricFamilies families;
  AddGridMetrics(families);
  AddProviderMetrics(families);
  AddEnergyMetrics(families);
  FamilyBuilder jobs("ccsched_jobs",
                     "Jobs by state; ended ones since the scheduler's start",
                     MetricType::Gauge);
  for (size_t s = 0; s <= static_cast<size_t>(JobState::kTimedOut); ++s) {
    jobs.Add(static_cast<double>(job_counts_[s]),
             {{"state", std::string(ToString(static_cast<JobState>(s)))}});
  }
  jobs.MoveTo(families);

  FamilyBuilder accelerators("ccsched_accelerators",
                             "Accelerators of nodes that are there, by state",
                             MetricType::Gauge);
  std::vector<std::array<double, 3>> sums(topology().sites.size());
  for (size_t p = 0; p < topology().pools.size(); ++p) {
    const PoolUse& use = engine_->pools()[p];
    auto& sum = sums[topology().pools[p].site.value()];
    sum[0] += use.total - use.free;
    sum[1] += use.free;
  }
  for (const NodeEntry& node : nodes_.nodes()) {
    if (node.drained && node.state != NodeState::kLost) {
      sums[topology().pools[node.pool.value()].site.value()][2] += node.count;
    }
  }
  for (size_t s = 0; s < sums.size(); ++s) {
    const std::string& site = topology().sites[s].name;
    accelerators.Add(sums[s][0], {{"site", site}, {"state", "busy"}});
    accelerators.Add(sums[s][1], {{"site", site}, {"state", "free"}});
    accelerators.Add(sums[s][2], {{"site", site}, {"state", "drained"}});
  }
  accelerators.MoveTo(families);

  FamilyBuilder cycles("ccsched_schedule_cycle_duration_seconds",
                       "How long a decision took, its events applied",
                       MetricType::Histogram);
  prometheus::ClientMetric::Histogram& h = cycles.AddRaw({}).histogram;
  h.sample_count = steps_;
  h.sample_sum = step_seconds_;
  uint64_t below = 0;
  for (size_t b = 0; b < kStepBuckets.size(); ++b) {
    below += step_counts_[b];
    h.bucket.push_back({below, kStepBuckets[b]});
  }
  cycles.MoveTo(families);
  return families;
}

}  // namespace ccsched
