// What a job's own specification says of its runtime.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/beliefs.h"

#include <algorithm>

namespace ccsched {

RuntimeBelief SpecBeliefs::Remaining(const Job& job, const JobShape&,
                                     absl::Duration executed) const {
  RuntimeBelief belief;
  belief.known = job.spec.runtime_known && job.spec.runtime.has_value();
  belief.informed = job.spec.runtime.has_value() ||
                    job.spec.time_limit < absl::InfiniteDuration();
  absl::Duration total = absl::Hours(1);
  if (job.spec.runtime.has_value()) {
    total = *job.spec.runtime;
  } else if (job.spec.time_limit < absl::InfiniteDuration()) {
    total = job.spec.time_limit;
  }
  total = std::min<absl::Duration>(total, job.spec.time_limit);
  absl::Duration left = total - executed;
  if (left <= absl::ZeroDuration() && !belief.known) {
    left = std::max(executed / 10, absl::Minutes(1));
  }
  left = std::max(left, absl::ZeroDuration());
  belief.mean = belief.p50 = belief.p90 = left;
  return belief;
}

}  // namespace ccsched
