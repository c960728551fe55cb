// Prints the statistics of real zones as the table that SyntheticGrid uses.
// SPDX-License-Identifier: Apache-2.0
//
//   grid_statistics solar=US-CAL-CISO.csv wind=US-TEX-ERCO.csv …
//
// Output: scheduler/carbon/grid_profiles.inc. Only means, spreads and
// correlations leave this program.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

struct Sums {
  double sum = 0, squares = 0;
  int count = 0;
  void Add(double v) {
    sum += v;
    squares += v * v;
    ++count;
  }
  double Mean() const { return sum / count; }
  double Deviation() const {
    return std::sqrt(std::max(0.0, squares / count - Mean() * Mean()));
  }
};

absl::CivilHour Civil(const StepSeries& s, size_t i) {
  return absl::ToCivilHour(s.start() + s.step() * i, absl::UTCTimeZone());
}

double Correlation(const std::vector<double>& z, size_t lag) {
  double product = 0;
  double squares = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    squares += z[i] * z[i];
    if (i >= lag) product += z[i] * z[i - lag];
  }
  return product / squares;
}

void Print(const std::string& name, const std::string& zone,
           const StepSeries& s) {
  std::array<std::array<Sums, 24>, 12> cells;
  for (size_t i = 0; i < s.values().size(); ++i) {
    const absl::CivilHour h = Civil(s, i);
    cells[h.month() - 1][h.hour()].Add(s.values()[i]);
  }
  std::array<Sums, 12> spread;
  std::vector<double> ratio;
  for (size_t i = 0; i < s.values().size(); ++i) {
    const absl::CivilHour h = Civil(s, i);
    const double mean = cells[h.month() - 1][h.hour()].Mean();
    ratio.push_back(s.values()[i] / mean - 1);
    spread[h.month() - 1].Add(ratio.back());
  }
  for (size_t i = 0; i < ratio.size(); ++i) {
    ratio[i] /= spread[Civil(s, i).month() - 1].Deviation();
  }
  std::printf("    {\"%s\",\n     \"%s\",\n     kSource,\n     {{\n",
              name.c_str(), zone.c_str());
  for (const auto& month : cells) {
    std::printf("         {");
    for (int h = 0; h < 24; ++h) {
      std::printf("%s%.0f", h == 0 ? "" : ", ", month[h].Mean());
    }
    std::printf("},\n");
  }
  std::printf("     }},\n     {");
  for (int m = 0; m < 12; ++m) {
    std::printf("%s%.0f", m == 0 ? "" : ", ", spread[m].Deviation() * 1000);
  }
  const auto [low, high] =
      std::minmax_element(s.values().begin(), s.values().end());
  std::printf("},\n     %.4f,\n     %.4f,\n     %.0f,\n     %.0f},\n",
              Correlation(ratio, 1), Correlation(ratio, 24), *low, *high);
}

int Run(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const size_t equals = arg.find('=');
    const std::string path = arg.substr(equals + 1);
    const auto column = ReadGridCsv(path, "ci_lca", GapRule::kRefuse);
    if (!column.ok()) {
      std::fprintf(stderr, "%s\n",
                   std::string(column.status().message()).c_str());
      return 2;
    }
    std::string zone = path.substr(path.rfind('/') + 1);
    zone = zone.substr(0, zone.find("_20"));
    Print(arg.substr(0, equals), zone, column->series);
  }
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Run(argc, argv); }
