// The meters of a node, read once a second, and what attempts took of them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/meter_bank.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/patient_meter.h"

namespace ccsched {
namespace {

constexpr int64_t kPollNsMin = kNanosPerSecond / 10;
constexpr char kNvmlLibrary[] = "libnvidia-ml.so.1";
// The agent does nothing else meanwhile.
constexpr std::chrono::milliseconds kToRead{1000};
// A driver that is loaded with the first call takes its time.
constexpr std::chrono::milliseconds kToOpen{5000};

// Null where there is none.
std::unique_ptr<Meter> OpenFirst(const std::string& sys) {
  std::unique_ptr<Meter> meter = OpenNvml(kNvmlLibrary);
  if (meter == nullptr) meter = OpenAmd(sys);
  if (meter == nullptr) meter = OpenIntel(sys);
  return meter;
}

std::unique_ptr<Meter> OpenKind(const std::string& kind,
                                const std::string& where,
                                const std::string& sys) {
  if (kind == "auto") return OpenFirst(sys);
  if (kind == "nvml") return OpenNvml(where.empty() ? kNvmlLibrary : where);
  if (kind == "dcgm") return OpenDcgm(where.empty() ? "127.0.0.1:9400" : where);
  return kind == "amd" ? OpenAmd(sys) : OpenIntel(sys);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Meter>> OpenMeter(const std::string& name,
                                                 const std::string& sys,
                                                 uint32_t count) {
  if (name == "model") return nullptr;
  const std::string kind = name.substr(0, name.find(':'));
  const std::string where =
      kind.size() < name.size() ? name.substr(kind.size() + 1) : "";
  constexpr std::string_view kKinds[] = {"auto", "nvml", "dcgm", "amd",
                                         "intel"};
  if (std::find(std::begin(kKinds), std::end(kKinds), kind) ==
      std::end(kKinds)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--meter ", name,
                     ": known are auto, model, nvml[:LIBRARY], "
                     "dcgm[:HOST:PORT], amd, intel"));
  }
  const auto open = [name, kind, where,
                     sys]() -> absl::StatusOr<std::unique_ptr<Meter>> {
    std::unique_ptr<Meter> meter = OpenKind(kind, where, sys);
    if (meter != nullptr || kind == "auto") return meter;
    return absl::NotFoundError(
        absl::StrCat("--meter ", name, ": nothing to read on this machine"));
  };
  // Of those that are looked for, NVIDIA's driver is the one that hangs.
  return PatientMeter::Open(
      open, {.name = kind == "auto" ? "nvml" : kind, .device_count = count},
      kToOpen, kToRead);
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
