// A plan as it stands: jobs that may be suspended.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "policies/planner/plan_book.h"

namespace ccsched {

void PlanBook::HoldStretches(const PlanEntry& entry, int sign, int64_t from) {
  for (const Stretch& s : entry.stretches) {
    Hold(entry.job.count, s, sign, from);
  }
}

void PlanBook::PutPausable(int64_t now, PlanEntry& entry,
                           const PriceTable& table) {
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
  pauses_.Plan(work_, table, carbon_, *schedule_, job, origin,
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
    if (entry.paused) job.duration += job.restart;
    AddJob(entry, job);
    schedule_->PutCheapest(table, entry.work);
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

bool PlanBook::PutInOne(int64_t now, PlanEntry& entry) {
  if (entry.running || entry.leaving || entry.stretches.size() != 1) {
    return false;
  }
  PlanJob job = Relative(entry.job, now);
  job.suspendable = false;
  job.duration = entry.end - entry.start;
  if (entry.end - origin_ > job.latest_end) return false;
  HoldStretches(entry, -1, now);
  AddJob(entry, job);
  schedule_->Put(entry.work, entry.pool, entry.start - origin_);
  return true;
}

}  // namespace ccsched
