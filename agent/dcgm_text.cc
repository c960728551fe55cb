// Reads the metrics page of a DCGM exporter.
// SPDX-License-Identifier: Apache-2.0
#include "agent/dcgm_text.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

namespace ccsched {
namespace {

constexpr int kDevicesMax = 1024;
// FP64 blanks are from 2^47 on; integer ones from 0x7ffffffffffffff0 on.
constexpr double kBlank = 140737488355328;

struct Line {
  std::string_view name;
  std::string_view labels;
  double value = 0;
};

// One line of Prometheus' text format; nothing for comments and blanks.
std::optional<Line> ParseLine(std::string_view line) {
  if (line.empty() || line[0] == '#') return std::nullopt;
  const size_t open = line.find('{');
  const size_t close = line.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos ||
      close < open) {
    return std::nullopt;
  }
  Line parsed{.name = line.substr(0, open),
              .labels = line.substr(open + 1, close - open - 1)};
  const std::string number(line.substr(close + 1));
  char* end = nullptr;
  parsed.value = std::strtod(number.c_str(), &end);
  if (end == number.c_str() || !std::isfinite(parsed.value) ||
      parsed.value < 0 || parsed.value >= kBlank) {
    return std::nullopt;
  }
  return parsed;
}

std::optional<std::string_view> Label(std::string_view labels,
                                      std::string_view name) {
  const std::string start = std::string(name) + "=\"";
  size_t at = labels.find(start);
  while (at != std::string_view::npos && at > 0 && labels[at - 1] != ',') {
    at = labels.find(start, at + 1);
  }
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = labels.substr(at + start.size());
  return rest.substr(0, rest.find('"'));
}

void Take(const Line& line, DeviceReading& reading) {
  if (line.name == "DCGM_FI_DEV_POWER_USAGE") {
    reading.power = Watts(line.value);
  } else if (line.name == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION") {
    reading.energy = Joules(line.value / 1e3);  // mJ
    reading.energy_lasts = true;
  } else if (line.name == "DCGM_FI_PROF_SM_ACTIVE") {
    reading.utilisation = line.value;
  } else if (line.name == "DCGM_FI_DEV_GPU_UTIL") {
    if (!reading.utilisation) reading.utilisation = line.value / 100;
  } else if (line.name == "DCGM_FI_DEV_FB_USED") {
    reading.memory_used_bytes = line.value * (1 << 20);  // MiB
  } else if (line.name == "DCGM_FI_DEV_GPU_TEMP") {
    reading.celsius = line.value;
  }
}

}  // namespace

std::vector<DeviceReading> ParseDcgm(std::string_view text) {
  std::map<int, DeviceReading> devices;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const auto line = ParseLine(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line || line->name.substr(0, 5) != "DCGM_") continue;
    const auto gpu = Label(line->labels, "gpu");
    if (!gpu || Label(line->labels, "GPU_I_ID")) continue;
    const int index = std::atoi(std::string(*gpu).c_str());
    if (index < 0 || index >= kDevicesMax) continue;
    Take(*line, devices[index]);
  }
  std::vector<DeviceReading> readings;
  if (!devices.empty()) readings.resize(devices.rbegin()->first + 1);
  for (auto& [index, reading] : devices) readings[index] = reading;
  return readings;
}

}  // namespace ccsched
