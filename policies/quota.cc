// The common part of published policies that ration work by the hour.
// SPDX-License-Identifier: Apache-2.0
#include "policies/quota.h"

#include <algorithm>
#include <limits>

namespace ccsched {

Quota::Quota(const PolicyParameters& parameters)
    : max_wait_us_(static_cast<int64_t>(parameters.at("max_wait_h") *
                                        static_cast<double>(kHourUs))) {}

void Quota::UpdateShares(const PolicyInput& in) {
  const int64_t now_us = ToUs(in.now);
  shares_.assign(in.topology.pools.size(), 1);
  shares_until_us_ = kNeverUs;
  for (size_t p = 0; p < shares_.size(); ++p) {
    const PoolId pool(static_cast<uint16_t>(p));
    Curve* const curve = curves_.of(in, pool);
    if (curve == nullptr) continue;
    shares_[p] = Share(in, pool, *curve);
    shares_until_us_ = std::min(shares_until_us_, curve->NextEdge(now_us));
  }
}

bool Quota::HasQuota(const PolicyInput& in, PoolId pool, uint32_t count) const {
  // Of a pool without limit, a share is one of all that wants to run.
  const uint64_t used = Used(in, pool);
  const uint64_t total =
      std::min<uint64_t>(in.pools[pool.value()].total, used + queued_);
  return static_cast<double>(used + count) <=
         shares_[pool.value()] * static_cast<double>(total) + 1e-9;
}

int64_t Quota::LatestUs(const PolicyInput& in, JobRef job) const {
  const absl::Time latest = in.LatestStart(job, &RuntimeBelief::mean);
  if (latest < absl::InfiniteFuture()) return ToUs(latest);
  return ToUs(in.jobs[job].spec.submitted) + max_wait_us_;
}

bool Quota::TryStart(const PolicyInput& in, Actions& actions, JobRef job) {
  const int64_t now_us = ToUs(in.now);
  const bool urgent = LatestUs(in, job) <= now_us;
  const uint32_t count = in.shape(job).count;
  bool found = false;
  double least = 0;
  Reason reason;
  for (const PoolId pool : in.placement(job)) {
    if (!queue_.MayUse(in, pool) || !actions.Fits(job, pool)) continue;
    if (!urgent && !HasQuota(in, pool, count)) continue;
    Curve* const curve = curves_.of(in, pool);
    const double cost =
        curve == nullptr
            ? std::numeric_limits<double>::infinity()
            : curve->At(now_us) * in.topology.GridPower(pool, 1).value();
    if (found && !(cost < least)) continue;
    found = true;
    least = cost;
    reason.chosen = {.pool = pool, .start = in.now};
    reason.code = curve == nullptr ? ReasonCode::kNoData
                  : urgent         ? ReasonCode::kPromise
                                   : ReasonCode::kThreshold;
  }
  return found && actions.Start(job, reason.chosen.pool, reason, 0);
}

void Quota::Decide(const PolicyInput& in, Actions& actions) {
  curves_.Refresh(in);
  Observe(in);
  if (in.queue.empty()) return;
  const int64_t now_us = ToUs(in.now);
  bool more_room = in.capacity_freed || next_latest_us_ <= now_us;
  if (in.cold || in.forecast_changed || now_us >= shares_until_us_) {
    UpdateShares(in);
    more_room = true;
  }
  queued_ = 0;
  for (const ShapeId shape : in.queue.shapes()) {
    queued_ += in.queue.Count(shape) * in.shapes[shape].count;
  }
  const absl::Span<const JobRef> arrivals = arrivals_.Of(in);
  queue_.Run(
      in, arrivals, more_room,
      [&](JobRef job) { return TryStart(in, actions, job); },
      [&](JobRef job) { return LatestUs(in, job); });
  for (const JobRef job : arrivals) {
    if (in.jobs[job].state != JobState::kQueued) continue;
    actions.Wait(job, {.code = ReasonCode::kQuota});
  }
  next_latest_us_ = queue_.NextLatest(in);
  if (in.queue.empty()) return;
  if (shares_until_us_ != kNeverUs) actions.WakeAt(FromUs(shares_until_us_));
  if (next_latest_us_ != kNeverUs) actions.WakeAt(FromUs(next_latest_us_));
}

}  // namespace ccsched
