// How late planned starts come, as learnt from those that came.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/start_slips.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ccsched {

void StartSlips::Add(absl::Duration slip) {
  slips_.push_back(slip);
  if (slips_.size() > kMost) slips_.pop_front();
}

absl::Duration StartSlips::Quantile(double share) const {
  std::vector<absl::Duration> sorted(slips_.begin(), slips_.end());
  sorted.insert(sorted.end(), kPrior, absl::ZeroDuration());
  const size_t at = static_cast<size_t>(
      std::ceil(share * static_cast<double>(sorted.size())));
  const size_t index = std::min(sorted.size() - 1, std::max<size_t>(at, 1) - 1);
  std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
  return sorted[index];
}

}  // namespace ccsched
