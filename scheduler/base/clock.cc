// The only reader of wall time.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace ccsched {

absl::Time RealClock::Now() const { return absl::Now(); }

absl::Time ScaledClock::Now() const {
  return origin_ + (absl::Now() - real_origin_) * rate_;
}

absl::Duration ThreadCpuTime() {
  timespec t = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return absl::DurationFromTimespec(t);
}

}  // namespace ccsched
