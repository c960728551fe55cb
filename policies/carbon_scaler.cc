// carbon-scaler: widens jobs in clean hours, narrows or pauses them in others.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "policies/all.h"
#include "policies/stop_and_go.h"

namespace ccsched {
namespace {

class CarbonScaler : public StopAndGo {
 public:
  explicit CarbonScaler(const PolicyParameters& parameters)
      : StopAndGo(parameters), exponent_(parameters.at("speedup_exponent")) {}

 protected:
  double Speed(double ratio) const override {
    return exponent_ == 1 ? ratio : std::pow(ratio, exponent_);
  }

  std::unique_ptr<StopAndGo> Fresh() const override {
    return std::make_unique<CarbonScaler>(parameters());
  }

  Phase Ask(const PolicyInput& in, const Query& query, Track& track) override {
    if (!Stands(query, track) && !Plan(in, query, track)) {
      return {.pool = query.pools.front(), .why = ReasonCode::kNoData};
    }
    return Follow(query, track);
  }

 private:
  // Of a job's window, what lies within one step of the forecast.
  struct Slot {
    int64_t start_us;
    int64_t end_us;
    double intensity;
    uint32_t count = 0;
    int64_t split_us = 0;  // `count` until then, `count_after` from then on
    uint32_t count_after = 0;
  };
  // Going up to `count` accelerators in a slot.
  struct Item {
    double work_per_gram;
    double work_us;  // at the job's own count
    uint32_t slot;
    uint32_t count;
    uint32_t before;  // the count that it goes up from
    bool operator<(const Item& o) const {
      if (work_per_gram != o.work_per_gram) {
        return work_per_gram > o.work_per_gram;
      }
      return slot != o.slot ? slot < o.slot : count < o.count;
    }
  };

  bool Plan(const PolicyInput& in, const Query& query, Track& track) {
    track.planned = true;
    if (!query.shape.suspendable) return PlanUnbroken(in, query, track);
    double least = std::numeric_limits<double>::infinity();
    track.plan.clear();
    track.next_stint = 0;
    for (const PoolId pool : query.pools) {
      if (query.where && pool != *query.where) continue;
      Curve* const c = curve(in, pool);
      if (c == nullptr) continue;
      Slice(query, *c);
      Allocate(query);
      const double grams = Collect(*c) * Kilowatts(in, pool);
      if (!(grams < least)) continue;
      least = grams;
      track.pool = pool;
      track.plan.swap(stints_);
    }
    return !track.plan.empty();
  }

  // Fills slots_ and items_ with what the job's window offers.
  void Slice(const Query& query, Curve& curve) {
    const int64_t end_us = std::max(
        query.now_us + query.remaining_us,
        std::min(query.latest_us + query.remaining_us, query.horizon_us));
    const JobShape& shape = query.shape;
    slots_.clear();
    items_.clear();
    for (int64_t us = query.now_us; us < end_us;) {
      const int64_t next_us = std::min(end_us, curve.NextEdge(us));
      const auto slot = static_cast<uint32_t>(slots_.size());
      slots_.push_back(
          {.start_us = us, .end_us = next_us, .intensity = curve.At(us)});
      uint32_t before = 0;
      uint32_t count = exponent_ == 1 ? shape.max_count : shape.min_count;
      for (; count <= shape.max_count; before = count++) {
        const double speed = SpeedOf(shape, count) - SpeedOf(shape, before);
        const double grams =
            slots_[slot].intensity * static_cast<double>(count - before);
        items_.push_back(
            {.work_per_gram =
                 grams > 0 ? speed / grams : std::numeric_limits<double>::max(),
             .work_us = speed * static_cast<double>(next_us - us),
             .slot = slot,
             .count = count,
             .before = before});
      }
      us = next_us;
    }
    std::sort(items_.begin(), items_.end());
  }

  double SpeedOf(const JobShape& shape, uint32_t count) const {
    return count == 0 ? 0 : Speed(static_cast<double>(count) / shape.count);
  }

  // The published greedy: the next accelerator goes where it does most work
  // for its carbon, until all work is done.
  void Allocate(const Query& query) {
    auto left_us = static_cast<double>(query.remaining_us);
    for (const Item& item : items_) {
      Slot& slot = slots_[item.slot];
      slot.count = item.count;
      slot.split_us = slot.end_us;
      if (item.work_us < left_us) {
        left_us -= item.work_us;
        continue;
      }
      slot.count_after = item.before;
      slot.split_us = slot.start_us +
                      static_cast<int64_t>(std::ceil(
                          left_us / item.work_us *
                          static_cast<double>(slot.end_us - slot.start_us)));
      return;
    }
  }

  // Joins the slots to stints_; returns what they emit for each kilowatt of
  // one accelerator.
  double Collect(Curve& curve) {
    stints_.clear();
    double grams = 0;
    const auto add = [&](int64_t from_us, int64_t to_us, uint32_t count) {
      if (count == 0 || from_us >= to_us) return;
      grams += curve.Grams(from_us, to_us) * count;
      if (!stints_.empty() && stints_.back().end_us == from_us &&
          stints_.back().count == count) {
        stints_.back().end_us = to_us;
      } else {
        stints_.push_back({from_us, to_us, count});
      }
    };
    for (const Slot& slot : slots_) {
      if (slot.count == 0) continue;
      add(slot.start_us, slot.split_us, slot.count);
      add(slot.split_us, slot.end_us, slot.count_after);
    }
    return grams;
  }

  const double exponent_;
  std::vector<Slot> slots_;
  std::vector<Item> items_;
  std::vector<Stint> stints_;
};

}  // namespace

PolicySpec CarbonScalerPolicy() {
  return {
      .name = "carbon-scaler",
      .summary =
          "elastic jobs: gives the next accelerator to the hour that "
          "does most work for its carbon",
      .doc =
          "Plans an elastic job over the hours until its deadline: at "
          "first none of them has any accelerators; then the next goes to "
          "the hour in which it does most work for its carbon (an hour "
          "begins with the job's least width), until all work is done. In "
          "hours without accelerators the job is suspended; what that "
          "costs is not weighed. At several sites: at the one where the "
          "plan emits least. Planned anew when the job could not run as "
          "planned. A job that is not suspendable takes the start of least "
          "emission at its own width. Knows nothing of capacity.\n"
          "Source: Hanafy et al., \"CarbonScaler: Leveraging Cloud "
          "Workload Elasticity for Optimizing Carbon-Efficiency\", "
          "SIGMETRICS 2024, algorithm 1.",
      .parameters =
          {{.name = "speedup_exponent",
            .unit = "",
            .default_value = 1,
            .min = 0.1,
            .max = 1,
            .doc = "a job does k^this times its work on k times its own "
                   "accelerators; 1: as much as the accelerators do",
            .source = "the profile is the job's own in the paper; linear is "
                      "the best case there"},
           StopAndGo::WaitParameter()},
      .given_lengths = true,
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<CarbonScaler>(parameters);
          },
  };
}

}  // namespace ccsched
