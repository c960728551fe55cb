// A certified lower bound on the carbon of any schedule of an instance.
// SPDX-License-Identifier: Apache-2.0
#include "sim/bound.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policies/planner/instance.h"
#include "policies/planner/pricing.h"
#include "scheduler/base/status.h"
#include "sim/speed_corners.h"

namespace ccsched {
namespace {

constexpr absl::Duration kSlot = absl::Microseconds(kSlotUs);
// Rounding of doubles is far below this share of the figure.
constexpr double kRoundingMargin = 1e-9;

// Microseconds from the origin; down for starts and runtimes, up for ends, so
// that rounding only widens what a job may do.
int64_t DownUs(absl::Duration d) {
  return absl::ToInt64Microseconds(absl::Floor(d, absl::Microseconds(1)));
}
int64_t UpUs(absl::Duration d) {
  return absl::ToInt64Microseconds(absl::Ceil(d, absl::Microseconds(1)));
}

// The last moment of anything: the horizon, else the end of what is known.
absl::Time LastEnd(const BoundInstance& instance) {
  if (instance.horizon != absl::InfiniteFuture()) return instance.horizon;
  absl::Time end = absl::InfiniteFuture();
  for (const BoundPool& pool : instance.pools) {
    end = std::min(end, pool.intensity->series().end());
  }
  for (const BoundJob& job : instance.jobs) {
    // A promise may reach beyond it: the forecast's extension is used there.
    if (job.latest_end != absl::InfiniteFuture()) {
      end = std::max(end, job.latest_end);
    } else {
      end = std::max(end, job.release + job.runtime);
    }
  }
  return end;
}

// What one accelerator emits in each slot: of a slot within which the
// intensity changes, its least value throughout, so that the bound holds.
std::vector<double> SlotGrams(const BoundPool& pool, absl::Time origin,
                              int32_t slots) {
  const Forecast& intensity = *pool.intensity;
  const absl::Duration step = intensity.series().step();
  const bool aligned =
      (intensity.series().start() - origin) % kSlot == absl::ZeroDuration() &&
      step % kSlot == absl::ZeroDuration();
  const double kilowatts = pool.grid_power.value() / 1000;
  const double slot_hours = absl::ToDoubleHours(kSlot);
  std::vector<double> grams(slots);
  for (int32_t k = 0; k < slots; ++k) {
    const absl::Time begin = origin + kSlot * k;
    double least = intensity.At(begin).value();
    if (!aligned) {
      const absl::Time end = begin + kSlot;
      const absl::Time start = intensity.series().start();
      absl::Time t = start + absl::Ceil(begin - start, step);
      for (; t < end; t += step) {
        least = std::min(least, intensity.At(t).value());
      }
    }
    grams[k] = kilowatts * slot_hours * least;
  }
  return grams;
}

// Jobs of the same widths share their corners.
class CornerTable {
 public:
  std::shared_ptr<const WidthCorners> Of(const BoundJob& job) {
    std::shared_ptr<const WidthCorners>& corners =
        known_[{job.speedup, job.count, job.least, job.most, job.suspendable}];
    if (corners == nullptr) {
      corners = std::make_shared<const WidthCorners>(
          SpeedCorners(job.speedup != nullptr ? *job.speedup : Speedup(),
                       job.count, job.least, job.most, job.suspendable));
    }
    return corners;
  }

 private:
  std::map<std::tuple<const Speedup*, uint32_t, uint32_t, uint32_t, bool>,
           std::shared_ptr<const WidthCorners>>
      known_;
};

absl::StatusOr<PlanJob> ConvertJob(const BoundInstance& instance, size_t index,
                                   absl::Time origin, absl::Time last_end,
                                   CornerTable& corners) {
  const BoundJob& job = instance.jobs[index];
  const std::string name = absl::StrCat("job ", index, " of the bound");
  if (job.pools.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": no pool"));
  }
  if (job.runtime < absl::ZeroDuration() ||
      job.runtime == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": runtime ", absl::FormatDuration(job.runtime)));
  }
  PlanJob plan;
  plan.release = DownUs(job.release - origin);
  plan.duration = DownUs(job.runtime);
  plan.latest_end = UpUs(std::min(job.latest_end, last_end) - origin);
  plan.count = std::max<uint32_t>(1, job.count);
  plan.suspendable = job.suspendable;
  plan.checkpoint = DownUs(job.checkpoint);
  plan.restart = DownUs(job.restart);
  int64_t least = plan.duration;
  if (job.elastic()) {
    if (job.least < 1 || job.least > plan.count || job.most < plan.count) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": from ", job.least, " to ", job.most,
                       " accelerators, its own ", plan.count));
    }
    plan.corners = corners.Of(job);
    // No slower than at its own width.
    least = static_cast<int64_t>(static_cast<double>(least) /
                                 plan.corners->corners.back().speed);
  }
  if (plan.latest_end < plan.release + least) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": can't end by its latest end"));
  }
  return plan;
}

uint32_t InternPools(std::vector<std::vector<uint16_t>>& placements,
                     const std::vector<uint16_t>& pools) {
  // Few differ; the last used is the likeliest.
  for (size_t i = placements.size(); i-- > 0;) {
    if (placements[i] == pools) return static_cast<uint32_t>(i);
  }
  placements.push_back(pools);
  return static_cast<uint32_t>(placements.size() - 1);
}

absl::StatusOr<PlanInstance> Convert(const BoundInstance& instance) {
  for (size_t p = 0; p < instance.pools.size(); ++p) {
    if (instance.pools[p].intensity == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("pool ", p, " of the bound has no intensity"));
    }
  }
  PlanInstance plan;
  absl::Time origin = absl::InfiniteFuture();
  for (const BoundJob& job : instance.jobs) {
    origin = std::min(origin, job.release);
  }
  origin = absl::UnixEpoch() + absl::Floor(origin - absl::UnixEpoch(), kSlot);
  const absl::Time last_end = LastEnd(instance);
  CornerTable corners;
  int64_t end = 0;
  for (size_t j = 0; j < instance.jobs.size(); ++j) {
    ASSIGN_OR_RETURN(PlanJob job,
                     ConvertJob(instance, j, origin, last_end, corners));
    for (const uint16_t pool : instance.jobs[j].pools) {
      if (pool >= instance.pools.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("job ", j, " of the bound: there is no pool ", pool));
      }
    }
    job.pools = InternPools(plan.placements, instance.jobs[j].pools);
    end = std::max(end, job.latest_end);
    plan.jobs.push_back(job);
  }
  plan.slots = static_cast<int32_t>((end + kSlotUs - 1) / kSlotUs) + 1;
  plan.priced_slots = plan.slots;
  for (const BoundPool& pool : instance.pools) {
    PlanPool converted;
    converted.limited = pool.capacity != kUnlimited;
    converted.capacity = pool.capacity;
    converted.grams = SlotGrams(pool, origin, plan.slots);
    converted.room.assign(plan.slots, pool.capacity);
    plan.pools.push_back(std::move(converted));
  }
  return plan;
}

}  // namespace

absl::StatusOr<BoundResult> CarbonBound(const BoundInstance& instance,
                                        const BoundOptions& options) {
  if (instance.jobs.empty()) return BoundResult{};
  ASSIGN_OR_RETURN(const PlanInstance plan, Convert(instance));
  Pricing pricing(plan);
  const bool limited =
      std::any_of(plan.pools.begin(), plan.pools.end(),
                  [](const PlanPool& pool) { return pool.limited; });
  pricing.Ascend({.rounds = limited ? options.max_rounds : 1,
                  .tolerance = options.tolerance,
                  .patience = options.patience,
                  .hope = 0.05,
                  .least_hope = 1e-6,
                  .mixed = true});
  // Once more, from the prices alone, rather than trust the path to them.
  const double bound = std::max(0.0, pricing.Evaluate(pricing.best_prices()));
  return BoundResult{.carbon = GramsCo2e(bound * (1 - kRoundingMargin)),
                     .rounds = pricing.rounds()};
}

}  // namespace ccsched
