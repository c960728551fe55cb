// What a job's own specification says of its runtime.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CORE_BELIEFS_H_
#define CCSCHED_SCHEDULER_CORE_BELIEFS_H_

#include "policies/policy.h"

namespace ccsched {

// Believes the job's expected runtime; without one its time limit; without
// that an hour, which informs nobody. A job that has outlived its estimate is
// believed to go on for a tenth of what it has run (at least a minute).
class SpecBeliefs : public RuntimeBeliefs {
 public:
  RuntimeBelief Remaining(const Job& job, const JobShape& shape,
                          absl::Duration executed) const override;
  bool Learns() const override { return false; }
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_BELIEFS_H_
