// What one step changed, as a value.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/ledger.h"

namespace ccsched {

bool Batch::empty() const {
  return submissions.empty() && states.empty() && attempts.empty() &&
         decisions.empty() && emissions.empty() && baselines.empty() &&
         nodes.empty() && grids.empty() && !step && settings.empty();
}

void Batch::Clear() {
  submissions.clear();
  states.clear();
  attempts.clear();
  decisions.clear();
  emissions.clear();
  baselines.clear();
  nodes.clear();
  grids.clear();
  step.reset();
  settings.clear();
}

}  // namespace ccsched
