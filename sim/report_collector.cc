// What a report shows of one run beyond its figures.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "sim/report.h"

namespace ccsched {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr size_t kWorst = 10;
constexpr size_t kWaitSteps = size_t{4} * 24 * 30;

bool Worse(const ReportCollector::WorstJob& a,
           const ReportCollector::WorstJob& b) {
  return std::make_tuple(a.finished, a.kept, -a.wait_h) <
         std::make_tuple(b.finished, b.kept, -b.wait_h);
}

}  // namespace

ReportCollector::ReportCollector(const Scenario& scenario)
    : scenario_(scenario),
      start_us_(absl::ToUnixMicros(scenario.start)),
      load_(scenario.topology.sites.size()),
      waits_(kWaitSteps) {}

void ReportCollector::OnStretch(const JobStretch& s) {
  std::vector<double>& load =
      load_[scenario_.topology.pools[s.pool.value()].site.value()];
  for (int64_t t = s.start_us - start_us_; t < s.end_us - start_us_;) {
    const int64_t hour = t / kHourUs;
    const int64_t next = std::min((hour + 1) * kHourUs, s.end_us - start_us_);
    if (static_cast<size_t>(hour) >= load.size()) load.resize(hour + 1);
    load[hour] += s.count * (static_cast<double>(next - t) / kHourUs);
    t = next;
  }
}

void ReportCollector::OnJob(const JobEnd& job) {
  WorstJob w;
  w.wait_h = static_cast<double>(job.end_us - job.submit_us - job.duration_us) /
             kHourUs;
  w.kept = job.promise_kept;
  w.finished = job.finished;
  if (job.finished) {
    const size_t step = static_cast<size_t>(w.wait_h / kWaitStepHours + 0.999);
    ++waits_[std::min(step, kWaitSteps - 1)];
  }
  if (worst_.size() == 2 * kWorst) {
    std::nth_element(worst_.begin(), worst_.begin() + kWorst, worst_.end(),
                     Worse);
    worst_.resize(kWorst);
  }
  w.id = job.job_id;
  w.run_h = static_cast<double>(job.duration_us) / kHourUs;
  w.co2e_g = job.co2e.value();
  w.count = job.count;
  w.stretches = job.stretches;
  w.losses = job.losses;
  w.pool = job.pool;
  w.submit_us = job.submit_us;
  w.late_h = std::max(
      0.0, static_cast<double>(job.end_us - job.deadline_us) / kHourUs);
  worst_.push_back(std::move(w));
}

std::vector<ReportCollector::WorstJob> ReportCollector::Worst() const {
  std::vector<WorstJob> worst = worst_;
  std::stable_sort(worst.begin(), worst.end(), Worse);
  if (worst.size() > kWorst) worst.resize(kWorst);
  for (WorstJob& job : worst) {
    if (job.stretches == 0) continue;
    const Topology& topology = scenario_.topology;
    const SiteId site = topology.pools[job.pool.value()].site;
    const SitePower& power = scenario_.site_power[site.value()];
    const bool hourly = !power.pue.empty();
    const StepSeries& series =
        hourly ? power.carbon
               : scenario_.regions[topology.region(job.pool).value()].actual;
    const absl::Time from = absl::FromUnixMicros(job.submit_us);
    const absl::Time to = from + absl::Hours(1) * job.run_h;
    if (!series.Covers(from, to)) continue;
    const Watts watts =
        hourly ? topology.pools[job.pool.value()].active * job.count
               : topology.GridPower(job.pool, job.count);
    job.at_once_g = watts.value() / 1000 * series.IntegralHours(from, to);
  }
  return worst;
}

}  // namespace ccsched
