// The plan of a live cluster: jobs that may be suspended.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "policies/planner/rolling_plan.h"

namespace ccsched {

void RollingPlan::HoldStretches(const Entry& entry, int sign, int64_t from) {
  for (const Stretch& s : entry.stretches) {
    Hold(entry.job.count, s, sign, from);
  }
}

// A pause puts off all that follows by as long: it saves what its hours differ
// from others, if the job still runs in them. So where a job's length is only
// believed, prices fade into their mean as the job's survival does.
// `job` is relative to the origin.
const PriceTable& RollingPlan::PricesFor(const PlanJob& job) {
  if (job.spread == nullptr) return priced_;
  const int32_t first = static_cast<int32_t>(job.release / kSlotUs);
  const int32_t last = static_cast<int32_t>((job.latest_end - 1) / kSlotUs);
  // So many end in each slot, if they run without a pause.
  std::vector<double> alive(std::max(0, last - first + 1), 0.0);
  for (const LengthSpread::Share& s : job.spread->shares) {
    const int64_t end = (job.release + s.length) / kSlotUs - first;
    if (end < static_cast<int64_t>(alive.size())) alive[end] += s.share;
  }
  double ended = 0;
  for (double& share : alive) {
    const double now = share;
    share = std::max(0.0, 1 - ended - now / 2);
    ended += now;
  }
  for (const uint16_t pool : work_.placements[job.pools]) {
    faded_.SetFaded(priced_, pool, first, alive);
  }
  return faded_;
}

void RollingPlan::PutPausable(int64_t now, Entry& entry) {
  StretchOrigin origin;
  if (entry.running) {
    origin = {StretchOrigin::kRunning, entry.pool};
  } else if (entry.paused) {
    origin.state = StretchOrigin::kSuspended;
  }
  PlanJob job = Relative(entry.job, now);
  job.release = now - origin_;
  job.latest_end = std::max(job.latest_end, job.release + job.duration);
  std::vector<Stretch> stretches;
  pauses_.Plan(work_, PricesFor(job), *schedule_, job, origin,
               options_.least_gain, entry.worth, stretches);
  for (Stretch& s : stretches) {
    s.start += origin_;
    s.end += origin_;
  }
  if (stretches.empty() && entry.running) {
    // Nothing else is possible: it runs on.
    stretches = {{entry.pool, now, now + entry.job.duration}};
  }
  if (stretches.empty()) {
    // No room within its window: the first there is.
    entry.work = static_cast<uint32_t>(work_.jobs.size());
    if (entry.paused) job.duration += job.restart;
    work_.jobs.push_back(job);
    schedule_->Grow();
    schedule_->PutCheapest(priced_, entry.work);
    const Schedule::Place place = schedule_->place(entry.work);
    entry.pool = place.pool;
    if (place.pool < 0) {
      entry.stretches.clear();
      return;
    }
    schedule_->Take(entry.work);
    stretches = {{place.pool, place.start + origin_,
                  place.start + origin_ + job.duration}};
  }
  const bool goes_on = entry.running && stretches[0].start == now &&
                       stretches[0].pool == entry.pool;
  if (entry.running && !goes_on) {
    // It stops at once, to go on later or elsewhere.
    stretches.insert(stretches.begin(),
                     {entry.pool, now, now + entry.job.checkpoint});
  }
  entry.stretches = std::move(stretches);
  if (!entry.running) {
    entry.pool = entry.stretches[0].pool;
    entry.start = entry.stretches[0].start;
  }
  entry.end = entry.stretches[0].end;
  HoldStretches(entry, 1, now);
}

void RollingPlan::SetRemaining(uint32_t index, int64_t remaining,
                               int64_t latest_end,
                               std::shared_ptr<const LengthSpread> spread) {
  PlanJob& job = entries_[index].job;
  job.duration = std::max<int64_t>(1, remaining);
  job.latest_end = latest_end;
  job.spread = std::move(spread);
}

int64_t RollingPlan::SuspendAt(uint32_t index) const {
  const Entry& entry = entries_[index];
  if (!entry.running || entry.leaving || entry.stretches.size() < 2) return 0;
  return entry.stretches[0].end - entry.job.checkpoint;
}

void RollingPlan::Suspended(int64_t now, uint32_t index, int64_t remaining) {
  Entry& entry = entries_[index];
  HoldStretches(entry, -1, now);
  if (entry.running) entry.done += std::max(now - entry.start, int64_t{0});
  entry.running = false;
  entry.leaving = false;
  entry.paused = true;
  entry.job.duration = std::max<int64_t>(1, remaining);
  if (!entry.stretches.empty()) entry.stretches.erase(entry.stretches.begin());
  if (entry.stretches.empty() || entry.stretches[0].start < now) {
    PutPausable(now, entry);
    return;
  }
  entry.pool = entry.stretches[0].pool;
  entry.start = entry.stretches[0].start;
  entry.end = entry.stretches[0].end;
  HoldStretches(entry, 1, now);
}

}  // namespace ccsched
