// The only reader of wall time.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace ccsched {
namespace {

// It goes on while the machine is suspended.
absl::Duration SinceBoot() {
  timespec t = {};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return absl::DurationFromTimespec(t);
}

}  // namespace

absl::Time RealClock::Now() const { return absl::Now(); }

ScaledClock::ScaledClock(absl::Time real_origin, absl::Time origin, double rate)
    : rate_(rate),
      boot_(SinceBoot()),
      then_(origin + (absl::Now() - real_origin) * rate) {}

absl::Time ScaledClock::Now() const {
  return then_ + (SinceBoot() - boot_) * rate_;
}

absl::Duration ThreadCpuTime() {
  timespec t = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return absl::DurationFromTimespec(t);
}

}  // namespace ccsched
