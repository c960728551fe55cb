// planner: a rolling plan of all jobs under prices of capacity.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PLANNER_H_
#define CCSCHED_POLICIES_PLANNER_PLANNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "policies/planner/objective.h"
#include "policies/planner/rolling_plan.h"
#include "policies/policy.h"

namespace ccsched {

// What an operator may choose.
struct PlannerSettings {
  double patience_hours = 24;  // of jobs that were promised nothing
  double replan_minutes = 60;
  double margin_hours = 4;  // kept before the latest start if unsure
  bool spread = true;       // weigh lengths by their likelihood
  bool correct = true;      // forecasts, by their errors so far
  GoalWeights weights;
  RollingOptions rolling;
};

// Longer runs are planned as if they lasted so long.
inline constexpr absl::Duration kLongestPlanned = absl::Hours(24 * 120);

class Planner : public Policy {
 public:
  explicit Planner(const PlannerSettings& settings) : settings_(settings) {}

  void Decide(const PolicyInput& in, Actions& actions) override;
  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const override;

 private:
  // A job that is being planned.
  struct Planned {
    uint32_t index = 0;  // in the rolling plan
    bool running = false;
    bool known = false;     // its runtime is exact
    bool blind = false;     // no forecast was known when it was described
    absl::Time told_start;  // of the last deferral
    PoolId told_pool;
  };

  void Rebuild(const PolicyInput& in);
  void TakeChanges(const PolicyInput& in);
  bool ClusterChanged(const PolicyInput& in);
  bool ReplanIsDue(const PolicyInput& in) const;
  void Replan(const PolicyInput& in);
  // Whether any of the pools has a forecast.
  static bool HasData(const PolicyInput& in, const Placement& allowed);
  std::shared_ptr<const LengthSpread> SpreadOf(const PolicyInput& in,
                                               const Job& job,
                                               const JobShape& shape) const;
  // How projects stand that have shares, by account.
  std::vector<RollingPlan::AccountLoad> Loads(const PolicyInput& in) const;
  // Whether `a` is to be started before `b`, both being due.
  bool GoesFirst(const PolicyInput& in, JobRef a, JobRef b) const;
  PlanJob Describe(const PolicyInput& in, const Job& job,
                   const JobShape& shape) const;
  // Starts planning a job; `first` if it was never planned before.
  void Take(const PolicyInput& in, JobRef job, bool first);
  void TakeRun(const PolicyInput& in, JobRef job);
  void CandidatesFromAll(const PolicyInput& in);
  void TakeSuspended(const PolicyInput& in);
  void SuspendWhatIsDue(const PolicyInput& in, Actions& actions);
  void NoteRun(const PolicyInput& in, JobRef job, Planned& planned);
  // Takes the errors that forecasts have shown off the new ones.
  void Correct(const PolicyInput& in);
  Objective Goal(const PolicyInput& in) const;
  // Starts what is due of `candidates` and defers the rest.
  void Act(const PolicyInput& in, Actions& actions);
  bool StartAt(const PolicyInput& in, Actions& actions, JobRef job,
               Planned& planned, PoolId pool);
  bool StartSomewhere(const PolicyInput& in, Actions& actions, JobRef job,
                      Planned& planned);
  void TellDeferral(const PolicyInput& in, Actions& actions, JobRef job,
                    Planned& planned);
  Choice ChoiceOf(const PolicyInput& in, const PlanJob& plan,
                  const RollingPlan::Offer& offer) const;
  GramsCo2e MoneyPrice(const PolicyInput& in, const PlanJob& plan,
                       const RollingPlan::Offer& offer) const;
  Reason Explain(const PolicyInput& in, JobRef job, int pool,
                 int64_t start) const;

  PlannerSettings settings_;
  std::unique_ptr<RollingPlan> plan_;
  const PolicyInput* input_ = nullptr;  // during a call
  absl::flat_hash_map<JobId, Planned> planned_;
  std::vector<JobRef> candidates_;  // to be started or deferred in this call
  std::vector<JobId> stuck_;        // due, but there was no room for them
  std::vector<std::optional<Forecast>> corrected_;  // by region
  int64_t corrected_hour_ = -1;                     // since 1970
  mutable std::vector<RuntimeShare> shares_;        // room to work in
  size_t unknown_running_ = 0;                      // of unknown runtime
  int64_t seen_replans_ = 0;
  absl::Time next_suspend_ = absl::InfinitePast();  // look again then
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PLANNER_H_
