// The plan of a live cluster: jobs that may be suspended.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "policies/planner/rolling_plan.h"

namespace ccsched {

void RollingPlan::SetRemaining(uint32_t index, int64_t remaining,
                               int64_t latest_end) {
  SetWork(book_->entries[index], remaining, latest_end);
}

int64_t RollingPlan::SuspendAt(uint32_t index) const {
  const Entry& entry = book_->entries[index];
  if (!entry.running || entry.leaving || entry.stretches.size() < 2) return 0;
  return entry.stretches[0].end - entry.job.checkpoint;
}

void RollingPlan::GiveWay(int64_t now, uint32_t index) {
  Entry& entry = book_->entries[index];
  if (planned()) book_->Drop(now, entry);
  entry.end = now + entry.job.checkpoint;
  entry.new_end = 0;
  if (entry.pausable) entry.stretches = {entry.run()};
  if (planned()) book_->HoldPlace(entry, now);
  entry.leaving = true;
  Note(index);
}

void RollingPlan::Suspended(int64_t now, uint32_t index, int64_t remaining) {
  Entry& entry = book_->entries[index];
  if (planned()) book_->Drop(now, entry);
  if (entry.running) entry.done += std::max(now - entry.start, int64_t{0});
  entry.running = false;
  entry.leaving = false;
  entry.paused = true;
  SetWork(entry, remaining);
  if (!entry.stretches.empty()) entry.stretches.erase(entry.stretches.begin());
  Note(index);
  if (!planned()) return;
  reached_beyond_ |= book_->ReachLastEnd(entry, now);
  if (entry.stretches.empty() || entry.stretches[0].start < now) {
    book_->Put(now, entry);
    return;
  }
  const Stretch& next = entry.stretches[0];
  if (entry.own != nullptr && next.count != entry.job.count) {
    for (const PlanWidths::Width& width : entry.own->widths->widths) {
      if (width.count == next.count) entry.job = AtWidth(*entry.own, width);
    }
  }
  entry.pool = next.pool;
  entry.start = next.start;
  entry.end = next.end;
  book_->HoldPlace(entry, now);
}

}  // namespace ccsched
