// Adds up one accelerator's energy from its readings, gaps marked.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_DEVICE_TRACK_H_
#define CCSCHED_AGENT_DEVICE_TRACK_H_

#include <optional>

#include "absl/time/time.h"
#include "agent/meter.h"
#include "scheduler/base/units.h"

namespace ccsched {

// Totals since the first reading; a difference of two is a stretch of time.
struct DeviceTotal {
  Joules joules;
  Joules estimated;  // the part of it that no counter of its own gave
  absl::Duration seen;
  absl::Duration use_known;  // the time for which its use is known
  absl::Duration busy;       // use integrated over that time
};

class DeviceTrack {
 public:
  // `elapsed`: real time since the last reading. `fallback`: its power where
  // neither a counter nor its power was ever read.
  //
  // Between two readings of the counter its difference is the energy, whatever
  // the power was. A counter that fell, or is missing at one end, is stood in
  // for by power times time, marked as estimated: power sensors sample only a
  // part of the time.
  // Source: Yang, Adamek, Armour, "Part-time power measurements", 2023
  // (arXiv 2312.02741).
  void Feed(const DeviceReading& reading, absl::Duration elapsed,
            Watts fallback);
  const DeviceTotal& total() const { return total_; }
  const std::optional<DeviceReading>& last() const { return last_; }

 private:
  DeviceTotal total_;
  std::optional<DeviceReading> last_;
  std::optional<Watts> power_;  // the last one known
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_DEVICE_TRACK_H_
