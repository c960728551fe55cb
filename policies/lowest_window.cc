// lowest-window: the start whose expected run emits least.
// SPDX-License-Identifier: Apache-2.0
#include "policies/all.h"
#include "policies/start_once.h"

namespace ccsched {
namespace {

class LowestWindow : public StartOnce {
 public:
  using StartOnce::StartOnce;

 protected:
  Start Best(const Query& query, Curve& curve, double kw,
             std::vector<double>& grams) const override {
    const WindowStart best = BestWindow(curve, query.now_us, query.length_us,
                                        kHourUs, HourlyStarts(query), grams);
    return {best.start_us, -best.grams * kw};
  }

  double ScoreNow(const Query& query, Curve& curve, double kw) const override {
    return -kw * curve.Grams(query.now_us, query.now_us + query.length_us);
  }
};

}  // namespace

PolicySpec LowestWindowPolicy() {
  return {
      .name = "lowest-window",
      .summary =
          "the start, within the allowed delay, whose expected run "
          "emits least",
      .doc =
          "Tries starts 0, 1, 2, ... hours after the arrival, up to the "
          "allowed delay, at each allowed site, and takes the one whose "
          "expected run emits least as forecast; a start whose run would "
          "pass the horizon is dropped. Plans once and knows nothing of "
          "capacity: a job that is due and finds no room queues, and starts "
          "at the cleanest site with room.\n"
          "Source: Hanafy et al., \"Going Green for Less Green: Optimizing "
          "the Cost of Reducing Cloud Carbon Emissions\" (GAIA), ASPLOS "
          "2024; the non-interrupting strategy of Wiesner et al., \"Let's "
          "Wait Awhile\", Middleware 2021.",
      .parameters = {StartOnce::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<LowestWindow>(parameters);
          },
  };
}

}  // namespace ccsched
