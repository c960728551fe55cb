// AMD's and Intel's accelerators by the files of sysfs.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

#include "agent/meter.h"
#include "agent/wrapping_counter.h"

namespace ccsched {
namespace {

namespace fs = std::filesystem;

// The number in a file; nothing if there is none.
std::optional<double> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

std::string ReadWord(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// The device's hwmon folder that has a file of this name.
std::optional<fs::path> FindHwmon(const fs::path& device,
                                  const std::string& file) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(device / "hwmon", error)) {
    if (fs::exists(entry.path() / file, error)) return entry.path() / file;
  }
  return std::nullopt;
}

// Devices under class/drm of this vendor, in the order of their card numbers.
std::vector<fs::path> FindCards(const std::string& sys,
                                const std::string& vendor) {
  std::vector<std::pair<int, fs::path>> cards;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(fs::path(sys) / "class/drm", error)) {
    const std::string name = entry.path().filename();
    int number = 0;
    if (name.compare(0, 4, "card") != 0) continue;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + 4, end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) continue;  // card0-DP-1
    if (ReadWord(entry.path() / "device/vendor") == vendor) {
      cards.emplace_back(number, entry.path() / "device");
    }
  }
  std::sort(cards.begin(), cards.end());
  std::vector<fs::path> devices;
  devices.reserve(cards.size());
  for (auto& [number, path] : cards) devices.push_back(std::move(path));
  return devices;
}

std::optional<double> Scaled(const std::optional<fs::path>& path,
                             double factor) {
  if (!path) return std::nullopt;
  const auto value = ReadNumber(*path);
  if (!value) return std::nullopt;
  return *value * factor;
}

class AmdMeter : public Meter {
 public:
  explicit AmdMeter(std::vector<fs::path> devices)
      : devices_(std::move(devices)) {}
  std::string name() const override { return "amd"; }
  size_t device_count() const override { return devices_.size(); }

  std::vector<DeviceReading> Read() override {
    std::vector<DeviceReading> readings;
    for (const fs::path& device : devices_) readings.push_back(ReadOne(device));
    // Of a package with two dies one reports for both, the other 0.
    for (size_t i = 1; i < readings.size(); i += 2) {
      DeviceReading& a = readings[i - 1];
      DeviceReading& b = readings[i];
      if (!a.power || !b.power || (*a.power > Watts()) == (*b.power > Watts()))
        continue;
      a.power = b.power = (*a.power + *b.power) / 2;
      a.shared = b.shared = true;
    }
    for (DeviceReading& reading : readings) {
      if (reading.power && *reading.power <= Watts()) reading.power.reset();
    }
    return readings;
  }

 private:
  static DeviceReading ReadOne(const fs::path& device) {
    DeviceReading reading;
    auto power = FindHwmon(device, "power1_average");
    if (!power) power = FindHwmon(device, "power1_input");
    if (const auto watts = Scaled(power, 1e-6)) reading.power = Watts(*watts);
    reading.utilisation = Scaled(device / "gpu_busy_percent", 0.01);
    reading.memory_used_bytes = Scaled(device / "mem_info_vram_used", 1);
    reading.memory_total_bytes = Scaled(device / "mem_info_vram_total", 1);
    reading.celsius = Scaled(FindHwmon(device, "temp1_input"), 1e-3);
    return reading;
  }

  const std::vector<fs::path> devices_;
};

class IntelMeter : public Meter {
 public:
  explicit IntelMeter(std::vector<fs::path> devices)
      : devices_(std::move(devices)), counters_(devices_.size()) {}
  std::string name() const override { return "intel"; }
  size_t device_count() const override { return devices_.size(); }

  std::vector<DeviceReading> Read() override {
    std::vector<DeviceReading> readings;
    for (size_t i = 0; i < devices_.size(); ++i) {
      DeviceReading& reading = readings.emplace_back();
      const auto joules = Scaled(FindHwmon(devices_[i], "energy1_input"), 1e-6);
      if (joules) {
        reading.energy = Joules(counters_[i].Feed(*joules, kRangeJoules));
      }
      reading.celsius = Scaled(FindHwmon(devices_[i], "temp1_input"), 1e-3);
    }
    return readings;
  }

 private:
  // A 32-bit register that counts units of 2^-14 J.
  static constexpr double kRangeJoules = 262144;
  const std::vector<fs::path> devices_;
  std::vector<WrappingCounter> counters_;
};

}  // namespace

std::unique_ptr<Meter> OpenAmd(const std::string& sys) {
  auto devices = FindCards(sys, "0x1002");
  if (devices.empty()) return nullptr;
  return std::make_unique<AmdMeter>(std::move(devices));
}

std::unique_ptr<Meter> OpenIntel(const std::string& sys) {
  auto devices = FindCards(sys, "0x8086");
  // An integrated one has no counter of its own.
  std::erase_if(devices, [](const fs::path& device) {
    return !FindHwmon(device, "energy1_input");
  });
  if (devices.empty()) return nullptr;
  return std::make_unique<IntelMeter>(std::move(devices));
}

}  // namespace ccsched
