// Energy of processors and memory by Intel's and AMD's RAPL.
// SPDX-License-Identifier: Apache-2.0
#include "agent/rapl.h"

#include <filesystem>
#include <fstream>

namespace ccsched {
namespace {

namespace fs = std::filesystem;

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
  return rapl->zones_.empty() ? nullptr : std::move(rapl);
}

std::optional<Joules> Rapl::Read() {
  Joules total;
  bool whole = true;
  for (Zone& zone : zones_) {
    const auto reading = ReadNumber(zone.energy_path);
    whole &= reading.has_value();
    if (reading) {
      total += Joules(zone.counter.Feed(*reading, zone.range_uj) / 1e6);
    }
  }
  if (!whole) return std::nullopt;
  return total;
}

}  // namespace ccsched
