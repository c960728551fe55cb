// lowest-slot: the hour of lowest intensity within the allowed delay.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "policies/all.h"
#include "policies/start_once.h"

namespace ccsched {
namespace {

class LowestSlot : public StartOnce {
 public:
  using StartOnce::StartOnce;

 protected:
  // Intensity changes at edges only, so the first moment of the least one is
  // the arrival or an edge.
  Start Best(const Query& query, Curve& curve, double kw,
             std::vector<double>&) const override {
    const int64_t until =
        std::min(query.latest_us, query.horizon_us - query.length_us);
    int64_t best_us = query.now_us;
    double least = curve.At(query.now_us);
    for (int64_t edge_us = curve.NextEdge(query.now_us); edge_us <= until;
         edge_us += curve.step_us()) {
      const double intensity = curve.At(edge_us);
      if (!(intensity < least)) continue;
      least = intensity;
      best_us = edge_us;
    }
    return {best_us, -least * kw};
  }

  double ScoreNow(const Query& query, Curve& curve, double kw) const override {
    return -kw * curve.At(query.now_us);
  }
};

}  // namespace

PolicySpec LowestSlotPolicy() {
  return {
      .name = "lowest-slot",
      .summary =
          "the first moment of lowest intensity within the allowed "
          "delay",
      .doc =
          "Starts each job at the first moment of lowest forecast intensity "
          "(times the site's PUE and the accelerator's power, where several "
          "sites are allowed) between its arrival and its latest start. "
          "Needs no runtimes. Plans once and knows nothing of capacity: a "
          "job that is due and finds no room queues, and starts at the "
          "cleanest site with room.\n"
          "Source: Hanafy et al., \"Going Green for Less Green: Optimizing "
          "the Cost of Reducing Cloud Carbon Emissions\" (GAIA), ASPLOS "
          "2024.",
      .parameters = {StartOnce::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<LowestSlot>(parameters);
          },
  };
}

}  // namespace ccsched
