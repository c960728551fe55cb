// Prints deploy/examples/paper_grids.csv: synthetic hours of the paper's grids.
// SPDX-License-Identifier: Apache-2.0
//
// Each column has the hourly shape of a profile and the mean that the paper
// prints for its datacenter (Table 4, gross).
#include <cstdio>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "scheduler/carbon/synthetic_grid.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

struct Grid {
  const char *column, *profile;
  double mean;  // gCO2e/kWh
};
constexpr Grid kGrids[] = {{"ci_lca_us_average", "fossil", 429},
                           {"ci_lca_georgia", "fossil", 403},
                           {"ci_lca_taiwan", "fossil", 545},
                           {"ci_lca_north_carolina", "solar", 201},
                           {"ci_lca_iowa", "wind", 478}};
constexpr int kHours = 24 * 64;

int Run() {
  const absl::Time start =
      absl::FromCivil(absl::CivilDay(2020, 9, 1), absl::UTCTimeZone());
  std::string header = "utc";
  std::vector<StepSeries> all;
  uint64_t seed = 1;
  for (const Grid& g : kGrids) {
    header += std::string(",") + g.column;
    all.push_back(
        SyntheticGrid(*FindGridProfile(g.profile), start, kHours, seed++));
  }
  std::printf("%s,estimated\n", header.c_str());
  for (int h = 0; h < kHours; ++h) {
    const absl::Time t = start + absl::Hours(h);
    std::printf("%s", FormatUtc(t).c_str());
    for (size_t i = 0; i < all.size(); ++i) {
      const double mean =
          all[i].IntegralHours(start, start + absl::Hours(kHours)) / kHours;
      std::printf(",%.2f", all[i].values()[h] * kGrids[i].mean / mean);
    }
    std::printf(",1\n");
  }
  return 0;
}

}  // namespace
}  // namespace ccsched

int main() { return ccsched::Run(); }
