// planner: a rolling plan of all jobs under prices of capacity.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PLANNER_H_
#define CCSCHED_POLICIES_PLANNER_PLANNER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
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
  double wait = 0;  // grams that an hour's wait of an accelerator's work costs
  // The same, as shares of what such an hour's work usually emits, as far as
  // capacity has a price; `unsure` for jobs of unknown runtime.
  double haste = 0, haste_unsure = 0;
  RollingOptions rolling;
};

// Longer runs are planned as if they lasted so long.
inline constexpr absl::Duration kLongestPlanned = absl::Hours(24 * 120);
// No start is sought later than so long from now, whatever was promised: what
// is planned takes memory by the hour.
inline constexpr absl::Duration kLongestDeferral = absl::Hours(24 * 60);

// What it does in one call is bounded by a count of looks at a start, so that
// it holds nobody up and comes to the same result everywhere: jobs that came,
// and all that waits when it is planned anew, are taken up over as many calls
// as it takes. Until a new plan is ready the old one stands; but what is due by
// it and may still wait is left for the new one to decide.
class Planner : public Policy {
 public:
  explicit Planner(const PlannerSettings& settings) : settings_(settings) {}

  void Decide(const PolicyInput& in, Actions& actions) override;
  bool TakesUpSuspended() const override { return true; }
  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const override;

 private:
  // A job that is being planned.
  struct Planned {
    uint32_t index = 0;  // in the rolling plan
    bool running = false;
    bool known = false;      // its runtime is exact
    bool given_way = false;  // others were suspended for it
    bool blind = false;      // no forecast was known when it was described
    absl::Time told_start;   // of the last deferral
    PoolId told_pool;
  };

  // Whose turn it is to start, of jobs that are due.
  struct Turn {
    bool late = false;  // at its latest start
    int32_t priority = 0;
    double load = 0;  // of its project
    int64_t latest_start = 0;
    JobId id;
    JobRef job = kNoJob;
    bool operator<(const Turn& o) const;
  };
  static bool Later(const Turn& a, const Turn& b) { return b < a; }
  // What is done of a planning anew.
  enum class Phase { kIdle, kReview, kPlan };

  void Rebuild(const PolicyInput& in);
  void TakeChanges(const PolicyInput& in);
  // Describes and places jobs that came, as far as `work_` goes.
  void TakeArrivals(const PolicyInput& in);
  bool ClusterChanged(const PolicyInput& in);
  // As the plan counts them.
  static std::vector<uint16_t> PoolsOf(const Placement& placement);
  bool ReplanIsDue(const PolicyInput& in, Actions& actions);
  void AdvanceReplan(const PolicyInput& in, Actions& actions);
  // Goes over what is believed of the jobs. True: of all.
  bool ReviewAll(const PolicyInput& in);
  void ReviewRun(const PolicyInput& in, JobRef job, Planned& planned);
  void ReviewWaiting(const PolicyInput& in, JobRef job, Planned& planned);
  // Whether any of the pools has a forecast.
  static bool HasData(const PolicyInput& in, const Placement& allowed);
  std::shared_ptr<const LengthSpread> SpreadOf(const PolicyInput& in,
                                               const Job& job,
                                               const JobShape& shape) const;
  // How projects stand that have shares, by account.
  std::vector<RollingPlan::AccountLoad> Loads(const PolicyInput& in) const;
  Turn TurnOf(const PolicyInput& in, JobRef job) const;
  PlanJob Describe(const PolicyInput& in, const Job& job,
                   const JobShape& shape) const;
  // The same, at the width at which the plan has it.
  PlanJob DescribeAsPlanned(const PolicyInput& in, JobRef ref) const;
  // Starts planning a job; `first` if it was never planned before.
  void Take(const PolicyInput& in, JobRef job, bool first);
  void TakeRun(const PolicyInput& in, JobRef job);
  void CandidatesFromAll(const PolicyInput& in);
  void TakeSuspended(const PolicyInput& in);
  // The latest start that keeps the job's promise, without any margin, at the
  // width at which it is planned.
  absl::Time PromisedStart(const PolicyInput& in, JobRef job) const;
  absl::Time SafeStart(const PolicyInput& in, JobRef job) const;
  static absl::Duration SlackOf(const PolicyInput& in, const Run& run);
  // Looks at a job again shortly before its promise is lost.
  void Watch(const PolicyInput& in, JobRef job);
  // The same, unless its planned start can be relied on.
  void WatchIfPressed(const PolicyInput& in, JobRef job, absl::Time start);
  // Those for whom others gave way have the first pick of what is free.
  void TakePromisedRoom(const PolicyInput& in, Actions& actions);
  // Starts what is watched and due wherever there is room, and makes room.
  void KeepPromises(const PolicyInput& in, Actions& actions);
  std::vector<JobRef> WhoCanWait(const PolicyInput& in, JobRef job) const;
  // Suspends others in favour of the job; returns when to look again.
  absl::Duration MakeRoom(const PolicyInput& in, Actions& actions, JobRef job);
  void SuspendWhatIsDue(const PolicyInput& in, Actions& actions);
  void NoteRun(const PolicyInput& in, JobRef job, Planned& planned);
  // Takes the errors that forecasts have shown off the new ones.
  void Correct(const PolicyInput& in);
  // What an hour of one accelerator's work emits in the coming day, on average
  // over the pools that have forecasts; 0 if none has.
  double UsualGrams(const PolicyInput& in, const Placement& allowed) const;
  // How much of `haste` counts, 0 to 1: none where capacity is free.
  double Rush(const Placement& allowed) const;
  Objective Goal(const PolicyInput& in) const;
  // Starts what is due of `candidates` and defers the rest.
  void Act(const PolicyInput& in, Actions& actions);
  void Settle(const PolicyInput& in, Actions& actions, JobRef job);
  void ForgetThoseThatLeft(const PolicyInput& in);
  // Whether a job that is due will soon have its room at the pool, as others
  // are saving their state there in order to leave.
  bool RoomIsDue(const PolicyInput& in, const RollingPlan::Entry& entry);
  // Of a shape's jobs that were due and found no room, the first, or kNoJob.
  JobRef FirstStuck(const PolicyInput& in, ShapeId shape);
  // Fills heads_ with those of them that would find room now.
  void FindStuck(const PolicyInput& in, const Actions& actions);
  void PushStuck(const PolicyInput& in, const Actions& actions, JobRef job);
  void StartStuck(const PolicyInput& in, Actions& actions, const Turn* limit);
  // Says when jobs are planned to start, as far as `work_` goes.
  void Tell(const PolicyInput& in, Actions& actions);
  bool StartAt(const PolicyInput& in, Actions& actions, JobRef job,
               Planned& planned, PoolId pool, uint32_t count);
  bool StartSomewhere(const PolicyInput& in, Actions& actions, JobRef job,
                      Planned& planned);
  // Whether the job may start now though it is not planned to. One whose
  // promise is lost takes nobody's planned room, unless others gave way for it;
  // any other may, but not that of the one that is most overdue.
  bool MayTakeRoom(const PolicyInput& in, const Planned& planned,
                   const PlanJob& as, PoolId pool) const;
  void TellDeferral(const PolicyInput& in, Actions& actions, JobRef job,
                    Planned& planned);
  Choice ChoiceOf(const PolicyInput& in, const RollingPlan::Offer& offer) const;
  GramsCo2e MoneyPrice(const PolicyInput& in,
                       const RollingPlan::Offer& offer) const;
  Reason Explain(const PolicyInput& in, JobRef job, int pool,
                 int64_t start) const;

  PlannerSettings settings_;
  std::unique_ptr<RollingPlan> plan_;
  const PolicyInput* input_ = nullptr;  // during a call
  absl::flat_hash_map<JobId, Planned> planned_;
  std::vector<JobRef> candidates_;  // to be started or deferred in this call
  std::vector<JobId> left_over_;    // candidates of the next call
  std::vector<JobId> leaving_;      // asked to suspend, and some that have
  std::deque<JobId> arrivals_;      // not yet taken up
  std::vector<JobId> ids_;          // by index in the plan
  // Due, but there was no room for them: of each shape, by latest start.
  absl::btree_map<ShapeId, absl::btree_set<std::pair<int64_t, JobId>>> stuck_;
  absl::btree_set<std::pair<absl::Time, JobId>> pressed_;  // when to look
  std::vector<JobId> promised_room_;  // others were suspended for them
  std::vector<Turn> heads_;           // a heap of stuck jobs to be started
  std::vector<std::pair<int64_t, JobId>> to_tell_;  // by start
  size_t told_ = 0;                                 // of to_tell_
  int64_t work_ = 0;  // looks at a start that this call may still do
  Phase phase_ = Phase::kIdle;
  uint32_t reviewed_ = 0;       // in the plan
  bool replan_wanted_ = false;  // since the last one began
  bool resized_ = false;
  bool long_replan_ = false;  // the last one took several calls
  std::vector<std::optional<Forecast>> corrected_;  // by region
  int64_t corrected_hour_ = -1;                     // since 1970
  std::vector<double> usual_;  // by pool: grams an hour; 0: not known
  mutable std::vector<RuntimeShare> shares_;  // room to work in
  size_t unknown_running_ = 0;                // of unknown runtime
  JobId overdue_;  // whom nobody is to hold up; 0: nobody
  absl::Time next_suspend_ = absl::InfinitePast();  // look again then
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PLANNER_H_
