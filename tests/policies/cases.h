// Instances that every policy is put through.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_POLICIES_CASES_H_
#define CCSCHED_TESTS_POLICIES_CASES_H_

#include <cstdint>

#include "tests/policies/play.h"

namespace ccsched::testing {

// Three sites on grids of different days; mixed jobs from a seed: rigid and
// suspendable, wide and narrow, with and without promises, known and not.
// `room` is how many accelerators each site has.
PlayCase MixedCase(uint64_t seed, int jobs, uint32_t room);

// The same with so much room that capacity never matters.
PlayCase AmpleCase(uint64_t seed, int jobs);

// A dozen jobs by hand, that fit on a page: what golden transcripts show.
PlayCase SmallCase();

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_POLICIES_CASES_H_
