// When deferred jobs are due: a heap.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CORE_TIMERS_H_
#define CCSCHED_SCHEDULER_CORE_TIMERS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "scheduler/base/ids.h"
#include "scheduler/base/packed_time.h"
#include "scheduler/model/job.h"

namespace ccsched {

// Entries are never removed early: whoever pops one checks that it still
// stands. Equal times come out by job id.
class Timers {
 public:
  struct Entry {
    PackedTime at;
    JobId id;
    JobRef ref = kNoJob;
  };
  void Push(const Entry& entry) {
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  const Entry& top() const { return heap_.front(); }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    heap_.pop_back();
  }
  bool empty() const { return heap_.empty(); }

 private:
  static bool Later(const Entry& a, const Entry& b) {
    return a.at.us() != b.at.us() ? a.at.us() > b.at.us() : a.id > b.id;
  }
  std::vector<Entry> heap_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_TIMERS_H_
