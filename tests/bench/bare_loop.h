// The least that any simulator of jobs has to do, to measure others against.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_BENCH_BARE_LOOP_H_
#define CCSCHED_TESTS_BENCH_BARE_LOOP_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/scenario.h"
#include "sim/workload.h"

namespace ccsched {

struct BareResult {
  uint64_t jobs = 0;
  double grams = 0;
  double cpu_s = 0;  // drawing the jobs included
};

// First come, first served at the first site with room: a heap of ends, prefix
// sums of each grid, and nothing else: no engine, policy, record or figure.
absl::StatusOr<BareResult> BareFirstCome(const Scenario& scenario,
                                         const Workload& workload);

// The same, but each job waits for the hour of least intensity, of all sites,
// within a day: also a heap of jobs held.
absl::StatusOr<BareResult> BareHourlyHold(const Scenario& scenario,
                                          const Workload& workload);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_BENCH_BARE_LOOP_H_
