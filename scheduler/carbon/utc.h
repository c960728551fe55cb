// Times as the data of a grid names them: UTC, to the second, hours floored.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_UTC_H_
#define CCSCHED_SCHEDULER_CARBON_UTC_H_

#include <string>

#include "absl/time/time.h"

namespace ccsched {

// "2021-10-03T00:00:00Z".
inline std::string FormatUtc(absl::Time t) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", t, absl::UTCTimeZone());
}

// The beginning of the hour that `t` lies in.
inline absl::Time HourOf(absl::Time t) {
  return absl::UnixEpoch() + absl::Floor(t - absl::UnixEpoch(), absl::Hours(1));
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_UTC_H_
