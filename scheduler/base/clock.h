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
// processes that share the three numbers share the clock. The wall clock is
// looked at once, when this is made: should it be set later on, by hand or by
// NTP, this one neither jumps nor stops.
// REQUIRES: rate > 0.
class ScaledClock : public Clock {
 public:
  ScaledClock(absl::Time real_origin, absl::Time origin, double rate);
  absl::Time Now() const override;
  absl::Duration ToReal(absl::Duration d) const override { return d / rate_; }

 private:
  const double rate_;
  const absl::Duration boot_;  // since the machine's boot, when it was made
  const absl::Time then_;      // what it showed then
};

// CPU time that this thread has used.
absl::Duration ThreadCpuTime();

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_CLOCK_H_
