// Energy and CO2e of a described training run, and what changes would bring.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_
#define CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_

#include <optional>
#include <ostream>
#include <string>
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

// A training run by its inputs. Source of the formulas: Patterson et al. 2021,
// arXiv 2104.10350v3, section 2.5.
struct TrainingRun {
  std::string name;
  std::string model;
  std::string accelerator;
  std::string datacenter;
  double chips = 0;
  double days = 0;
  Watts
      watts_per_chip;  // measured, system: chip, memory, its share of the host
  double pue = 1;
  GramsPerKwh gross;               // of the grid
  std::optional<GramsPerKwh> net;  // after clean energy bought; else gross
  std::optional<double> tflops;    // measured, per chip
  std::optional<double> total_flops;
  std::optional<double> cfe;  // 24/7 carbon-free share of the datacenter
  std::string source;
  PrintedFigures printed;
};

struct FootprintResult {
  KilowattHours energy;
  GramsCo2e gross, net;
};
// REQUIRES: the run passed CheckRun.
FootprintResult Footprint(const TrainingRun& run);
// Errors: InvalidArgument, naming run, field and value.
absl::Status CheckRun(const TrainingRun& run);

// The six systems of the paper (Table 4) and the five choices of its Table 1.
absl::Span<const TrainingRun> PaperRuns();
// By name, without regard to case; null if there is none.
const TrainingRun* FindPaperRun(const std::string& name);

struct FootprintOptions {
  std::vector<std::string> names;  // none and no file: all of PaperRuns()
  std::string file;                // runs.yaml
  std::vector<std::string>
      what_if;                   // "pue=1.1", "datacenter=iowa", a run's name
  std::string output = "table";  // table json csv
};

// Carries out `ccsched footprint`. Returns the exit status: 0, or 2 after a
// message on `err` naming what was wrong.
int FootprintCommand(const FootprintOptions& options, std::ostream& out,
                     std::ostream& err);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_FOOTPRINT_H_
