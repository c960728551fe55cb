// Tells watchers which jobs have changed, after the commit that changed them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_WATCH_HUB_H_
#define CCSCHED_SCHEDULER_RPC_WATCH_HUB_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "scheduler/base/ids.h"

namespace ccsched {

// One watcher's bounded queue of changed jobs; a job waits in it once, however
// often it changed. Thread safe.
class JobWatch {
 public:
  static constexpr size_t kPendingMax = 100'000;

  // `jobs`: those of interest, in the queue from the start; empty: all.
  // `notify` is called, without a lock, when there is something to take.
  JobWatch(absl::Span<const JobId> jobs, std::function<void()> notify);

  void Offer(absl::Span<const JobId> changed);
  std::optional<JobId> Take();
  // More waited than may: the watcher has missed changes.
  bool overflowed() const;

 private:
  const absl::flat_hash_set<JobId> wanted_;
  const std::function<void()> notify_;
  mutable std::mutex mutex_;
  std::deque<JobId> queue_;
  absl::flat_hash_set<JobId> queued_;
  bool overflowed_ = false;
};

// Thread safe.
class WatchHub {
 public:
  void Add(std::shared_ptr<JobWatch> watch);
  void Remove(const JobWatch* watch);
  // Costs nothing when nobody watches.
  void Publish(absl::Span<const JobId> changed);

 private:
  std::atomic<size_t> size_ = 0;
  std::mutex mutex_;
  std::vector<std::shared_ptr<JobWatch>> watches_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_WATCH_HUB_H_
