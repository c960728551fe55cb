// What policies that never defer would offer a job.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_OFFERS_H_
#define CCSCHED_POLICIES_OFFERS_H_

#include <vector>

#include "policies/policy.h"

namespace ccsched {

// The job's start now at each allowed pool: those with enough free
// accelerators first, otherwise in the order of its placement.
std::vector<Choice> OffersNow(const PolicyInput& in, const Job& job,
                              const JobShape& shape);

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_OFFERS_H_
