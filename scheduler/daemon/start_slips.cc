// How late planned starts come, as learnt from those that came.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/start_slips.h"

#include <algorithm>
#include <vector>

namespace ccsched {

void StartSlips::Add(absl::Duration slip) {
  slips_.push_back(slip);
  if (slips_.size() > kMost) slips_.pop_front();
  std::vector<absl::Duration> sorted(slips_.begin(), slips_.end());
  sorted.insert(sorted.end(), kPrior, absl::ZeroDuration());
  std::sort(sorted.begin(), sorted.end());
  p50_ = sorted[(sorted.size() - 1) / 2];
  p90_ = sorted[(sorted.size() * 9 + 9) / 10 - 1];
}

}  // namespace ccsched
