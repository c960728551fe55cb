// How busy an attempt was over its time, in a few dozen characters.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_USE_HISTORY_H_
#define CCSCHED_SCHEDULER_MODEL_USE_HISTORY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace ccsched {

// Averages over equal steps from the attempt's start; when they become too
// many, each two of them become one. What was not reported is unknown. As text,
// for the ledger: what was measured, the step in seconds, eighths ("a60
// 0588.7").
class UseHistory {
 public:
  static constexpr size_t kStepsMax = 64;
  static constexpr absl::Duration kStepMin = absl::Minutes(1);

  // Use (0 to 1) over [from, to), both since the attempt's start.
  // `accelerators`: it is theirs, not the processors'; once one is, all have to
  // be. REQUIRES: from and to are not negative.
  void Add(absl::Duration from, absl::Duration to, double use,
           bool accelerators);

  std::string Text() const;
  // An empty history if the text is none.
  static UseHistory FromText(std::string_view text);

  absl::Duration step() const { return step_; }
  bool of_accelerators() const { return accelerators_; }
  // In eighths, by step; 9 where nothing is known.
  std::vector<unsigned> Levels() const;
  // How long it has been idle up to the last report: whole steps at level 0.
  absl::Duration Idle() const;
  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    double busy_s = 0;
    double known_s = 0;
  };
  void Halve();

  absl::Duration step_ = kStepMin;
  std::vector<Step> steps_;
  bool accelerators_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_USE_HISTORY_H_
