// Adds up the figures of a run as it goes.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_TALLY_H_
#define CCSCHED_SIM_TALLY_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"

namespace ccsched {

// A distribution of durations: exact up to four million values, by steps of a
// thousandth beyond, in constant memory.
class DurationSample {
 public:
  void Add(int64_t us);
  double mean_us() const { return count_ == 0 ? 0 : sum_ / count_; }
  // REQUIRES: 0 <= p <= 1. 0 of nothing. Linear in what was added.
  double Percentile(double p);

 private:
  static constexpr size_t kExact = size_t{1} << 22;
  static size_t Bucket(int64_t us);
  static double Value(size_t bucket);

  uint64_t count_ = 0;
  double sum_ = 0;
  std::vector<int64_t> exact_;
  std::vector<uint64_t> buckets_;
};

class Tally {
 public:
  explicit Tally(const Scenario& scenario);

  // What `count` accelerators at work emit over [from, to).
  // Errors: OutOfRange naming the region whose series does not reach so far.
  // `load`: their power over that of accelerators at work.
  absl::Status Charge(PoolId pool, uint32_t count, int64_t from_us,
                      int64_t to_us, GramsCo2e* co2e, double load = 1);

  // What moving `gigabytes` from one site to another at `now_us` emits: half
  // of its energy at either end. Errors: as above.
  absl::Status ChargeMove(SiteId from, PoolId to, double gigabytes,
                          int64_t now_us, GramsCo2e* co2e);

  void Occupy(PoolId pool, uint32_t count);
  void Vacate(PoolId pool, uint32_t count);
  // The instant is over: what is occupied now counts for the peak.
  void EndInstant();

  void JobEnded(int64_t submit_us, int64_t duration_us, int64_t end_us,
                int64_t deadline_us);
  // A job that is no longer wanted; it counts in no figure of finished ones.
  void JobCancelled(int64_t end_us);

  // Figures that are known only at the end. `until_us`: where the run stopped
  // if nothing ever ended. Errors: OutOfRange as above.
  absl::Status Finish(int64_t first_submit_us, int64_t until_us,
                      SimResult& result);

 private:
  struct PoolSums {
    double grams_per_kw = 0;  // Σ count × ∫ intensity × PUE dt
    double pue_hours = 0;     // Σ count × ∫ PUE dt
    double hours = 0;         // Σ count × dt
    GramsCo2e co2e;
    KilowattHours energy;
    Money money;             // of its electricity, where priced
    KilowattHours unpriced;  // of `energy`, where it is not
  };
  // A series counted from its own start.
  struct Track {
    const StepSeries* series = nullptr;
    int64_t start_us = 0;
    int64_t length_us = 0;
  };
  static Track TrackOf(const StepSeries& series);
  // ∫ intensity × PUE dt at the pool's site, and ∫ PUE dt.
  absl::Status Integral(PoolId pool, int64_t from_us, int64_t to_us,
                        double* carbon, double* pue) const;
  absl::Status Beyond(PoolId pool, int64_t until_us) const;

  void AddCosts(SimResult& result) const;
  void ChargeMoney(PoolId pool, int64_t from_us, int64_t to_us,
                   KilowattHours energy, PoolSums& sums) const;

  const Scenario& scenario_;
  // By pool. Where the PUE is hourly, `carbon_` has it in it.
  std::vector<Track> carbon_, hourly_pue_;
  std::vector<double> pue_;  // constant; unused where hourly
  std::vector<PoolSums> pools_;
  std::vector<uint64_t> in_use_, peak_;  // by site
  std::vector<GramsCo2e> moved_co2e_;    // by site
  std::vector<KilowattHours> moved_energy_;
  bool occupied_more_ = false;
  DurationSample waits_;
  double slowdown_sum_ = 0;
  uint64_t ended_ = 0;
  uint64_t broken_ = 0;
  uint64_t cancelled_ = 0;
  int64_t last_end_us_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_TALLY_H_
