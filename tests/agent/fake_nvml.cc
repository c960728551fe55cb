// Speaks NVML's ABI; what it says stands in the file CCSCHED_FAKE_NVML.
// SPDX-License-Identifier: Apache-2.0
//
// One line a device: energy mJ, power mW, use %, memory used, memory total,
// degrees, MIG mode. "-" is a call that this device does not support, "lost"
// the line of one that has fallen off its bus.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kLost = 15;

std::vector<std::string> Lines() {
  const char* path = std::getenv("CCSCHED_FAKE_NVML");
  std::vector<std::string> lines;
  std::ifstream file(path != nullptr ? path : "");
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Column `column` of the device, whose handle is its number from 1.
int Get(void* device, int column, unsigned long long* value) {
  const auto lines = Lines();
  const auto index = reinterpret_cast<size_t>(device) - 1;
  if (index >= lines.size()) return kNotFound;
  std::istringstream words(lines[index]);
  std::string word;
  for (int i = 0; i <= column; ++i) words >> word;
  if (word == "-") return kNotSupported;
  *value = std::strtoull(word.c_str(), nullptr, 10);
  return 0;
}

template <typename T>
int GetAs(void* device, int column, T* value) {
  unsigned long long wide = 0;
  const int result = Get(device, column, &wide);
  if (result == 0) *value = static_cast<T>(wide);
  return result;
}

}  // namespace

extern "C" {
int nvmlInit_v2() { return Lines().empty() ? 9 : 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(Lines().size());
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  const auto lines = Lines();
  if (index < lines.size() && lines[index] == "lost") return kLost;
  *device = reinterpret_cast<void*>(static_cast<size_t>(index) + 1);
  return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* mj) {
  return Get(device, 0, mj);
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* mw) {
  return GetAs(device, 1, mw);
}
int nvmlDeviceGetUtilizationRates(void* device, unsigned* rates) {
  return GetAs(device, 2, rates);
}
int nvmlDeviceGetMemoryInfo(void* device, unsigned long long* memory) {
  const int result = Get(device, 3, &memory[2]);
  return result != 0 ? result : Get(device, 4, &memory[0]);
}
int nvmlDeviceGetTemperature(void* device, int, unsigned* degrees) {
  return GetAs(device, 5, degrees);
}
int nvmlDeviceGetMigMode(void* device, unsigned* now, unsigned* later) {
  *later = 0;
  return GetAs(device, 6, now);
}
}
