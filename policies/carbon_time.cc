// carbon-time: the most carbon saved for the time until completion.
// SPDX-License-Identifier: Apache-2.0
#include "policies/all.h"
#include "policies/start_once.h"

namespace ccsched {
namespace {

class CarbonTime : public StartOnce {
 public:
  using StartOnce::StartOnce;

 protected:
  bool ComparesWithNow() const override { return true; }

  Start Best(const Query& query, Curve& curve, double kw,
             std::vector<double>& grams) const override {
    const int n = HourlyStarts(query);
    if (static_cast<size_t>(n) > grams.size()) grams.resize(n);
    curve.Windows(query.now_us, query.length_us, kHourUs, n, grams.data());
    const double length_h = query.length_us * StepSeries::kHoursPerUs;
    int best = 0;
    double most = (query.now_grams - grams[0] * kw) / length_h;
    for (int k = 1; k < n; ++k) {
      const double saved = (query.now_grams - grams[k] * kw) / (k + length_h);
      if (!(saved > most)) continue;
      most = saved;
      best = k;
    }
    return {query.now_us + best * kHourUs, most};
  }

  double ScoreNow(const Query& query, Curve& curve, double kw) const override {
    return -kw * curve.Grams(query.now_us, query.now_us + query.length_us);
  }
};

}  // namespace

PolicySpec CarbonTimePolicy() {
  return {
      .name = "carbon-time",
      .summary =
          "the start that saves most carbon for each hour until the "
          "job is done",
      .doc =
          "Tries starts 0, 1, 2, ... hours after the arrival, up to the "
          "allowed delay, at each allowed site, and takes the one with the "
          "greatest saving, against starting at once at the best site, "
          "divided by the time from the arrival to the run's end: it waits "
          "only as long as waiting pays. A start whose run would pass the "
          "horizon is dropped. Plans once and knows nothing of capacity: a "
          "job that is due and finds no room queues, and starts at the "
          "cleanest site with room.\n"
          "Source: Hanafy et al., \"Going Green for Less Green: Optimizing "
          "the Cost of Reducing Cloud Carbon Emissions\" (GAIA), ASPLOS "
          "2024.",
      .parameters = {StartOnce::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<CarbonTime>(parameters);
          },
  };
}

}  // namespace ccsched
