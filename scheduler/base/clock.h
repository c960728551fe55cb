// The only reader of wall time, and a clock that runs faster than it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_CLOCK_H_
#define CCSCHED_SCHEDULER_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace ccsched {

// What time it is. Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  // How much real time passes while this clock goes on by `d`.
  virtual absl::Duration ToReal(absl::Duration d) const = 0;
};

class RealClock : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration ToReal(absl::Duration d) const override { return d; }
};

// Shows `origin` at real time `real_origin` and runs `rate` times as fast:
// the clock of an embedded cluster, where an hour passes in seconds. All
// processes that share the three numbers share the clock.
// REQUIRES: rate > 0.
class ScaledClock : public Clock {
 public:
  ScaledClock(absl::Time real_origin, absl::Time origin, double rate)
      : real_origin_(real_origin), origin_(origin), rate_(rate) {}
  absl::Time Now() const override;
  absl::Duration ToReal(absl::Duration d) const override { return d / rate_; }

 private:
  const absl::Time real_origin_;
  const absl::Time origin_;
  const double rate_;
};

// CPU time that this thread has used.
absl::Duration ThreadCpuTime();

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_CLOCK_H_
