// The common part of published policies that pause and resume jobs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_STOP_AND_GO_H_
#define CCSCHED_POLICIES_STOP_AND_GO_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "policies/dispatch.h"
#include "policies/policy.h"
#include "policies/window.h"

namespace ccsched {

// Asks a rule, for each job, whether it should run now and until when that
// holds, and carries the answers out: defers, starts, suspends, takes up again
// and resizes. A job that should run and finds no room waits for it, those at
// their latest start in front; one that would break its promise by pausing is
// left running.
class StopAndGo : public Policy {
 public:
  // REQUIRES: `parameters` holds that of WaitParameter().
  explicit StopAndGo(const PolicyParameters& parameters);

  void Decide(const PolicyInput& in, Actions& actions) final;
  bool TakesUpSuspended() const final { return true; }
  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const final;

  static ParameterSpec WaitParameter();

 protected:
  // A stretch of a plan, half-open, on `count` accelerators.
  struct Stint {
    int64_t start_us;
    int64_t end_us;
    uint32_t count;
  };
  // What is remembered of a job.
  struct Track {
    JobId id;
    // The rule's:
    bool planned = false;
    PoolId pool;
    std::vector<Stint> plan;   // in order of time
    size_t next_stint = 0;     // the first of them that is not over
    std::vector<double> bars;  // thresholds, by the job's pools
    // Of this class: the timer that counts (others of the job are stale), and
    // the useful work of the running attempt.
    int64_t timer_us = kNeverUs;
    Epoch epoch;
    uint32_t width = 0;
    int64_t counted_until_us = 0;
    double done_us = 0;
  };
  // A job as rules see it, in microseconds since 1970.
  struct Query {
    JobRef job = kNoJob;
    const JobShape& shape;
    const Placement& pools;
    int64_t now_us = 0;
    int64_t remaining_us = 1;  // at its own count, as believed; > 0
    // When it has to run, without a pause from then on, to keep its promise;
    // >= now_us.
    int64_t latest_us = 0;
    int64_t horizon_us = kNeverUs;  // no run is planned beyond it
    std::optional<PoolId> where;    // it runs here now
    // Before it runs: whether it may be suspended at all. While it runs:
    // whether suspending it now leaves time to keep its promise.
    bool may_pause = false;
  };
  struct Phase {
    bool run = true;
    PoolId pool;         // where best
    uint32_t count = 0;  // 0: its own
    int64_t until_us = kNeverUs;
    ReasonCode why = ReasonCode::kBestIsNow;
  };

  // What the job should do now, and until when (after now). It waits no longer
  // than to its latest start, whatever is said here.
  virtual Phase Ask(const PolicyInput& in, const Query& query,
                    Track& track) = 0;
  // A policy of the same parameters that knows no job.
  virtual std::unique_ptr<StopAndGo> Fresh() const = 0;
  // Whether a job goes where it may run first, not where it emits least.
  virtual bool TakesFirstChance() const { return false; }
  // Whether the job, which should run, may do so at this pool.
  virtual bool Allows(const PolicyInput&, const Query&, const Track&, PoolId) {
    return true;
  }
  // Useful work for each hour of running on `ratio` times the own count.
  virtual double Speed(double ratio) const { return ratio; }

  const PolicyParameters& parameters() const { return parameters_; }
  Curve* curve(const PolicyInput& in, PoolId pool) {
    return curves_.of(in, pool);
  }
  static double Kilowatts(const PolicyInput& in, PoolId pool) {
    return in.topology.GridPower(pool, 1).value() / 1000;
  }
  // Whether what is left of the plan is what is left of the job. It is not if
  // the job could not run as planned, or if its runtime is believed to be
  // another than before. An unbroken run is never planned anew.
  bool Stands(const Query& query, const Track& track) const;
  // The job runs, starts or waits as its plan says.
  static Phase Follow(const Query& query, Track& track);
  // Plans an unbroken run at the start that emits least among those 0, 1, 2,
  // ... hours from now, as lowest-window does; false without any forecast.
  bool PlanUnbroken(const PolicyInput& in, const Query& query, Track& track);

 private:
  struct Timer {
    int64_t us;
    JobRef job;
    JobId id;
    bool operator<(const Timer& o) const {  // the top is the earliest
      return us != o.us ? us > o.us : id > o.id;
    }
  };
  Track& TrackOf(const PolicyInput& in, JobRef job);
  // Of what the job has done in its running attempt; zero if there is none.
  absl::Duration Done(const PolicyInput& in, JobRef job, Track& track);
  Query QueryOf(const PolicyInput& in, JobRef job, Track& track);
  // With `done` in its running attempt.
  Query QueryOf(const PolicyInput& in, const Job& job, const JobShape& shape,
                absl::Duration done) const;
  // Whether what is left of the plan is the job's remaining work.
  bool PlanCovers(const Query& query, const Track& track) const;
  Phase Consult(const PolicyInput& in, const Query& query, Track& track);
  void SetTimer(const PolicyInput& in, JobRef job, Track& track, int64_t us);
  void TakeUpAll(const PolicyInput& in);
  void Hear(const PolicyInput& in, Actions& actions, JobRef job);
  void RingTimers(const PolicyInput& in, Actions& actions);
  void Review(const PolicyInput& in, Actions& actions, JobRef job);
  void Resume(const PolicyInput& in, Actions& actions, bool urgent_only);
  bool HasRoom(const PolicyInput& in, const Actions& actions, JobRef job);
  bool Settle(const PolicyInput& in, Actions& actions, JobRef job);
  bool StartSomewhere(const PolicyInput& in, Actions& actions,
                      const Query& query, Track& track, const Phase& phase,
                      uint32_t count);
  void Explain(const PolicyInput& in, const Query& query, const Track& track,
               Reason& reason);

  const PolicyParameters parameters_;
  const int64_t max_wait_us_;
  Curves curves_;
  Arrivals arrivals_;
  DueJobs queue_;
  std::vector<Track> tracks_;      // by job
  std::vector<Timer> timers_;      // a heap
  std::vector<Timer> to_resume_;   // suspended jobs that should run, sorted by
                                   // their latest resumption
  std::vector<uint64_t> no_room_;  // by shape: the last round without room
  uint64_t round_ = 0;
  std::vector<JobRef> due_;
  std::vector<double> grams_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_STOP_AND_GO_H_
