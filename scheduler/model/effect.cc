// The outputs of one step.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/effect.h"

namespace ccsched {

void Effects::Clear() {
  starts.clear();
  stops.clear();
  resizes.clear();
  changed.clear();
  decisions.clear();
  baselines.clear();
  refusals.clear();
  wake = absl::InfiniteFuture();
}

}  // namespace ccsched
