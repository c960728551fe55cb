// How late planned starts come, as learnt from those that came.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_START_SLIPS_H_
#define CCSCHED_SCHEDULER_DAEMON_START_SLIPS_H_

#include <deque>

#include "absl/time/time.h"

namespace ccsched {

// The last starts against the time first planned for them. A start may come
// early: then its slip is negative. So that a few starts do not say too much,
// kPrior starts on time are taken as seen before. Not thread safe.
class StartSlips {
 public:
  void Add(absl::Duration slip);
  // The slips that half, and nine in ten, of planned starts do not exceed.
  absl::Duration p50() const { return p50_; }
  absl::Duration p90() const { return p90_; }

 private:
  static constexpr size_t kMost = 200;
  static constexpr size_t kPrior = 5;

  std::deque<absl::Duration> slips_;
  absl::Duration p50_, p90_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_START_SLIPS_H_
