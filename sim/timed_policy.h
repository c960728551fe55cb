// A policy that is timed while it decides.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_TIMED_POLICY_H_
#define CCSCHED_SIM_TIMED_POLICY_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "policies/policy.h"
#include "scheduler/base/clock.h"

namespace ccsched {

// Measures every decision of a policy that takes its time on average, and every
// 256th of one that does not: reading the clock would cost more than deciding.
class TimedPolicy : public Policy {
 public:
  explicit TimedPolicy(std::unique_ptr<Policy> policy, absl::Duration* total)
      : policy_(std::move(policy)), total_(total) {}

  void Decide(const PolicyInput& input, Actions& actions) override {
    if (skip_ > 0) {
      --skip_;
      policy_->Decide(input, actions);
      return;
    }
    // What reading the clock itself costs is taken off.
    const absl::Duration first = ThreadCpuTime();
    const absl::Duration before = ThreadCpuTime();
    policy_->Decide(input, actions);
    const absl::Duration took = std::max(
        absl::ZeroDuration(), (ThreadCpuTime() - before) - (before - first));
    *total_ += took * weight_;
    decisions_ += weight_;
    // By the mean of all, not by the last: most decisions may be short and a
    // few so long that one of these counted 256 times is more than all took.
    const bool sampled = decisions_ >= kFirst && *total_ < kQuick * decisions_;
    weight_ = sampled ? kEvery : 1;
    skip_ = weight_ - 1;
  }
  bool TakesUpSuspended() const override { return policy_->TakesUpSuspended(); }
  std::vector<Choice> Offers(const PolicyInput& input, const Job& job,
                             const JobShape& shape) const override {
    return policy_->Offers(input, job, shape);
  }

 private:
  static constexpr int kEvery = 256;
  static constexpr int64_t kFirst = 1024;  // measured whatever they take
  static constexpr absl::Duration kQuick = absl::Microseconds(2);
  std::unique_ptr<Policy> policy_;
  absl::Duration* const total_;
  int64_t decisions_ = 0;
  int skip_ = 0;
  int weight_ = 1;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_TIMED_POLICY_H_
