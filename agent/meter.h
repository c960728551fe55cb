// What measures accelerators: one interface, one file a kind of hardware.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_METER_H_
#define CCSCHED_AGENT_METER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/base/units.h"

namespace ccsched {

// One accelerator at one instant. What can't be read is absent: unknown, not
// zero.
struct DeviceReading {
  // A counter that only grows, from an origin of its own. If it falls, the
  // driver was loaded anew (a wraparound is undone by the meter).
  std::optional<Joules> energy;
  std::optional<Watts> power;
  std::optional<double> utilisation;  // in [0, 1]
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_total_bytes;
  std::optional<double> celsius;
  // It counts on, from the same origin, while nobody reads it.
  bool energy_lasts = false;
  // Not this device's alone (a board with two of them): marked "estimated".
  bool shared = false;
};

class Meter {
 public:
  virtual ~Meter() = default;
  // As `ccsched nodes` shows it: "nvml", "amd", "intel", "dcgm".
  virtual std::string name() const = 0;
  virtual size_t device_count() const = 0;
  // A reading for each device, in their order.
  virtual std::vector<DeviceReading> Read() = 0;
};

// The meters of this machine; null where it has no such thing.
// `library`: "libnvidia-ml.so.1", or a path.
std::unique_ptr<Meter> OpenNvml(const std::string& library);
// `sys`: where sysfs is, "/sys".
std::unique_ptr<Meter> OpenAmd(const std::string& sys);
std::unique_ptr<Meter> OpenIntel(const std::string& sys);
// `address`: host:port of a DCGM exporter; null if it does not answer.
std::unique_ptr<Meter> OpenDcgm(const std::string& address);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_METER_H_
