// The exact optimum of small instances, as a mixed integer program.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_SIM_BOUND_EXACT_H_
#define CCSCHED_TESTS_SIM_BOUND_EXACT_H_

#include <optional>
#include <vector>

namespace ccsched {

// All in whole hours, but for overheads.
struct ExactJob {
  int release = 0;
  int duration = 1;  // at `count`
  int latest_end = 1;
  int count = 1;
  bool suspendable = false;
  double checkpoint = 0;
  double restart = 0;
  // Elastic if above 0, from `least`: (width / count) ^ exponent hours of work
  // in an hour, and another width costs a checkpoint and a restart.
  int most = 0;
  int least = 1;
  double exponent = 1;
};

struct ExactInstance {
  std::vector<int> capacity;               // by pool
  std::vector<std::vector<double>> grams;  // by pool and hour, an accelerator
  std::vector<ExactJob> jobs;
};

// The least carbon of any schedule whose jobs start, stop and are resized on
// the hour; nothing if there is none. For rigid jobs no other schedule emits
// less: starts within an hour can be shifted together, at no cost, until one of
// them is whole. For others it may be above the optimum, never below but for
// stretches that are shorter than their overheads.
std::optional<double> ExactOptimum(const ExactInstance& instance);

// The same with shares of starts, of hours and of accelerators.
std::optional<double> ExactRelaxation(const ExactInstance& instance);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_SIM_BOUND_EXACT_H_
