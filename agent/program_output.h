// What another program prints, within a time and a size.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_PROGRAM_OUTPUT_H_
#define CCSCHED_AGENT_PROGRAM_OUTPUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace ccsched {

struct ProgramCall {
  std::string program;             // a path, or a name to look up in PATH
  std::vector<std::string> words;  // argv
  bool environment = true;         // the agent's own; else none
  absl::Duration patience;
  size_t bytes_max = 0;
};

// Runs it and returns what it prints on its standard output, or as much as
// comes within the bounds, after which it is killed; empty if it does not run.
// Blocks meanwhile.
std::string OutputOf(ProgramCall call);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PROGRAM_OUTPUT_H_
