// The common part of published policies that pick one start for each job.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_START_ONCE_H_
#define CCSCHED_POLICIES_START_ONCE_H_

#include <cstdint>
#include <vector>

#include "policies/dispatch.h"
#include "policies/policy.h"
#include "policies/window.h"

namespace ccsched {

// Picks a site and a start for each job when it arrives, as if capacity were
// unlimited, and defers it until then. A job that is due starts at the site
// that is best at that moment of those with room; where there is none it
// queues, others pass it, and those at their latest start go first.
class StartOnce : public Policy {
 public:
  // REQUIRES: `parameters` holds that of WaitParameter().
  explicit StartOnce(const PolicyParameters& parameters);

  void Decide(const PolicyInput& in, Actions& actions) final;
  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const final;

  static ParameterSpec WaitParameter();

 protected:
  // A job as the rules see it, in microseconds since 1970.
  struct Query {
    int64_t now_us;
    int64_t latest_us;   // >= now_us
    int64_t horizon_us;  // no run may end later, unless it starts now
    int64_t length_us;   // as believed; > 0
    // Grams of one accelerator if the job starts now at its best pool.
    double now_grams = 0;
  };
  // A start at one pool and how good it is; the greatest score is taken, the
  // earlier pool of equals.
  struct Start {
    int64_t start_us = 0;
    double score = 0;
  };
  // The best start at a pool of this curve whose accelerator takes `kw`
  // kilowatts from the grid. `grams` is room to work in.
  virtual Start Best(const Query& query, Curve& curve, double kw,
                     std::vector<double>& grams) const = 0;
  // How good it is to start a due job there now; the greatest is taken.
  virtual double ScoreNow(const Query& query, Curve& curve,
                          double kw) const = 0;
  // Whether Best() looks at Query::now_grams.
  virtual bool ComparesWithNow() const { return false; }

  // How many starts, an hour apart from now on, the query allows; >= 1.
  static int HourlyStarts(const Query& query);

 private:
  struct Pick {
    PoolId pool;
    Start start;
  };
  struct Picks {
    Pick best, next;  // next: the best at another pool
    int known = 0;    // pools whose intensity is known
  };
  Query QueryOf(const PolicyInput& in, absl::Time latest,
                absl::Duration length) const;
  Picks PickOf(const PolicyInput& in, Curves& curves,
               std::vector<double>& grams, const JobShape& shape,
               Query& query) const;
  void Plan(const PolicyInput& in, Actions& actions, JobRef job);
  bool TryStart(const PolicyInput& in, Actions& actions, JobRef job);

  const int64_t max_wait_us_;
  Curves curves_;
  Arrivals arrivals_;
  DueJobs queue_;
  std::vector<JobRef> due_;
  std::vector<double> grams_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_START_ONCE_H_
