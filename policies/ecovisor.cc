// ecovisor: runs while intensity is low for the day, or once it has to.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "policies/all.h"
#include "policies/stop_and_go.h"

namespace ccsched {
namespace {

class Ecovisor : public StopAndGo {
 public:
  explicit Ecovisor(const PolicyParameters& parameters)
      : StopAndGo(parameters),
        percentile_(parameters.at("percentile")),
        window_us_(static_cast<int64_t>(parameters.at("window_h") *
                                        static_cast<double>(kHourUs))) {}

 protected:
  std::unique_ptr<StopAndGo> Fresh() const override {
    return std::make_unique<Ecovisor>(parameters());
  }
  bool TakesFirstChance() const override { return true; }

  Phase Ask(const PolicyInput& in, const Query& query, Track& track) override {
    if (!track.planned) SetBars(in, query, track);
    if (query.where) return AskRunning(in, query, track);
    Phase phase = {.pool = query.pools.front(), .why = ReasonCode::kNoData};
    bool known = false;
    double least = std::numeric_limits<double>::infinity();
    int64_t next_us = query.latest_us;
    phase.run = false;
    for (size_t i = 0; i < query.pools.size(); ++i) {
      Curve* const c = curve(in, query.pools[i]);
      if (c == nullptr) continue;
      known = true;
      const double intensity = c->At(query.now_us);
      if (!(intensity < track.bars[i])) {
        if (!phase.run) {
          next_us = NextEdgeWhere(*c, query.now_us, next_us,
                                  [&](double v) { return v < track.bars[i]; });
          if (next_us < phase.until_us) {
            phase.until_us = next_us;
            phase.pool = query.pools[i];
          }
        }
        continue;
      }
      const double cost = intensity * Kilowatts(in, query.pools[i]);
      if (phase.run && !(cost < least)) continue;
      least = cost;
      phase.run = true;
      phase.pool = query.pools[i];
      phase.until_us = End(*c, query, track.bars[i]);
    }
    if (!known)
      return {.pool = query.pools.front(), .why = ReasonCode::kNoData};
    phase.why = ReasonCode::kThreshold;
    if (phase.run) return phase;
    if (query.latest_us <= query.now_us) {
      return {.pool = CleanestNow(in, query), .why = ReasonCode::kPromise};
    }
    return phase;
  }

  bool Allows(const PolicyInput& in, const Query& query, const Track& track,
              PoolId pool) override {
    if (query.latest_us <= query.now_us) return true;
    Curve* const c = curve(in, pool);
    if (c == nullptr) return true;
    const auto at = std::find(query.pools.begin(), query.pools.end(), pool);
    return c->At(query.now_us) < track.bars[at - query.pools.begin()];
  }

 private:
  Phase AskRunning(const PolicyInput& in, const Query& query,
                   const Track& track) {
    Phase phase = {.pool = *query.where, .why = ReasonCode::kThreshold};
    Curve* const c = curve(in, *query.where);
    if (!query.may_pause || c == nullptr) return phase;
    const auto at =
        std::find(query.pools.begin(), query.pools.end(), *query.where);
    const double bar = track.bars[at - query.pools.begin()];
    phase.run = c->At(query.now_us) < bar;
    phase.until_us = phase.run
                         ? End(*c, query, bar)
                         : NextEdgeWhere(*c, query.now_us, query.latest_us,
                                         [bar](double v) { return v < bar; });
    return phase;
  }

  // The first edge after which the intensity is as `holds` says, or `until`.
  template <typename Fn>
  static int64_t NextEdgeWhere(Curve& curve, int64_t from_us, int64_t until_us,
                               Fn holds) {
    for (int64_t us = curve.NextEdge(from_us); us < until_us;
         us += curve.step_us()) {
      if (holds(curve.At(us))) return us;
    }
    return until_us;
  }

  // When a job that runs now will have to be asked again.
  static int64_t End(Curve& curve, const Query& query, double bar) {
    if (!query.shape.suspendable) return kNeverUs;
    // Beyond its expected end it is asked once more.
    return NextEdgeWhere(curve, query.now_us,
                         curve.NextEdge(query.now_us + query.remaining_us),
                         [bar](double v) { return v >= bar; });
  }

  PoolId CleanestNow(const PolicyInput& in, const Query& query) {
    PoolId best = query.pools.front();
    double least = std::numeric_limits<double>::infinity();
    for (const PoolId pool : query.pools) {
      Curve* const c = curve(in, pool);
      if (c == nullptr) continue;
      const double cost = c->At(query.now_us) * Kilowatts(in, pool);
      if (!(cost < least)) continue;
      least = cost;
      best = pool;
    }
    return best;
  }

  // The thresholds: percentiles of the intensity, weighted by time, over the
  // window that begins now.
  void SetBars(const PolicyInput& in, const Query& query, Track& track) {
    track.planned = true;
    track.bars.clear();
    for (const PoolId pool : query.pools) {
      Curve* const c = curve(in, pool);
      if (c == nullptr) {
        track.bars.push_back(0);
        continue;
      }
      steps_.clear();
      const int64_t end_us = query.now_us + window_us_;
      for (int64_t us = query.now_us; us < end_us;) {
        const int64_t next_us = std::min(end_us, c->NextEdge(us));
        steps_.emplace_back(c->At(us), next_us - us);
        us = next_us;
      }
      std::sort(steps_.begin(), steps_.end());
      double left_us = percentile_ / 100 * static_cast<double>(window_us_);
      double bar = steps_.back().first;
      for (const auto& [intensity, length_us] : steps_) {
        left_us -= static_cast<double>(length_us);
        if (left_us >= 0) continue;
        bar = intensity;
        break;
      }
      track.bars.push_back(bar);
    }
  }

  const double percentile_;
  const int64_t window_us_;
  std::vector<std::pair<double, int64_t>> steps_;
};

}  // namespace

PolicySpec EcovisorPolicy() {
  return {
      .name = "ecovisor",
      .summary =
          "runs while intensity is below the day's 30th percentile, "
          "or once the delay is used up",
      .doc =
          "A job runs while the intensity of a site is strictly below the "
          "30th percentile, weighted by time, of the forecast for the 24 "
          "hours after its submission, and is suspended (if it can be) "
          "while it is not; once its allowed delay is used up it runs to "
          "its end. Needs no runtimes. Knows nothing of capacity.\n"
          "Source: Souza et al., \"Ecovisor: A Virtual Energy System for "
          "Carbon-Efficient Applications\", ASPLOS 2023, as evaluated in "
          "GAIA, ASPLOS 2024.",
      .parameters =
          {{.name = "percentile",
            .unit = "%",
            .default_value = 30,
            .min = 0,
            .max = 100,
            .doc = "a job runs while the intensity is strictly below this "
                   "percentile of the window after its submission",
            .source = "GAIA (ASPLOS'24), its Ecovisor baseline"},
           {.name = "window_h",
            .unit = "h",
            .default_value = 24,
            .min = 1,
            .max = 24 * 14,
            .doc = "length of that window",
            .source = "GAIA (ASPLOS'24), its Ecovisor baseline"},
           StopAndGo::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<Ecovisor>(parameters);
          },
  };
}

}  // namespace ccsched
