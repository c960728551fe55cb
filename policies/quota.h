// The common part of published policies that ration work by the hour.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_QUOTA_H_
#define CCSCHED_POLICIES_QUOTA_H_

#include <cstdint>
#include <vector>

#include "policies/dispatch.h"
#include "policies/policy.h"
#include "policies/window.h"

namespace ccsched {

// Keeps jobs in the queue and starts them, in order, at the cleanest site that
// has room and quota left; running work is never stopped. A job at its latest
// start needs no quota, nor does one at a pool of unknown intensity.
class Quota : public Policy {
 public:
  // REQUIRES: `parameters` holds that of StartOnce::WaitParameter().
  explicit Quota(const PolicyParameters& parameters);

  void Decide(const PolicyInput& in, Actions& actions) final;

 protected:
  // The share of a pool, 0 to 1, that may be at work now. Asked for at each
  // edge of the forecast's steps. `curve` is that of its region.
  virtual double Share(const PolicyInput& in, PoolId pool, Curve& curve) = 0;
  // Called first at each Decide.
  virtual void Observe(const PolicyInput&) {}

  // Accelerators at work.
  static uint64_t Used(const PolicyInput& in, PoolId pool) {
    const PoolUse& use = in.pools[pool.value()];
    return use.total - use.free;
  }

 private:
  void UpdateShares(const PolicyInput& in);
  bool HasQuota(const PolicyInput& in, PoolId pool, uint32_t count) const;
  int64_t LatestUs(const PolicyInput& in, JobRef job) const;
  bool TryStart(const PolicyInput& in, Actions& actions, JobRef job);

  const int64_t max_wait_us_;
  Curves curves_;
  Arrivals arrivals_;
  DueJobs queue_;
  std::vector<double> shares_;  // by pool
  int64_t shares_until_us_ = 0;
  int64_t next_latest_us_ = kNeverUs;  // of a job that waits
  uint64_t queued_ = 0;                // accelerators that queued jobs ask for
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_QUOTA_H_
