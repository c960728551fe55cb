// The meters of a node, read once a second, and what attempts took of them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_METER_BANK_H_
#define CCSCHED_AGENT_METER_BANK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/device_track.h"
#include "agent/meter.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/base/units.h"

namespace ccsched {

// Finds a meter by its name: "nvml", "nvml:/path/to/library", "dcgm:host:port",
// "amd", "intel", "auto" (the first of nvml, amd, intel that is there), or
// "model", which is none. Errors: NotFound if the one that was asked for by
// name is not there; InvalidArgument for a name that is none. One that does not
// answer within seconds is taken to have `count` devices, of which nothing is
// known before it does.
absl::StatusOr<std::unique_ptr<Meter>> OpenMeter(const std::string& name,
                                                 const std::string& sys,
                                                 uint32_t count);

class MeterBank {
 public:
  // `slots`: accelerators as the scheduler counts them. With more of them than
  // devices, several share one: their energy is split evenly and marked.
  // REQUIRES: meter is not null and has a device; slots > 0.
  MeterBank(std::unique_ptr<Meter> meter, uint32_t slots);

  std::string name() const { return meter_->name(); }
  // What a device is taken to draw where nothing about it was ever read.
  void set_fallback(Watts power) { fallback_ = power; }

  // Reads all devices, unless that was done less than a tenth of a second ago.
  void Poll(int64_t boot_nanos);

  // Where the devices of these slots stand; to be handed to Since later.
  using Mark = std::vector<DeviceTotal>;
  Mark MarkOf(const std::vector<uint32_t>& slots) const;
  struct Use {
    Joules joules;
    bool estimated = false;  // in part or whole
    std::optional<double> utilisation;
  };
  Use Since(const Mark& mark, const std::vector<uint32_t>& slots) const;

  // What the counters of these slots' devices showed last; nothing unless each
  // is a slot's alone and goes on counting while no agent reads it.
  std::optional<std::vector<Joules>> CountersOf(
      const std::vector<uint32_t>& slots) const;

  // Energy of all devices since the first reading.
  Joules total() const;
  // The state of each accelerator, as last read.
  void Describe(v1::Telemetry& telemetry) const;

 private:
  size_t DeviceOf(uint32_t slot) const { return slot / slots_per_device_; }

  const std::unique_ptr<Meter> meter_;
  const uint32_t slots_;
  const uint32_t slots_per_device_;
  std::vector<DeviceTrack> tracks_;
  Watts fallback_;
  std::optional<int64_t> polled_ns_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_METER_BANK_H_
