// NVIDIA accelerators by NVML, found at run time.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "agent/meter.h"

namespace ccsched {
namespace {

// The part of NVML's ABI that is used; it is stable over versions.
// Source: NVML API reference, https://docs.nvidia.com/deploy/nvml-api/.
using Device = void*;
struct Utilization {
  unsigned gpu;  // percent
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
constexpr int kSuccess = 0;
constexpr int kTemperatureGpu = 0;

struct Functions {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*by_index)(unsigned, Device*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*power)(Device, unsigned*) = nullptr;             // mW
  int (*energy)(Device, unsigned long long*) = nullptr;  // mJ
  int (*memory)(Device, Memory*) = nullptr;
  int (*temperature)(Device, int, unsigned*) = nullptr;     // Celsius
  int (*mig_mode)(Device, unsigned*, unsigned*) = nullptr;  // now, after reset
};

// Old drivers lack some of these: then what it reads is unknown.
template <typename F>
void Find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
}

class NvmlMeter : public Meter {
 public:
  NvmlMeter(void* library, const Functions& nvml, std::vector<Device> devices)
      : library_(library), nvml_(nvml), devices_(std::move(devices)) {}
  ~NvmlMeter() override {
    nvml_.shutdown();
    dlclose(library_);
  }
  NvmlMeter(const NvmlMeter&) = delete;
  NvmlMeter& operator=(const NvmlMeter&) = delete;

  std::string name() const override { return "nvml"; }
  size_t device_count() const override { return devices_.size(); }
  std::vector<DeviceReading> Read() override {
    std::vector<DeviceReading> readings;
    for (const Device device : devices_) readings.push_back(ReadOne(device));
    return readings;
  }

 private:
  DeviceReading ReadOne(Device device) const {
    DeviceReading reading;
    if (device == nullptr) return reading;
    unsigned long long millijoules = 0;
    if (nvml_.energy && nvml_.energy(device, &millijoules) == kSuccess) {
      reading.energy = Joules(static_cast<double>(millijoules) / 1e3);
      reading.energy_lasts = true;  // since the driver was loaded
    }
    unsigned value = 0;
    if (nvml_.power && nvml_.power(device, &value) == kSuccess) {
      reading.power = Watts(value / 1e3);
    }
    if (nvml_.temperature &&
        nvml_.temperature(device, kTemperatureGpu, &value) == kSuccess) {
      reading.celsius = value;
    }
    // A device cut into instances says a number, but not a meaningful one.
    unsigned mig = 0;
    unsigned after_reset = 0;
    const bool cut = nvml_.mig_mode &&
                     nvml_.mig_mode(device, &mig, &after_reset) == kSuccess &&
                     mig != 0;
    Utilization use{};
    if (!cut && nvml_.utilization &&
        nvml_.utilization(device, &use) == kSuccess && use.gpu <= 100) {
      reading.utilisation = use.gpu / 100.0;
    }
    Memory memory{};
    if (nvml_.memory && nvml_.memory(device, &memory) == kSuccess) {
      reading.memory_used_bytes = static_cast<double>(memory.used);
      reading.memory_total_bytes = static_cast<double>(memory.total);
    }
    return reading;
  }

  void* const library_;
  const Functions nvml_;
  const std::vector<Device> devices_;  // null: lost
};

}  // namespace

std::unique_ptr<Meter> OpenNvml(const std::string& library) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  Functions nvml;
  Find(handle, "nvmlInit_v2", nvml.init);
  Find(handle, "nvmlShutdown", nvml.shutdown);
  Find(handle, "nvmlDeviceGetCount_v2", nvml.count);
  Find(handle, "nvmlDeviceGetHandleByIndex_v2", nvml.by_index);
  Find(handle, "nvmlDeviceGetUtilizationRates", nvml.utilization);
  Find(handle, "nvmlDeviceGetPowerUsage", nvml.power);
  Find(handle, "nvmlDeviceGetTotalEnergyConsumption", nvml.energy);
  Find(handle, "nvmlDeviceGetMemoryInfo", nvml.memory);
  Find(handle, "nvmlDeviceGetTemperature", nvml.temperature);
  Find(handle, "nvmlDeviceGetMigMode", nvml.mig_mode);
  if (!nvml.init || !nvml.shutdown || !nvml.count || !nvml.by_index ||
      nvml.init() != kSuccess) {
    dlclose(handle);
    return nullptr;
  }
  unsigned count = 0;
  if (nvml.count(&count) != kSuccess) count = 0;
  // One that is lost keeps its place: by it jobs are charged for theirs.
  std::vector<Device> devices(count);
  for (unsigned i = 0; i < count; ++i) {
    if (nvml.by_index(i, &devices[i]) != kSuccess) devices[i] = nullptr;
  }
  const bool any = std::any_of(devices.begin(), devices.end(),
                               [](Device device) { return device != nullptr; });
  auto meter = std::make_unique<NvmlMeter>(handle, nvml, std::move(devices));
  return any ? std::move(meter) : nullptr;
}

}  // namespace ccsched
