// `ccsched footprint`: energy and CO2e of described training runs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
#define CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/footprint.h"

namespace ccsched {

// What a running scheduler knows of one of its sites over a time.
struct KnownSite {
  GramsPerKwh intensity;  // the mean; gross
  double pue = 1;
  bool estimated = false;  // some hours are
};
using SiteSource = std::function<absl::StatusOr<KnownSite>(
    const std::string& site, absl::Time start, absl::Time end)>;

struct FootprintOptions {
  std::vector<std::string> names;    // none: all of the file, or of the paper
  std::string file;                  // runs.yaml (ccsched.v1.FootprintFile)
  std::vector<std::string> what_if;  // see scheduler/carbon/what_if.h
  std::string output = "table";      // table json csv
  size_t width = 0;                  // of the terminal; 0: there is none
  SiteSource sites;                  // for runs that name a site
};

// Returns the exit status: 0; or, after a message on `err` that names it, 2 for
// what was wrong and 3 if no scheduler answers. Then nothing was written to
// `out`.
int FootprintCommand(const FootprintOptions& options, std::ostream& out,
                     std::ostream& err);

// The runs of a file; `remarks` takes what a reader must know of them. Errors:
// NotFound, InvalidArgument as "file:line: …", and those of `sites`.
absl::StatusOr<std::vector<TrainingRun>> ReadTrainingRuns(
    const std::string& path, const SiteSource& sites,
    std::vector<std::string>& remarks);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
