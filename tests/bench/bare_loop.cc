// The least that any simulator of jobs has to do, to measure others against.
// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_loop.h"

#include <algorithm>

#include "scheduler/base/clock.h"
#include "scheduler/base/due_heap.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int kHoldHours = 24;

class Bare {
 public:
  explicit Bare(const Scenario& scenario) {
    for (uint16_t i = 0; i < scenario.topology.pools.size(); ++i) {
      free_.push_back(scenario.pool_sizes[i].count);
      const RegionId region = scenario.topology.region(PoolId(i));
      series_.push_back(&scenario.regions[region.value()].actual);
      starts_.push_back(absl::ToUnixMicros(series_.back()->start()));
      kilowatts_.push_back(scenario.topology.GridPower(PoolId(i), 1).value() /
                           1000);
    }
  }

  void Arrive(const SimJob& job) {
    Until(job.submit_us);
    Start(job.submit_us, job.duration_us, job.count);
  }

  void Hold(const SimJob& job) {
    Release(job.submit_us);
    const auto [at, site] = BestHour(job.submit_us);
    static_cast<void>(site);
    if (at <= job.submit_us) return Arrive(job);
    const uint64_t slot = held_jobs_.size();
    if (free_slots_.empty()) {
      held_jobs_.push_back({job.duration_us, job.count});
      held_.Push({at, slot, static_cast<uint32_t>(slot)});
    } else {
      held_jobs_[free_slots_.back()] = {job.duration_us, job.count};
      held_.Push({at, free_slots_.back(), free_slots_.back()});
      free_slots_.pop_back();
    }
  }

  double Finish() {
    Release(kForeverUs);
    Until(kForeverUs);
    return grams_;
  }

 private:
  struct Held {
    int64_t duration_us;
    uint32_t count;
  };

  void Until(int64_t now) {
    while (!ends_.empty() && ends_.top().at_us() <= now) {
      const DueHeap::Entry end = ends_.top();
      ends_.Pop();
      free_[end.slot()] += end.job();
    }
  }

  void Release(int64_t now) {
    while (!held_.empty() && held_.top().at_us() <= now) {
      const DueHeap::Entry entry = held_.top();
      held_.Pop();
      Until(entry.at_us());
      const Held& job = held_jobs_[entry.slot()];
      Start(entry.at_us(), job.duration_us, job.count);
      free_slots_.push_back(entry.slot());
    }
  }

  void Start(int64_t now, int64_t duration, uint32_t count) {
    for (;;) {
      for (uint32_t p = 0; p < free_.size(); ++p) {
        if (free_[p] < count) continue;
        free_[p] -= count;
        const int64_t from = now - starts_[p];
        grams_ += kilowatts_[p] * count *
                  (series_[p]->PrefixHours(from + duration) -
                   series_[p]->PrefixHours(from));
        ends_.Push({now + duration, count, p});
        return;
      }
      now = ends_.top().at_us();
      Until(now);
    }
  }

  // Worked out once an hour.
  std::pair<int64_t, uint32_t> BestHour(int64_t now) {
    const int64_t hour = now / kHourUs;
    if (hour == best_for_) return best_;
    best_for_ = hour;
    double least = 1e300;
    for (uint32_t p = 0; p < series_.size(); ++p) {
      const std::vector<double>& values = series_[p]->values();
      const int64_t first = hour - starts_[p] / kHourUs;
      for (int64_t h = first; h <= first + kHoldHours; ++h) {
        if (values[h] >= least) continue;
        least = values[h];
        best_ = {(h + starts_[p] / kHourUs) * kHourUs, p};
      }
    }
    return best_;
  }

  std::vector<uint32_t> free_;
  std::vector<const StepSeries*> series_;
  std::vector<int64_t> starts_;
  std::vector<double> kilowatts_;
  DueHeap ends_, held_;
  std::vector<Held> held_jobs_;
  std::vector<uint32_t> free_slots_;
  std::pair<int64_t, uint32_t> best_;
  int64_t best_for_ = -1;
  double grams_ = 0;
};

template <typename TakeFn>
absl::StatusOr<BareResult> Play(const Scenario& scenario,
                                const Workload& workload, TakeFn take) {
  const absl::Duration before = ThreadCpuTime();
  Bare bare(scenario);
  BareResult result;
  ASSIGN_OR_RETURN(const auto source, workload.Open());
  for (;;) {
    ASSIGN_OR_RETURN(const SimJob* job, source->Next());
    if (job == nullptr) break;
    take(bare, *job);
    ++result.jobs;
  }
  result.grams = bare.Finish();
  result.cpu_s = absl::ToDoubleSeconds(ThreadCpuTime() - before);
  return result;
}

}  // namespace

absl::StatusOr<BareResult> BareFirstCome(const Scenario& scenario,
                                         const Workload& workload) {
  return Play(scenario, workload,
              [](Bare& bare, const SimJob& job) { bare.Arrive(job); });
}

absl::StatusOr<BareResult> BareHourlyHold(const Scenario& scenario,
                                          const Workload& workload) {
  return Play(scenario, workload,
              [](Bare& bare, const SimJob& job) { bare.Hold(job); });
}

}  // namespace ccsched
