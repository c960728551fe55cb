// `ccsched footprint`: energy and CO2e of described training runs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
#define CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/carbon/footprint.h"

namespace ccsched {

struct FootprintOptions {
  std::vector<std::string> names;    // none: all of the file, or of the paper
  std::string file;                  // runs.yaml (ccsched.v1.FootprintFile)
  std::vector<std::string> what_if;  // see scheduler/carbon/what_if.h
  std::string output = "table";      // table json csv
};

// Returns the exit status: 0, or 2 after a message on `err` that names what was
// wrong; then nothing was written to `out`.
int FootprintCommand(const FootprintOptions& options, std::ostream& out,
                     std::ostream& err);

// The runs of a file. Errors: NotFound, or InvalidArgument as "file:line: …".
absl::StatusOr<std::vector<TrainingRun>> ReadTrainingRuns(
    const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
