// Tells watchers which jobs have changed, after the commit that changed them.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/watch_hub.h"

#include <algorithm>
#include <utility>

namespace ccsched {

JobWatch::JobWatch(absl::Span<const JobId> jobs, std::function<void()> notify)
    : wanted_(jobs.begin(), jobs.end()), notify_(std::move(notify)) {
  for (const JobId id : jobs) {
    if (queued_.insert(id).second) queue_.push_back(id);
  }
}

void JobWatch::Offer(absl::Span<const JobId> changed) {
  bool added = false;
  {
    const std::lock_guard lock(mutex_);
    if (overflowed_) return;
    for (const JobId id : changed) {
      if (!wanted_.empty() && !wanted_.contains(id)) continue;
      if (!queued_.insert(id).second) continue;
      added = true;
      overflowed_ = queue_.size() >= kPendingMax;
      if (overflowed_) break;
      queue_.push_back(id);
    }
  }
  if (added) notify_();
}

std::optional<JobId> JobWatch::Take() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  const JobId id = queue_.front();
  queue_.pop_front();
  queued_.erase(id);
  return id;
}

bool JobWatch::overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

void WatchHub::Add(std::shared_ptr<JobWatch> watch) {
  const std::lock_guard lock(mutex_);
  watches_.push_back(std::move(watch));
  size_ = watches_.size();
}

void WatchHub::Remove(const JobWatch* watch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watches_, [&](const auto& w) { return w.get() == watch; });
  size_ = watches_.size();
}

void WatchHub::Publish(absl::Span<const JobId> changed) {
  if (size_ == 0 || changed.empty()) return;
  std::vector<std::shared_ptr<JobWatch>> watches;
  {
    const std::lock_guard lock(mutex_);
    watches = watches_;
  }
  for (const auto& watch : watches) watch->Offer(changed);
}

}  // namespace ccsched
