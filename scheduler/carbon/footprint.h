// Energy and CO2e of a described training run, and what changes would bring.
// SPDX-License-Identifier: Apache-2.0
//
//   FootprintResult r = Footprint(*FindRun(PaperRuns(), "GPT-3"));
//
// The command's face, which also reads files of runs, is
// scheduler/providers/footprint_command.h.
#ifndef CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_
#define CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/base/units.h"

namespace ccsched {

// What was printed of a run, for comparison.
struct PrintedFigures {
  std::optional<double> energy_kwh, gross_co2e_kg, net_co2e_kg;
};

// A training run by its inputs.
struct TrainingRun {
  std::string name;
  std::string model;
  std::string accelerator;
  std::string datacenter;
  double chips = 0;
  double days = 0;
  Watts watts;  // of a chip, measured, system: with its share of the host
  double pue = 1;
  GramsPerKwh gross;               // of the grid
  std::optional<GramsPerKwh> net;  // after clean energy bought; else gross
  std::optional<double> tflops;    // measured, of a chip
  std::optional<double> total_flops;
  std::optional<double>
      cfe;  // 24/7 carbon-free share of the datacenter, 0 to 1
  PrintedFigures printed;
  std::string source;
};

struct FootprintResult {
  KilowattHours energy;
  GramsCo2e gross, net;
};

// kWh = hours × chips × watts × PUE ÷ 1000, CO2e = kWh × intensity. Source:
// Patterson et al. 2021, arXiv 2104.10350v3, section 2.5.
FootprintResult Footprint(const TrainingRun& run);

// Errors: InvalidArgument, naming run, field and value.
absl::Status CheckRun(const TrainingRun& run);

// The six systems of that paper's Table 4, then the five choices of Table 1.
const std::vector<TrainingRun>& PaperRuns();

// The run of this name, without regard to case, else the only one whose name
// has all its words. Errors: NotFound, naming the runs that there are.
absl::StatusOr<TrainingRun> FindRun(absl::Span<const TrainingRun> runs,
                                    std::string_view name);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_
