// wait-awhile: runs in the cheapest hours, suspended between them.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <memory>

#include "policies/all.h"
#include "policies/stop_and_go.h"

namespace ccsched {
namespace {

class WaitAwhile : public StopAndGo {
 public:
  using StopAndGo::StopAndGo;

 protected:
  std::unique_ptr<StopAndGo> Fresh() const override {
    return std::make_unique<WaitAwhile>(parameters());
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
    double intensity;
    int64_t start_us;
    int64_t end_us;
    bool operator<(const Slot& o) const {
      return intensity != o.intensity ? intensity < o.intensity
                                      : start_us < o.start_us;
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
      const double grams = Cheapest(query, *c) * Kilowatts(in, pool);
      if (!(grams < least)) continue;
      least = grams;
      track.pool = pool;
      track.plan.swap(stints_);
    }
    return !track.plan.empty();
  }

  // Fills stints_ with the cheapest parts of the window, the earliest of
  // equals; returns what a kilowatt emits in them.
  double Cheapest(const Query& query, Curve& curve) {
    const int64_t end_us = std::max(
        query.now_us + query.remaining_us,
        std::min(query.latest_us + query.remaining_us, query.horizon_us));
    slots_.clear();
    for (int64_t us = query.now_us; us < end_us;) {
      const int64_t next_us = std::min(end_us, curve.NextEdge(us));
      slots_.push_back({curve.At(us), us, next_us});
      us = next_us;
    }
    std::sort(slots_.begin(), slots_.end());
    stints_.clear();
    double grams = 0;
    int64_t left_us = query.remaining_us;
    for (const Slot& slot : slots_) {
      const int64_t used_us = std::min(left_us, slot.end_us - slot.start_us);
      stints_.push_back({slot.start_us, slot.start_us + used_us, 0});
      grams += slot.intensity * (used_us * StepSeries::kHoursPerUs);
      left_us -= used_us;
      if (left_us == 0) break;
    }
    std::sort(
        stints_.begin(), stints_.end(),
        [](const Stint& a, const Stint& b) { return a.start_us < b.start_us; });
    size_t last = 0;
    for (size_t i = 1; i < stints_.size(); ++i) {
      if (stints_[i].start_us == stints_[last].end_us) {
        stints_[last].end_us = stints_[i].end_us;
      } else {
        stints_[++last] = stints_[i];
      }
    }
    stints_.resize(last + 1);
    return grams;
  }

  std::vector<Slot> slots_;
  std::vector<Stint> stints_;
};

}  // namespace

PolicySpec WaitAwhilePolicy() {
  return {
      .name = "wait-awhile",
      .summary =
          "runs in the cheapest hours before its deadline, suspended "
          "between them",
      .doc =
          "A suspendable job runs in the hours of lowest forecast intensity "
          "between its submission and submission + runtime + allowed "
          "delay, the earliest of equals, and is suspended between them; "
          "what a suspension costs is not weighed. At several sites: at "
          "the one where that emits least. When it could not run as "
          "planned, or its runtime turns out another than believed, it is "
          "planned anew. A job that is not suspendable takes the start of "
          "least emission, as under lowest-window. Knows nothing of "
          "capacity: a job that is due and finds no room waits, and runs "
          "at the cleanest site with room.\n"
          "Source: Wiesner et al., \"Let's Wait Awhile: How Temporal "
          "Workload Shifting Can Reduce Carbon Emissions in the Cloud\", "
          "Middleware 2021.",
      .parameters = {StopAndGo::WaitParameter()},
      .given_lengths = true,
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<WaitAwhile>(parameters);
          },
  };
}

}  // namespace ccsched
