// The cluster's clock: three numbers that all its processes share.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_CLOCK_SETTING_H_
#define CCSCHED_SCHEDULER_DAEMON_CLOCK_SETTING_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

// See ScaledClock.
struct ClockSetting {
  absl::Time real_origin;
  absl::Time origin;
  double rate = 1;
};

// What there is to go by at a start.
struct ClockRecord {
  std::vector<std::pair<std::string, std::string>> settings;  // of the ledger
  std::optional<absl::Time> last_step;
};

// The clock to run by. A recorded one goes on; but after a pause of more than
// five real minutes a clock that runs fast goes on from the last step rather
// than leap over months, and another rate starts where the clock stands now.
// `real_origin` counts only at the first start.
ClockSetting ResolveClock(const ClockRecord& record,
                          const v1::ClockConfig& config,
                          std::optional<absl::Time> real_origin,
                          absl::Time real_now);

// As settings to record.
std::vector<std::pair<std::string, std::string>> ToSettings(
    const ClockSetting& clock);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_CLOCK_SETTING_H_
