// The modelled meter: power from the measured use of processors.
// SPDX-License-Identifier: Apache-2.0
#include "agent/energy.h"

#include <algorithm>

#include "scheduler/wire/proto_time.h"

namespace ccsched {

std::optional<double> Utilisation(const ModelledUse& use) {
  const double seconds = absl::ToDoubleSeconds(use.real);
  if (seconds <= 0 || use.count == 0) return std::nullopt;
  const double cpu_s =
      static_cast<double>(use.to.cpu_ns - use.from.cpu_ns) / 1e9;
  return std::clamp(cpu_s / (seconds * use.count), 0.0, 1.0);
}

v1::EnergySample ModelledSample(AttemptId id, const ModelledUse& use,
                                double utilisation, const char* method) {
  const Watts power =
      (use.idle + (use.active - use.idle) * utilisation) * use.count;
  const Joules energy = ToJoules(power * (use.to.until - use.from.until));
  v1::EnergySample sample;
  *sample.mutable_key() = ToProto(id);
  *sample.mutable_start() = ToProto(use.from.until);
  *sample.mutable_end() = ToProto(use.to.until);
  sample.set_joules(energy.value());
  sample.set_method(method);
  sample.set_utilisation(utilisation);
  return sample;
}

}  // namespace ccsched
