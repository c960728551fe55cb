// When running attempts end: a heap of four children a node.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_END_HEAP_H_
#define CCSCHED_SIM_END_HEAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ccsched {

// Equal times come out by job, then epoch. Entries are never removed early:
// whoever pops one checks that it still stands.
class EndHeap {
 public:
  struct Entry {
    int64_t at_us = 0;
    uint64_t job = 0;
    uint32_t epoch = 0;
    uint32_t slot = 0;  // where whoever pops it finds it

    bool Before(const Entry& o) const {
      if (at_us != o.at_us) return at_us < o.at_us;
      return job != o.job ? job < o.job : epoch < o.epoch;
    }
  };

  bool empty() const { return heap_.empty(); }
  const Entry& top() const { return heap_.front(); }

  void Push(const Entry& entry) {
    size_t i = heap_.size();
    heap_.push_back(entry);
    while (i > 0) {
      const size_t parent = (i - 1) / 4;
      if (!entry.Before(heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = entry;
  }

  void Pop() {
    const Entry last = heap_.back();
    heap_.pop_back();
    if (heap_.empty()) return;
    size_t i = 0;
    for (;;) {
      const size_t first = 4 * i + 1;
      if (first >= heap_.size()) break;
      const size_t end = std::min(first + 4, heap_.size());
      size_t least = first;
      for (size_t c = first + 1; c < end; ++c) {
        if (heap_[c].Before(heap_[least])) least = c;
      }
      if (!heap_[least].Before(last)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = last;
  }

 private:
  std::vector<Entry> heap_;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_END_HEAP_H_
