// Adds up the figures of a run as it goes.
// SPDX-License-Identifier: Apache-2.0
#include "sim/tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/utc.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

constexpr double kHoursPerUs = StepSeries::kHoursPerUs;
constexpr int kBucketBits = 10;  // steps of 1/1024 within a power of two
constexpr int64_t kSlowdownFloorUs = 10'000'000;

}  // namespace

size_t DurationSample::Bucket(int64_t us) {
  const uint64_t v = static_cast<uint64_t>(std::max<int64_t>(us, 0));
  if (v < (uint64_t{1} << kBucketBits)) return v;
  const int shift = std::bit_width(v) - 1 - kBucketBits;
  return (static_cast<size_t>(shift + 1) << kBucketBits) +
         ((v >> shift) - (uint64_t{1} << kBucketBits));
}

double DurationSample::Value(size_t bucket) {
  if (bucket < (size_t{1} << kBucketBits)) return static_cast<double>(bucket);
  const int shift = static_cast<int>(bucket >> kBucketBits) - 1;
  const uint64_t mantissa = (bucket & ((size_t{1} << kBucketBits) - 1)) +
                            (uint64_t{1} << kBucketBits);
  return std::ldexp(static_cast<double>(mantissa) + 0.5, shift);
}

void DurationSample::Add(int64_t us) {
  ++count_;
  sum_ += static_cast<double>(us);
  if (buckets_.empty() && exact_.size() < kExact) {
    exact_.push_back(us);
    return;
  }
  if (buckets_.empty()) {
    buckets_.resize(Bucket(kForeverUs) + 1);
    for (const int64_t v : exact_) ++buckets_[Bucket(v)];
    exact_ = {};
  }
  ++buckets_[Bucket(us)];
}

double DurationSample::Percentile(double p) {
  if (count_ == 0) return 0;
  const double rank = p * static_cast<double>(count_ - 1);
  if (buckets_.empty()) {
    const auto at = exact_.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(exact_.begin(), at, exact_.end());
    const double low = static_cast<double>(*at);
    if (at + 1 == exact_.end()) return low;
    const double high =
        static_cast<double>(*std::min_element(at + 1, exact_.end()));
    return low + (rank - std::floor(rank)) * (high - low);
  }
  uint64_t seen = 0;
  for (size_t b = 0; b < buckets_.size(); ++b) {
    seen += buckets_[b];
    if (static_cast<double>(seen) > rank) return Value(b);
  }
  return Value(buckets_.size() - 1);
}

Tally::Track Tally::TrackOf(const StepSeries& series) {
  return {&series, absl::ToUnixMicros(series.start()),
          series.step_us() * static_cast<int64_t>(series.values().size())};
}

Tally::Tally(const Scenario& scenario)
    : scenario_(scenario),
      pools_(scenario.topology.pools.size()),
      in_use_(scenario.topology.sites.size()),
      peak_(scenario.topology.sites.size()),
      moved_co2e_(scenario.topology.sites.size()),
      moved_energy_(scenario.topology.sites.size()) {
  for (size_t i = 0; i < scenario.topology.pools.size(); ++i) {
    const SiteId site = scenario.topology.pools[i].site;
    const SitePower& power = scenario.site_power[site.value()];
    const bool hourly = !power.pue.empty();
    const RegionId region = scenario.topology.region(PoolId(i));
    carbon_.push_back(TrackOf(
        hourly ? power.carbon : scenario.regions[region.value()].actual));
    hourly_pue_.push_back(hourly ? TrackOf(power.pue) : Track());
    pue_.push_back(hourly ? 1 : scenario.topology.site(PoolId(i)).pue);
  }
}

absl::Status Tally::Beyond(PoolId pool, int64_t until_us) const {
  const RegionId region = scenario_.topology.region(pool);
  const SiteId site = scenario_.topology.pools[pool.value()].site;
  const SitePower& power = scenario_.site_power[site.value()];
  const StepSeries& series = *carbon_[pool.value()].series;
  const bool hourly = !power.pue.empty();
  if (series.empty()) {
    return absl::OutOfRangeError(
        absl::StrCat("nothing is known of the intensity of region ",
                     scenario_.topology.regions[region.value()].name));
  }
  return absl::OutOfRangeError(absl::StrCat(
      scenario_.regions[region.value()].file,
      hourly ? absl::StrCat(" and ", power.file) : std::string(),
      hourly ? ": the intensity and PUE of " : ": the intensity of ",
      hourly ? scenario_.topology.sites[site.value()].name
             : scenario_.topology.regions[region.value()].name,
      " ends at ", FormatUtc(series.end()), ", but a job runs until ",
      FormatUtc(absl::FromUnixMicros(until_us))));
}

absl::Status Tally::Integral(PoolId pool, int64_t from_us, int64_t to_us,
                             double* carbon, double* pue) const {
  const size_t p = pool.value();
  const Track& track = carbon_[p];
  const int64_t from = from_us - track.start_us;
  const int64_t to = to_us - track.start_us;
  if (from < 0 || to > track.length_us) return Beyond(pool, to_us);
  *carbon = (track.series->PrefixHours(to) - track.series->PrefixHours(from)) *
            pue_[p];
  const Track& hourly = hourly_pue_[p];
  if (hourly.series == nullptr) {
    *pue = static_cast<double>(to_us - from_us) * kHoursPerUs * pue_[p];
  } else {  // covers at least what `carbon_` covers
    *pue = hourly.series->PrefixHours(to_us - hourly.start_us) -
           hourly.series->PrefixHours(from_us - hourly.start_us);
  }
  return absl::OkStatus();
}

absl::Status Tally::Charge(PoolId pool, uint32_t count, int64_t from_us,
                           int64_t to_us, GramsCo2e* co2e, double load) {
  double carbon = 0, pue = 0;
  RETURN_IF_ERROR(Integral(pool, from_us, to_us, &carbon, &pue));
  const size_t p = pool.value();
  const double kilowatts =
      scenario_.topology.pools[p].active.value() / 1000 * count * load;
  *co2e = GramsCo2e(kilowatts * carbon);
  PoolSums& sums = pools_[p];
  sums.grams_per_kw += count * carbon;
  sums.pue_hours += count * pue;
  sums.hours += count * (static_cast<double>(to_us - from_us) * kHoursPerUs);
  sums.co2e += *co2e;
  sums.energy += KilowattHours(kilowatts * pue);
  ChargeMoney(pool, from_us, to_us, KilowattHours(kilowatts * pue), sums);
  return absl::OkStatus();
}

absl::Status Tally::ChargeMove(SiteId from, PoolId to, double gigabytes,
                               int64_t now_us, GramsCo2e* co2e) {
  const double kwh = gigabytes * scenario_.network_kwh_per_gb;
  const SiteId site = scenario_.topology.pools[to.value()].site;
  double grams_per_kwh = 0;
  for (const SiteId end : {from, site}) {
    const RegionId region = scenario_.topology.sites[end.value()].region;
    const StepSeries& actual = scenario_.regions[region.value()].actual;
    const absl::Time now = absl::FromUnixMicros(now_us);
    if (now < actual.start() || now >= actual.end()) {
      return Beyond(to, now_us);
    }
    grams_per_kwh += actual.At(now) / 2;
  }
  *co2e = GramsCo2e(kwh * grams_per_kwh);
  moved_co2e_[site.value()] += *co2e;
  moved_energy_[site.value()] += KilowattHours(kwh);
  return absl::OkStatus();
}

// The energy is spread evenly over the stretch.
void Tally::ChargeMoney(PoolId pool, int64_t from_us, int64_t to_us,
                        KilowattHours energy, PoolSums& sums) const {
  const RegionId region = scenario_.topology.region(pool);
  const auto& price = scenario_.regions[region.value()].price;
  if (price == nullptr || to_us <= from_us) return;
  const PriceSeries::Cost cost = price->PerKilowatt(
      absl::FromUnixMicros(from_us), absl::FromUnixMicros(to_us));
  const double hours = static_cast<double>(to_us - from_us) * kHoursPerUs;
  sums.money += cost.money * (energy.value() / hours);
  sums.unpriced += energy * (absl::ToDoubleHours(cost.unpriced) / hours);
}

void Tally::AddCosts(SimResult& result) const {
  const Topology& topology = scenario_.topology;
  std::map<std::string, CostFigures> costs;
  const auto add = [](std::optional<Money>& sum, double amount) {
    sum = sum.value_or(Money()) + Money(amount);
  };
  for (size_t i = 0; i < topology.pools.size(); ++i) {
    const Pool& pool = topology.pools[i];
    const PoolSums& sums = pools_[i];
    const RegionId region = topology.region(PoolId(i));
    if (const auto& price = scenario_.regions[region.value()].price) {
      if (sums.unpriced < sums.energy || sums.energy == KilowattHours()) {
        add(costs[price->currency()].electricity, sums.money.value());
      }
      result.unpriced += sums.unpriced;
    } else {
      result.unpriced += sums.energy;
    }
    if (pool.hourly) {
      add(costs[topology.currency].accelerators,
          pool.hourly->value() * sums.hours);
    }
  }
  if (scenario_.network_price_per_gb) {
    add(costs[topology.currency].moved,
        scenario_.network_price_per_gb->value() * result.moved_gb);
  }
  for (auto& [currency, figures] : costs) {
    figures.currency = currency;
    result.costs.push_back(figures);
  }
}

void Tally::Occupy(PoolId pool, uint32_t count) {
  in_use_[scenario_.topology.pools[pool.value()].site.value()] += count;
  occupied_more_ = true;
}

void Tally::Vacate(PoolId pool, uint32_t count) {
  in_use_[scenario_.topology.pools[pool.value()].site.value()] -= count;
}

void Tally::EndInstant() {
  if (!occupied_more_) return;
  for (size_t s = 0; s < in_use_.size(); ++s) {
    peak_[s] = std::max(peak_[s], in_use_[s]);
  }
  occupied_more_ = false;
}

void Tally::JobCancelled(int64_t end_us) {
  ++cancelled_;
  last_end_us_ = std::max(last_end_us_, end_us);
}

void Tally::JobEnded(int64_t submit_us, int64_t duration_us, int64_t end_us,
                     int64_t deadline_us) {
  ++ended_;
  last_end_us_ = std::max(last_end_us_, end_us);
  waits_.Add(end_us - submit_us - duration_us);
  const double turnaround = static_cast<double>(end_us - submit_us);
  const double floor =
      static_cast<double>(std::max(duration_us, kSlowdownFloorUs));
  slowdown_sum_ += std::max(1.0, turnaround / floor);
  if (end_us > deadline_us) ++broken_;
}

absl::Status Tally::Finish(int64_t first_submit_us, int64_t until_us,
                           SimResult& result) {
  const Topology& topology = scenario_.topology;
  // What did not end was there until the run stopped.
  const bool all_ended = ended_ + cancelled_ == result.jobs;
  const int64_t last_us =
      all_ended ? last_end_us_ : std::max(last_end_us_, until_us);
  result.first_submission = absl::FromUnixMicros(first_submit_us);
  result.last_end = absl::FromUnixMicros(last_us);
  result.promises_broken = broken_;
  result.cancelled = cancelled_;
  const double span_hours =
      static_cast<double>(last_us - first_submit_us) * kHoursPerUs;
  result.sites.resize(topology.sites.size());
  std::vector<double> used(topology.sites.size()), there(used);
  for (size_t i = 0; i < topology.pools.size(); ++i) {
    const Pool& pool = topology.pools[i];
    const PoolSize& size = scenario_.pool_sizes[i];
    const PoolSums& sums = pools_[i];
    const size_t site = pool.site.value();
    SiteFigures& figures = result.sites[site];
    figures.co2e += sums.co2e;
    figures.energy += sums.energy;
    used[site] += sums.hours;
    if (size.count == kUnlimited) {
      there[site] = std::nan("");
      continue;
    }
    there[site] += size.count * span_hours;
    if (pool.idle == Watts(0) || size.count == 0) continue;
    double carbon = 0, pue = 0;
    RETURN_IF_ERROR(
        Integral(PoolId(i), first_submit_us, last_us, &carbon, &pue));
    const double idle_kw = pool.idle.value() / 1000;
    result.idle_co2e +=
        GramsCo2e(idle_kw * (size.count * carbon - sums.grams_per_kw));
    result.idle_energy +=
        KilowattHours(idle_kw * (size.count * pue - sums.pue_hours));
  }
  for (size_t s = 0; s < topology.sites.size(); ++s) {
    SiteFigures& figures = result.sites[s];
    figures.site = topology.sites[s].name;
    figures.peak = peak_[s];
    if (there[s] > 0) figures.utilisation = used[s] / there[s];
    figures.co2e += moved_co2e_[s];
    figures.energy += moved_energy_[s];
    result.moved_energy += moved_energy_[s];
    result.co2e += figures.co2e;
    result.energy += figures.energy;
  }
  AddCosts(result);
  const auto duration = [](double us) { return absl::Microseconds(1) * us; };
  result.wait_mean = duration(waits_.mean_us());
  result.wait_p50 = duration(waits_.Percentile(0.5));
  result.wait_p95 = duration(waits_.Percentile(0.95));
  result.wait_p99 = duration(waits_.Percentile(0.99));
  if (ended_ > 0) result.bounded_slowdown_mean = slowdown_sum_ / ended_;
  return absl::OkStatus();
}

}  // namespace ccsched
