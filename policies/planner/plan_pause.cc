// A plan as it stands: jobs that may be suspended.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "policies/planner/plan_book.h"

namespace ccsched {
namespace {

bool MakesUpForSlack(const PlanJob& job) {
  return job.widths != nullptr && job.spread == nullptr;
}

}  // namespace

void PlanBook::HoldStretches(const PlanEntry& entry, int sign, int64_t from) {
  for (const Stretch& s : entry.stretches) Hold(s, sign, from);
}

int64_t PlanBook::FrugalEnd(const PlanJob& job) const {
  if (MakesUpForSlack(job)) return job.latest_end;
  const int64_t slack = job.latest_start() - job.release;
  const double next = options_.frugal_hours * kSlotUs;
  const double share = std::min(1.0, next / job.duration);
  return job.release + job.duration + static_cast<int64_t>(share * slack);
}

double PlanBook::PlanPauses(int64_t from, const PlanJob& job,
                            const StretchOrigin& origin,
                            const PriceTable& table, double& worth,
                            std::vector<Stretch>& stretches) {
  PlanJob relative = Relative(job, from);
  relative.release = from - origin_;
  relative.latest_end =
      std::max(relative.latest_end, relative.release + relative.duration);
  relative.latest_end = FrugalEnd(relative);
  // One that has all its slack need not move for it: so many months at several
  // sites came out 1 to 9 % cheaper.
  PauseOptions pauses = options_.pauses;
  if (MakesUpForSlack(job)) pauses.reluctance *= 2;
  const double cost = pauses_.Plan(work_, table, carbon_, *schedule_, relative,
                                   origin, pauses, worth, stretches);
  for (Stretch& s : stretches) {
    s.start += origin_;
    s.end += origin_;
  }
  return cost * job.count;
}

void PlanBook::PutPausable(int64_t now, PlanEntry& entry,
                           const PriceTable& table) {
  std::vector<Stretch> stretches;
  if (entry.own != nullptr) {
    PlanElastic(now, entry, table, stretches);
  } else {
    PlanPauses(now, entry.job, OriginOf(entry), table, entry.worth, stretches);
  }
  if (stretches.empty() && entry.running) {
    // Nothing else is possible: it runs on.
    stretches = {{entry.pool, now, now + entry.job.duration, entry.job.count}};
  }
  if (stretches.empty()) {
    // No room so soon: in one go, within its whole window or after it.
    PlanJob job = Relative(entry.job, now);
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
                  place.start + origin_ + job.duration, job.count}};
  }
  const bool goes_on = entry.running && stretches[0].start == now &&
                       stretches[0].pool == entry.pool &&
                       stretches[0].count == entry.job.count;
  if (entry.running && !goes_on) {
    // It stops at once, to go on later or elsewhere.
    stretches.insert(
        stretches.begin(),
        {entry.pool, now, now + entry.job.checkpoint, entry.job.count});
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
  const int64_t end = entry.end - origin_;
  if (end > job.latest_end) return false;
  // What it is to keep of its slack is not there to be spent on a better start.
  job.latest_end = std::max(end, FrugalEnd(job));
  job.suspendable = false;
  job.duration = entry.end - entry.start;
  HoldStretches(entry, -1, now);
  AddJob(entry, job);
  schedule_->Put(entry.work, entry.pool, entry.start - origin_);
  return true;
}

}  // namespace ccsched
