// threshold: a quota of running work by the thresholds of k-search.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>

#include "policies/all.h"
#include "policies/quota.h"
#include "policies/start_once.h"

namespace ccsched {
namespace {

class Threshold : public Quota {
 public:
  explicit Threshold(const PolicyParameters& parameters)
      : Quota(parameters),
        min_share_(parameters.at("min_share")),
        window_us_(static_cast<int64_t>(parameters.at("window_h") *
                                        static_cast<double>(kHourUs))) {}

 protected:
  double Share(const PolicyInput& in, PoolId, Curve& curve) override {
    const int64_t now_us = ToUs(in.now);
    const double intensity = curve.At(now_us);
    double low = intensity;
    double high = intensity;
    for (int64_t us = curve.NextEdge(now_us); us < now_us + window_us_;
         us += curve.step_us()) {
      low = std::min(low, curve.At(us));
      high = std::max(high, curve.At(us));
    }
    return min_share_ + (1 - min_share_) * SearchShare(intensity, low, high);
  }

 private:
  // The share of k thresholds, k large, that lie at or above `intensity`.
  static double SearchShare(double intensity, double low, double high) {
    if (!(low > 0) || high <= low) return intensity <= low ? 1 : 0;
    const double alpha = Alpha(low, high);
    const double first = high / alpha;
    if (intensity > first) return 0;
    // Threshold i is high - (high - first) * (1 + 1 / (k alpha))^(i - 1).
    return std::clamp(alpha * std::log((high - intensity) / (high - first)),
                      0.0, 1.0);
  }

  // The competitive ratio: e^(1/a) = (high - low) / (high * (1 - 1/a)), the
  // limit of (1 + 1/(k a))^k for large k.
  static double Alpha(double low, double high) {
    double below = 1;
    double above = high / low;
    for (int i = 0; i < 60; ++i) {
      const double a = (below + above) / 2;
      if (std::exp(1 / a) * high * (1 - 1 / a) < high - low) {
        below = a;
      } else {
        above = a;
      }
    }
    return above;
  }

  const double min_share_;
  const int64_t window_us_;
};

}  // namespace

PolicySpec ThresholdPolicy() {
  return {
      .name = "threshold",
      .summary =
          "a quota of running work, set by thresholds between the "
          "least and the greatest intensity ahead",
      .doc =
          "Each site may have a share of its accelerators at work that "
          "grows as its intensity falls: the thresholds are those of "
          "k-search between the least and the greatest intensity forecast "
          "for the next 48 h. At the greatest only a minimum is at work, "
          "at the least all. Running work is never stopped; a job at its "
          "latest start needs no quota. Needs no runtimes.\n"
          "Source: the CAP scheduler of Lechowicz et al., \"Carbon- and "
          "Precedence-Aware Scheduling for Data Processing Clusters\", "
          "arXiv 2502.09717; thresholds of Lorenz, Panagiotou and Steger, "
          "\"Optimal algorithms for k-search with application in option "
          "pricing\", Algorithmica 2009.",
      .parameters =
          {{.name = "min_share",
            .unit = "",
            .default_value = 0.2,
            .min = 0,
            .max = 1,
            .doc = "share of a site that may be at work at any intensity (B "
                   "of K in CAP)",
            .source = "a free parameter of CAP; a fifth is our choice"},
           {.name = "window_h",
            .unit = "h",
            .default_value = 48,
            .min = 1,
            .max = 24 * 14,
            .doc = "how far ahead the least and the greatest intensity are "
                   "looked for",
            .source = "CAP, arXiv 2502.09717"},
           StartOnce::WaitParameter()},
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<Threshold>(parameters);
          },
  };
}

}  // namespace ccsched
