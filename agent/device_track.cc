// Adds up one accelerator's energy from its readings, gaps marked.
// SPDX-License-Identifier: Apache-2.0
#include "agent/device_track.h"

namespace ccsched {

void DeviceTrack::Feed(const DeviceReading& reading, absl::Duration elapsed,
                       Watts fallback) {
  if (last_) {
    total_.seen += elapsed;
    const bool counted =
        reading.energy && last_->energy && *reading.energy >= *last_->energy;
    Joules joules;
    if (counted) {
      joules = *reading.energy - *last_->energy;
    } else {
      Watts power = power_.value_or(fallback);
      if (reading.power) {
        power = power_ ? (*power_ + *reading.power) / 2 : *reading.power;
      }
      joules = ToJoules(power * elapsed);
    }
    total_.joules += joules;
    if (!counted || reading.shared) total_.estimated += joules;
    if (reading.utilisation) {
      total_.use_known += elapsed;
      total_.busy += elapsed * *reading.utilisation;
    }
  }
  if (reading.power) power_ = reading.power;
  last_ = reading;
}

}  // namespace ccsched
