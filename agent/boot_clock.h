// Time since boot, suspension included: what leases and limits are counted by.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_BOOT_CLOCK_H_
#define CCSCHED_AGENT_BOOT_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace ccsched {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;

// Nanoseconds since boot. Never goes back and goes on while the machine is
// suspended, so that a laptop's lid does not stretch a lease.
inline int64_t BootNanos() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * kNanosPerSecond + t.tv_nsec;
}

}  // namespace ccsched

#endif  // CCSCHED_AGENT_BOOT_CLOCK_H_
