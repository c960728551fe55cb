// Energy of processors and memory by Intel's and AMD's RAPL.
// SPDX-License-Identifier: Apache-2.0
#include "agent/rapl.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace ccsched {
namespace {

namespace fs = std::filesystem;

// No package, and no memory of one, draws more: twice what the largest are made
// for. Source: AMD EPYC 9965 and Intel Xeon 6980P, thermal design power 500 W.
constexpr double kZoneWattsMax = 1000;

std::optional<double> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

bool IsCounted(const std::string& zone) {
  return zone.compare(0, 8, "package-") == 0 || zone == "dram";
}

}  // namespace

std::unique_ptr<Rapl> Rapl::Open(const std::string& powercap) {
  auto rapl = std::make_unique<Rapl>();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(powercap, error)) {
    // intel-rapl:0 is a package, intel-rapl:0:2 within it; the same counters
    // show again as intel-rapl-mmio.
    if (entry.path().filename().string().compare(0, 11, "intel-rapl:") != 0) {
      continue;
    }
    std::string name;
    std::ifstream(entry.path() / "name") >> name;
    const auto range = ReadNumber(entry.path() / "max_energy_range_uj");
    const fs::path energy = entry.path() / "energy_uj";
    if (!IsCounted(name) || !range || *range <= 0 || !ReadNumber(energy)) {
      continue;
    }
    rapl->zones_.push_back(
        {.energy_path = energy, .range_uj = *range, .counter = {}});
  }
  std::sort(rapl->zones_.begin(), rapl->zones_.end(),
            [](const Zone& a, const Zone& b) {
              return a.energy_path < b.energy_path;
            });
  return rapl->zones_.empty() ? nullptr : std::move(rapl);
}

std::optional<Joules> Rapl::Read() {
  Joules total;
  bool whole = true;
  last_.clear();
  for (Zone& zone : zones_) {
    const auto reading = ReadNumber(zone.energy_path);
    whole &= reading.has_value();
    if (reading) {
      last_.push_back(*reading);
      total += Joules(zone.counter.Feed(*reading, zone.range_uj) / 1e6);
    }
  }
  if (whole) return total;
  last_.clear();
  return std::nullopt;
}

std::optional<Joules> Rapl::Since(const std::vector<double>& before,
                                  absl::Duration elapsed) const {
  if (last_.empty() || before.size() != last_.size() ||
      elapsed < absl::ZeroDuration()) {
    return std::nullopt;
  }
  Joules total;
  for (size_t i = 0; i < zones_.size(); ++i) {
    const double range_uj = zones_[i].range_uj;
    const double most_uj = kZoneWattsMax * absl::ToDoubleSeconds(elapsed) * 1e6;
    if (most_uj >= range_uj || before[i] > range_uj) return std::nullopt;
    double grown_uj = last_[i] - before[i];
    if (grown_uj < 0) grown_uj += range_uj;
    if (grown_uj < 0 || grown_uj > most_uj) return std::nullopt;
    total += Joules(grown_uj / 1e6);
  }
  return total;
}

}  // namespace ccsched
