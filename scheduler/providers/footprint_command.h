// `ccsched footprint`: energy and CO2e of described training runs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
#define CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "scheduler/providers/training_runs.h"

namespace ccsched {

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

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_FOOTPRINT_COMMAND_H_
