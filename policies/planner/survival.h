// Runtimes as learnt from the jobs that have ended.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_SURVIVAL_H_
#define CCSCHED_POLICIES_PLANNER_SURVIVAL_H_

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "policies/policy.h"

namespace ccsched {

// Believes that a job will go on as earlier ones of its kind did that had run
// as long: an empirical survival curve over the last ends of the same project,
// user, name and width, filled up from wider kinds (without the name, the
// user, the width) where there are few, which count less. Runs that were cut
// short count as having lasted on. Exact where a spec's runtime is exact; a
// user's estimate stands in while little has been learnt, and a time limit
// only caps. Not thread safe.
class LearnedBeliefs : public RuntimeBeliefs {
 public:
  RuntimeBelief Remaining(const Job& job, const JobShape& shape,
                          absl::Duration executed) const override;
  void Observe(const Job& job, const JobShape& shape, absl::Duration runtime,
               bool completed) override;

 private:
  static constexpr int kLevels = 6;
  struct End {
    double seconds;
    bool completed;
  };
  struct Weighted {
    double seconds;
    double weight;
  };
  using Keys = std::array<uint64_t, kLevels>;
  static Keys KeysOf(const Job& job, const JobShape& shape);
  // The ends of jobs of its kind that had run longer than `seconds`, in order
  // of length, with weights. Returns the sum of the weights.
  double Gather(const Keys& keys, double seconds) const;

  absl::flat_hash_map<uint64_t, std::deque<End>> ends_;
  mutable std::vector<Weighted> sample_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_SURVIVAL_H_
