// The exact optimum of small instances, by trying every plan of every job.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_SIM_BOUND_EXACT_H_
#define CCSCHED_TESTS_SIM_BOUND_EXACT_H_

#include <cstdint>
#include <vector>

namespace ccsched {

// All in whole hours; overheads too.
struct ExactJob {
  int release = 0;
  int duration = 1;
  int latest_end = 1;
  int count = 1;
  bool suspendable = false;
  int checkpoint = 0;
  int restart = 0;
};

struct ExactInstance {
  std::vector<int> capacity;               // by pool
  std::vector<std::vector<double>> grams;  // by pool and hour, an accelerator
  std::vector<ExactJob> jobs;
};

// The least carbon of any schedule, or infinity if there is none. With data in
// whole hours an optimum in whole hours exists for rigid jobs: fractional
// starts can be shifted together until one of them is whole, at no cost.
double ExactOptimum(const ExactInstance& instance);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_SIM_BOUND_EXACT_H_
