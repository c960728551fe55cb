// Runtimes as learnt from the jobs that have ended.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_SURVIVAL_H_
#define CCSCHED_POLICIES_PLANNER_SURVIVAL_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "policies/policy.h"

namespace ccsched {

// Believes that a job will go on as others of its kind did that had run as
// long: a survival curve (Kaplan and Meier's) over those of the same project,
// user, name and width that began last. Those that still run, and those that
// were cut short, count for as long as they were seen: without them, a cluster
// that has long jobs would only ever hear of its short ones. A kind of few
// jobs is filled up from the next wider one (without the name, the user, the
// project, the width), as if that were kBackOff jobs of the kind; the widest
// from a prior around the user's own estimate, or else around a share of the
// delay that the job allows. Where users say how long a job will run, it is
// learnt how such estimates turn out: lengths are counted in estimates. Exact
// where a spec's runtime is exact; a time limit only caps. Not thread safe.
class LearnedBeliefs : public RuntimeBeliefs {
 public:
  RuntimeBelief Remaining(const Job& job, const JobShape& shape,
                          absl::Duration executed) const override;
  void Spread(const Job& job, const JobShape& shape, absl::Duration executed,
              std::vector<RuntimeShare>& shares) const override;
  void Observe(const Job& job, const JobShape& shape, absl::Duration runtime,
               bool completed) override;
  void Began(const Job& job, const JobShape& shape, absl::Time at) override;
  void Paused(const Job& job, const JobShape& shape) override;
  void Advance(absl::Time now) override;

 private:
  static constexpr int kLevels = 6;
  enum class State : uint8_t { kRuns, kPaused, kCompleted, kCutShort };
  // A job that began, and the work it has done, for one that runs before
  // `since`.
  struct Member {
    JobId id;
    double unit = 1;  // seconds: what its length is counted in
    double seconds = 0;
    double since = 0;  // seconds since 1970
    State state = State::kRuns;
  };
  static bool Live(const Member& m) {
    return m.state == State::kRuns || m.state == State::kPaused;
  }
  // A length and its weight: of a job seen, later of the curve's fall there.
  struct Weighted {
    double seconds;
    double weight;
    bool completed;
  };
  // Where a survival curve falls and by how much, in order of length; the falls
  // sum to one.
  struct Curve {
    std::vector<Weighted> falls;
    double effective = 0;  // so many ends of equal weight say as much
    double own = 0;        // ends of the job's own kinds that it rests on

    double mean = 0, p50 = 0, p90 = 0;
    std::vector<Weighted> spread;  // filled when it is first asked for

    void FallAtEnds();
    void Summarise();
    void Smear();
    // The length by which so much of it has fallen.
    double Quantile(double share) const;
  };
  using Keys = std::array<uint64_t, kLevels>;
  // Sets what is known of a job, in each of its kinds.
  void Set(const Job& job, const JobShape& shape, const Member& member);
  static Keys KeysOf(const Job& job, const JobShape& shape);
  // Of a job that has run for `seconds`; valid until the next call.
  Curve& Fit(const Job& job, const JobShape& shape, double seconds) const;
  void Gather(const Job& job, const Keys& keys, double seconds,
              Curve& curve) const;

  absl::flat_hash_map<uint64_t, std::vector<Member>> kinds_;  // as they began
  double now_ = 0;                                            // since 1970
  // Curves of jobs that have not run, for a minute or until one ends.
  mutable absl::flat_hash_map<uint64_t, Curve> fresh_;
  double fresh_since_ = 0;
  // The last of one that has run, and what it was asked for.
  mutable Curve scratch_;
  mutable uint64_t scratch_key_ = 0;
  mutable double scratch_seconds_ = -1, scratch_now_ = -1;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_SURVIVAL_H_
