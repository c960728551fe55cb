// `ccsched footprint`: options for providers/footprint_command.h.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "scheduler/cli/commands.h"
#include "scheduler/cli/output.h"
#include "scheduler/providers/footprint_command.h"

namespace ccsched {

void AddFootprint(Command& root, Context& context) {
  auto o = std::make_shared<FootprintOptions>();
  Command& c = root.Sub(
      "footprint", "energy and CO2e of a described training run",
      "  ccsched footprint                  # the systems of the paper\n"
      "  ccsched footprint GPT-3 -o json\n"
      "  ccsched footprint --file runs.yaml\n"
      "\nSource: Patterson et al. 2021, Carbon Emissions and Large Neural "
      "Network Training,\narXiv 2104.10350v3.");
  c.Arguments("NAME", &o->names, false, "runs by name (default: all)");
  c.Text("--file", "RUNS.yaml", &o->file, "your own runs");
  c.Repeated("--what-if", "CHANGE", &o->what_if,
             "the same run changed, pue=1.1 say; repeat for more");
  AddFormat(c, &o->output);
  c.OnRun(
      [o, &context] { return FootprintCommand(*o, context.out, context.err); });
}

}  // namespace ccsched
