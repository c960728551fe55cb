// The band of a forecast's error, calibrated on the errors that came of it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_ERROR_BAND_H_
#define CCSCHED_SCHEDULER_CARBON_ERROR_BAND_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace ccsched {

// Errors (actual less forecast) by day of lead and hour of the day, each of the
// last 60 days. The band is conformal: between the ranks that leave one of ten
// errors to come below and one above, were these like the last ones. As they
// are not quite (the seasons turn), the levels of both sides follow what was
// missed of late (adaptive conformal inference). Within a day of lead the band
// is as wide as errors are at that hour of lead.
// Sources: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World;
// Gibbs and Candès, arXiv 2106.00170.
class ErrorBand {
 public:
  static constexpr int64_t kDays = 4, kHours = 24, kLeads = kDays * kHours;

  struct Interval {
    double low, high;
  };
  // The error of a forecast of `hour` made `lead` hours before, and the band
  // that it had then (absent: none was known). REQUIRES: 0 <= lead < 96; in the
  // order of time.
  void Add(int64_t lead, int hour, double error,
           const std::optional<Interval>& promised);
  // Whether errors of this lead are kept, and bands looked back at.
  static bool Sampled(int64_t lead) { return lead % kHours == kHours / 2; }

  // Of ten errors one is below, one above. Absent while too few are known.
  std::optional<Interval> At(int64_t lead, int hour) const;

 private:
  // By day of lead and hour of the day, the newest last.
  std::array<std::array<std::vector<double>, kHours>, kDays> errors_;
  std::array<Interval, kDays> missed_ = {};  // what the levels are lowered by
  std::array<double, kLeads> spread_ = {};   // mean |error| by lead
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_ERROR_BAND_H_
