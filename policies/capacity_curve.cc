// capacity-curve: a day-ahead hourly cap on work at each site.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "policies/all.h"
#include "policies/quota.h"
#include "policies/start_once.h"

namespace ccsched {
namespace {

constexpr int64_t kDayUs = 24 * kHourUs;

class CapacityCurve : public Quota {
 public:
  explicit CapacityCurve(const PolicyParameters& parameters)
      : Quota(parameters),
        peak_weight_h_(parameters.at("peak_weight_h")),
        margin_(parameters.at("margin")),
        days_(static_cast<size_t>(parameters.at("days"))) {}

 protected:
  void Observe(const PolicyInput& in) override {
    if (in.cold) pools_.assign(in.topology.pools.size(), {});
    const int64_t now_us = ToUs(in.now);
    const int64_t day_us = now_us - now_us % kDayUs;
    for (size_t p = 0; p < pools_.size(); ++p) {
      Usage& usage = pools_[p];
      // What was in use since the last look, split at midnight.
      while (usage.seen && usage.day_us < day_us) {
        const int64_t end_us = usage.day_us + kDayUs;
        usage.today_h += Hours(end_us - usage.until_us) * usage.used;
        // The first day was not seen whole.
        if (usage.whole) usage.days.push_back(usage.today_h);
        if (usage.days.size() > days_) usage.days.erase(usage.days.begin());
        usage.whole = true;
        usage.today_h = 0;
        usage.day_us = usage.until_us = end_us;
      }
      if (!usage.seen) usage.whole = now_us == day_us;
      usage.seen = true;
      usage.today_h +=
          Hours(now_us - std::max(usage.until_us, day_us)) * usage.used;
      usage.day_us = day_us;
      usage.until_us = now_us;
      usage.used =
          static_cast<double>(Used(in, PoolId(static_cast<uint16_t>(p))));
    }
  }

  double Share(const PolicyInput& in, PoolId pool, Curve& curve) override {
    Usage& usage = pools_[pool.value()];
    const uint32_t total = in.pools[pool.value()].total;
    // Until a day was seen whole, and where there is no limit to share out,
    // there is no cap.
    if (usage.days.empty() || total == 0 || total >= kUnlimited) return 1;
    const int64_t now_us = ToUs(in.now);
    const int64_t day_us = now_us - now_us % kDayUs;
    if (usage.capped_day_us != day_us) {
      usage.capped_day_us = day_us;
      const double demand_h =
          *std::max_element(usage.days.begin(), usage.days.end()) *
              (1 + margin_) +
          BacklogHours(in, pool);
      SetCaps(curve, day_us, demand_h, total, usage.caps);
    }
    return std::min(1.0, usage.caps[(now_us - day_us) / kHourUs] / total);
  }

 private:
  struct Usage {
    bool seen = false;
    bool whole = false;        // today was seen from its beginning
    int64_t day_us = 0;        // beginning of today
    int64_t until_us = 0;      // counted until
    double used = 0;           // accelerators, since then
    double today_h = 0;        // accelerator-hours
    std::vector<double> days;  // the last whole days
    int64_t capped_day_us = -1;
    std::vector<double> caps;  // accelerators, by hour of that day
  };

  static double Hours(int64_t us) {
    return static_cast<double>(us) * StepSeries::kHoursPerUs;
  }

  // Accelerator-hours that wait in the queue, shared evenly among the pools
  // where they may run.
  static double BacklogHours(const PolicyInput& in, PoolId pool) {
    double hours = 0;
    for (const ShapeId shape : in.queue.shapes()) {
      const Placement& pools = in.placements[in.shapes[shape].placement];
      if (std::find(pools.begin(), pools.end(), pool) == pools.end()) continue;
      double shape_h = 0;
      for (JobRef job = in.queue.Front(shape); job != kNoJob;
           job = in.jobs[job].next) {
        shape_h += absl::ToDoubleHours(in.remaining(job).mean);
      }
      hours +=
          shape_h * in.shapes[shape].count / static_cast<double>(pools.size());
    }
    return hours;
  }

  // The caps whose sum is the day's demand, or all capacity, and which cost
  // least: carbon, plus the peak times peak_weight_h_ hours of the day's mean
  // intensity. For any peak it is best to fill the cleanest hours up to it, so
  // the best peak is one that fills a whole number of hours, or capacity.
  void SetCaps(Curve& curve, int64_t day_us, double demand_h, double capacity,
               std::vector<double>& caps) {
    std::vector<std::pair<double, int>> hours;
    double mean = 0;
    for (int h = 0; h < 24; ++h) {
      const double grams =
          curve.Grams(day_us + h * kHourUs, day_us + (h + 1) * kHourUs);
      hours.emplace_back(grams, h);
      mean += grams / 24;
    }
    std::sort(hours.begin(), hours.end());
    double best_peak = capacity;
    double least = std::numeric_limits<double>::infinity();
    const auto weigh = [&](double peak) {
      double left_h = demand_h;
      double cost = peak_weight_h_ * mean * peak;
      for (const auto& [grams, hour] : hours) {
        const double used = std::min(peak, left_h);
        cost += used * grams;
        left_h -= used;
      }
      if (cost >= least) return;
      least = cost;
      best_peak = peak;
    };
    weigh(capacity);
    for (int n = 24; n >= 1 && demand_h / n <= capacity; --n) {
      weigh(demand_h / n);
    }
    caps.assign(24, 0);
    double left_h = demand_h;
    for (const auto& [grams, hour] : hours) {
      caps[hour] = std::min(best_peak, left_h);
      left_h -= caps[hour];
    }
  }

  const double peak_weight_h_;
  const double margin_;
  const size_t days_;
  std::vector<Usage> pools_;
};

}  // namespace

PolicySpec CapacityCurvePolicy() {
  return {
      .name = "capacity-curve",
      .summary =
          "a day-ahead hourly cap on work at each site, high in clean "
          "hours, the day's capacity kept",
      .doc =
          "At midnight UTC each site gets a cap for each hour of the day: "
          "together they hold the work to be expected (the busiest of the "
          "last days, and a margin), and they are laid so that forecast "
          "carbon and a price on the day's peak are least. Jobs start in "
          "order while the site is under its cap; running work is never "
          "stopped, and a job at its latest start needs no room under it. "
          "No cap before a whole day was seen. Needs no runtimes.\n"
          "Source: Radovanovic et al., \"Carbon-Aware Computing for "
          "Datacenters\" (Google CICS), arXiv 2106.11750.",
      .parameters =
          {{.name = "peak_weight_h",
            .unit = "h",
            .default_value = 2,
            .min = 0,
            .max = 24,
            .doc = "what an accelerator of the day's peak costs: so many "
                   "hours of it at the day's mean intensity",
            .source = "a free parameter of CICS; 2 h is our choice"},
           {.name = "margin",
            .unit = "",
            .default_value = 0.1,
            .min = 0,
            .max = 10,
            .doc = "how much more than expected the day's caps hold",
            .source = "our choice, for CICS's 97th percentile of demand"},
           {.name = "days",
            .unit = "d",
            .default_value = 7,
            .min = 1,
            .max = 60,
            .doc = "so many past days are looked at for what to expect",
            .source = "our choice; a week, as demand repeats by it"},
           StartOnce::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<CapacityCurve>(parameters);
          },
  };
}

}  // namespace ccsched
