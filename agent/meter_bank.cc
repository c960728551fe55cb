// The meters of a node, read once a second, and what attempts took of them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/meter_bank.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/patient_meter.h"

namespace ccsched {
namespace {

constexpr int64_t kPollNsMin = kNanosPerSecond / 10;
constexpr char kNvmlLibrary[] = "libnvidia-ml.so.1";
// The agent does nothing else meanwhile.
constexpr std::chrono::milliseconds kPatience{1000};

std::unique_ptr<Meter> WithPatience(std::unique_ptr<Meter> meter) {
  if (meter == nullptr) return meter;
  return std::make_unique<PatientMeter>(std::move(meter), kPatience);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Meter>> OpenMeter(const std::string& name,
                                                 const std::string& sys) {
  std::unique_ptr<Meter> meter;
  if (name == "model") return meter;
  if (name == "auto") {
    meter = OpenNvml(kNvmlLibrary);
    if (meter == nullptr) meter = OpenAmd(sys);
    if (meter == nullptr) meter = OpenIntel(sys);
    return WithPatience(std::move(meter));
  }
  const std::string kind = name.substr(0, name.find(':'));
  const std::string where =
      kind.size() < name.size() ? name.substr(kind.size() + 1) : "";
  if (kind == "nvml") {
    meter = OpenNvml(where.empty() ? kNvmlLibrary : where);
  } else if (kind == "dcgm") {
    meter = OpenDcgm(where.empty() ? "127.0.0.1:9400" : where);
  } else if (kind == "amd") {
    meter = OpenAmd(sys);
  } else if (kind == "intel") {
    meter = OpenIntel(sys);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--meter ", name,
                     ": known are auto, model, nvml[:LIBRARY], "
                     "dcgm[:HOST:PORT], amd, intel"));
  }
  if (meter == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("--meter ", name, ": nothing to read on this machine"));
  }
  return WithPatience(std::move(meter));
}

MeterBank::MeterBank(std::unique_ptr<Meter> meter, uint32_t slots)
    : meter_(std::move(meter)),
      slots_(slots),
      slots_per_device_((slots + meter_->device_count() - 1) /
                        meter_->device_count()),
      tracks_(meter_->device_count()) {}

void MeterBank::Poll(int64_t boot_nanos) {
  if (polled_ns_ && boot_nanos - *polled_ns_ < kPollNsMin) return;
  const absl::Duration elapsed =
      absl::Nanoseconds(boot_nanos - polled_ns_.value_or(boot_nanos));
  polled_ns_ = boot_nanos;
  const std::vector<DeviceReading> readings = meter_->Read();
  for (size_t i = 0; i < tracks_.size(); ++i) {
    tracks_[i].Feed(i < readings.size() ? readings[i] : DeviceReading(),
                    elapsed, fallback_);
  }
}

MeterBank::Mark MeterBank::MarkOf(const std::vector<uint32_t>& slots) const {
  Mark mark;
  for (const uint32_t slot : slots) {
    const size_t device = DeviceOf(slot);
    mark.push_back(device < tracks_.size() ? tracks_[device].total()
                                           : DeviceTotal());
  }
  return mark;
}

MeterBank::Use MeterBank::Since(const Mark& mark,
                                const std::vector<uint32_t>& slots) const {
  const Mark now = MarkOf(slots);
  Use use;
  Joules estimated;
  absl::Duration known;
  absl::Duration busy;
  for (size_t i = 0; i < std::min(mark.size(), now.size()); ++i) {
    use.joules += (now[i].joules - mark[i].joules) / slots_per_device_;
    estimated += now[i].estimated - mark[i].estimated;
    known += now[i].use_known - mark[i].use_known;
    busy += now[i].busy - mark[i].busy;
  }
  use.estimated = estimated > Joules() || slots_per_device_ > 1;
  if (known > absl::ZeroDuration()) {
    use.utilisation = absl::FDivDuration(busy, known);
  }
  return use;
}

std::optional<std::vector<Joules>> MeterBank::CountersOf(
    const std::vector<uint32_t>& slots) const {
  if (slots_per_device_ > 1) return std::nullopt;
  std::vector<Joules> counters;
  counters.reserve(slots.size());
  for (const uint32_t slot : slots) {
    const size_t device = DeviceOf(slot);
    if (device >= tracks_.size()) return std::nullopt;
    const std::optional<DeviceReading>& last = tracks_[device].last();
    if (!last || !last->energy || !last->energy_lasts || last->shared) {
      return std::nullopt;
    }
    counters.push_back(*last->energy);
  }
  return counters;
}

Joules MeterBank::total() const {
  Joules total;
  for (const DeviceTrack& track : tracks_) total += track.total().joules;
  return total;
}

void MeterBank::Describe(v1::Telemetry& telemetry) const {
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    const size_t device = DeviceOf(slot);
    if (device >= tracks_.size() || !tracks_[device].last()) continue;
    const DeviceReading& reading = *tracks_[device].last();
    v1::AcceleratorState& state = *telemetry.add_accelerators();
    state.set_index(slot);
    if (reading.utilisation) state.set_utilisation(*reading.utilisation);
    if (reading.power) state.set_watts(reading.power->value());
    if (reading.memory_used_bytes) {
      state.set_memory_used_bytes(*reading.memory_used_bytes);
    }
    if (reading.memory_total_bytes) {
      state.set_memory_total_bytes(*reading.memory_total_bytes);
    }
    if (reading.celsius) state.set_celsius(*reading.celsius);
  }
}

}  // namespace ccsched
