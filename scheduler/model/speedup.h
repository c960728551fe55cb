// How fast an elastic job is at other widths than its own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_SPEEDUP_H_
#define CCSCHED_SCHEDULER_MODEL_SPEEDUP_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ccsched {

// Widths and speeds are multiples of those of the job at its own count: a speed
// of 1.7 at width 2 says that twice the accelerators do 1.7 times the work.
struct SpeedupPoint {
  double width = 1;
  double speed = 1;

  friend bool operator==(const SpeedupPoint&, const SpeedupPoint&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const SpeedupPoint& p) {
    return H::combine(std::move(h), p.width, p.speed);
  }
};

// Either a formula, width ^ exponent, or points as measured, a straight line
// between each two, and from nothing at width 0 to the first. Beyond the last
// point nothing is gained. Immutable.
class Speedup {
 public:
  // Linear.
  Speedup() = default;
  // Errors: InvalidArgument if it is not above 0 and at most 2.
  static absl::StatusOr<Speedup> Power(double exponent);
  // Errors: InvalidArgument, naming the point, if widths do not grow, speeds
  // fall or are not above 0, or there is no point of speed 1 at width 1.
  static absl::StatusOr<Speedup> Measured(std::vector<SpeedupPoint> points);

  // REQUIRES: width > 0.
  double At(double width) const;
  // The points of a line that lies nowhere below the speeds between these two
  // widths, from the first to the last of them: on the speeds where they follow
  // straight lines, at its ends anyway, and nowhere far above. REQUIRES:
  // 0 < least <= most.
  std::vector<SpeedupPoint> LineAbove(double least, double most) const;
  // The width of the last point; infinite for a formula.
  double widest() const;

  friend bool operator==(const Speedup&, const Speedup&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Speedup& s) {
    return H::combine(std::move(h), s.exponent_, s.points_);
  }

 private:
  double exponent_ = 1;
  std::vector<SpeedupPoint> points_;  // empty: the formula
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_SPEEDUP_H_
