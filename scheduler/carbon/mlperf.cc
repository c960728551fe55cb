// MLPerf Training power: the energy of a node from its power log, and the log.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/mlperf.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {

absl::StatusOr<Joules> MlperfEnergy(const MlperfNode& node,
                                    absl::Duration time_to_train) {
  if (node.readings.empty() || node.stop <= node.start) {
    return absl::InvalidArgumentError(
        "a power log without a reading, or that ends before it starts");
  }
  KilowattHours sum;
  absl::Time before = node.start;
  for (const PowerReading& r : node.readings) {
    if (r.at < before || r.at > node.stop) {
      return absl::InvalidArgumentError(
          absl::StrFormat("power reading at %s is out of order or outside of "
                          "the measurement",
                          FormatUtc(r.at)));
    }
    sum += r.power * (r.at - before);
    before = r.at;
  }
  return ToJoules(sum) * node.conversion_efficiency *
         absl::FDivDuration(time_to_train, node.stop - node.start);
}

std::string MlperfLog(const MlperfNode& node) {
  std::string out;
  const auto line = [&out](absl::Time t, const char* type, const char* key,
                           const std::string& value) {
    absl::StrAppendFormat(
        &out,
        ":::MLLOG {\"namespace\": \"\", \"time_ms\": %d, \"event_type\": "
        "\"%s\", \"key\": \"%s\", \"value\": %s, \"metadata\": {}}\n",
        absl::ToUnixMillis(t), type, key, value);
  };
  line(node.start, "INTERVAL_START", "power_measurement_start", "null");
  line(node.start, "POINT_IN_TIME", "conversion_eff",
       absl::StrFormat("%.6g", node.conversion_efficiency));
  line(node.start, "POINT_IN_TIME", "interconnect_power_est",
       absl::StrFormat("%.6g", node.interconnect.value()));
  for (const PowerReading& r : node.readings) {
    line(r.at, "POINT_IN_TIME", "power_reading",
         absl::StrFormat("%.6g", r.power.value()));
  }
  line(node.stop, "INTERVAL_END", "power_measurement_stop", "null");
  return out;
}

}  // namespace ccsched
