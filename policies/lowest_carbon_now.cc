// lowest-carbon-now: the cleanest site with room, at once.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "policies/all.h"
#include "policies/dispatch.h"
#include "policies/offers.h"
#include "policies/window.h"

namespace ccsched {
namespace {

class LowestCarbonNow : public Policy {
 public:
  void Decide(const PolicyInput& in, Actions& actions) override {
    curves_.Refresh(in);
    if (in.cold || in.forecast_changed) orders_.clear();
    if (in.queue.empty()) return;
    const auto start = [&](JobRef job) { return Try(in, actions, job); };
    const auto latest_us = [&](JobRef job) {
      return ToUs(in.LatestStart(job, &RuntimeBelief::mean));
    };
    queue_.Run(in, arrivals_.Of(in), in.capacity_freed, start, latest_us);
  }

  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const override {
    std::vector<Choice> offers = OffersNow(in, job, shape);
    std::stable_sort(
        offers.begin(), offers.end(), [&](const Choice& a, const Choice& b) {
          const bool a_fits = in.pools[a.pool.value()].free >= shape.count;
          const bool b_fits = in.pools[b.pool.value()].free >= shape.count;
          if (a_fits != b_fits) return a_fits;
          if (a.valid != b.valid) return a.valid;
          return a.valid && in.forecast(a.pool)->At(in.now) <
                                in.forecast(b.pool)->At(in.now);
        });
    return offers;
  }

 private:
  // A placement's pools, cleanest first; those of unknown intensity last.
  struct Order {
    int64_t until_us = std::numeric_limits<int64_t>::min();
    bool any_known = false;
    std::vector<std::pair<double, PoolId>> pools;
  };

  const Order& OrderOf(const PolicyInput& in, PlacementId placement) {
    if (placement.value() >= orders_.size()) {
      orders_.resize(placement.value() + 1);
    }
    Order& order = orders_[placement.value()];
    const int64_t now_us = ToUs(in.now);
    if (now_us < order.until_us) return order;
    order = {.until_us = kNeverUs};
    for (const PoolId pool : in.placements[placement]) {
      double intensity = std::numeric_limits<double>::infinity();
      if (Curve* const curve = curves_.of(in, pool)) {
        intensity = curve->At(now_us);
        order.until_us = std::min(order.until_us, curve->NextEdge(now_us));
        order.any_known = true;
      }
      order.pools.emplace_back(intensity, pool);
    }
    std::stable_sort(
        order.pools.begin(), order.pools.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    return order;
  }

  bool Try(const PolicyInput& in, Actions& actions, JobRef job) {
    const Order& order = OrderOf(in, in.shape(job).placement);
    Reason reason;
    reason.code =
        order.any_known ? ReasonCode::kCleanestNow : ReasonCode::kNoData;
    reason.chosen.start = in.now;
    for (const auto& [intensity, pool] : order.pools) {
      if (!queue_.MayUse(in, pool)) continue;
      reason.chosen.pool = pool;
      if (actions.Start(job, pool, reason)) return true;
    }
    return false;
  }

  Curves curves_;
  Arrivals arrivals_;
  DueJobs queue_;
  std::vector<Order> orders_;  // by placement
};

}  // namespace

PolicySpec LowestCarbonNowPolicy() {
  return {
      .name = "lowest-carbon-now",
      .summary =
          "the site with room whose grid is cleanest now; never waits "
          "for a cleaner hour",
      .doc =
          "Each job starts as soon as any allowed site has room, at the "
          "one with the lowest forecast intensity at this moment; the "
          "listed order decides between equals, and sites of unknown "
          "intensity come last. A job that fits nowhere lets others pass. "
          "Shifts work in space only, never in time.",
      .parameters = {},
      .make =
          [](const PolicyParameters&) {
            return std::make_unique<LowestCarbonNow>();
          },
  };
}

}  // namespace ccsched
