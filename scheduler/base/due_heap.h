// What is due when: a heap of four children a node.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_DUE_HEAP_H_
#define CCSCHED_SCHEDULER_BASE_DUE_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ccsched {

// Times in microseconds, each with the number of a job and the slot where it is
// found. Equal times come out by number. Entries are never removed early:
// whoever pops one checks that it still stands.
class DueHeap {
 public:
  // Two words, as a heap is bounded by the memory that it goes through.
  class Entry {
   public:
    Entry() = default;
    // Of `job` the lower half is kept.
    Entry(int64_t at_us, uint64_t job, uint32_t slot)
        : at_us_(at_us), job_and_slot_(job << 32 | slot) {}
    int64_t at_us() const { return at_us_; }
    uint32_t job() const { return static_cast<uint32_t>(job_and_slot_ >> 32); }
    uint32_t slot() const { return static_cast<uint32_t>(job_and_slot_); }
    // One comparison without a branch: which of two comes first is
    // nothing that a processor could foresee.
    bool operator<(const Entry& o) const { return Key() < o.Key(); }

   private:
    __int128 Key() const {
      return static_cast<__int128>(at_us_) << 64 | job_and_slot_;
    }
    int64_t at_us_ = 0;
    uint64_t job_and_slot_ = 0;
  };

  bool empty() const { return heap_.empty(); }
  const Entry& top() const { return heap_.front(); }

  void Push(const Entry& entry) {
    heap_.push_back(entry);
    Rise(heap_.size() - 1, entry);
  }

  // The gap at the top sinks to the bottom, and the last entry, which mostly
  // belongs down there, rises from it.
  void Pop() {
    const Entry last = heap_.back();
    heap_.pop_back();
    const size_t size = heap_.size();
    if (size == 0) return;
    size_t gap = 0;
    for (size_t first = 1; first < size; first = 4 * gap + 1) {
      const size_t least =
          first + 4 <= size ? LeastOfFour(first) : LeastUntil(first, size);
      heap_[gap] = heap_[least];
      gap = least;
    }
    Rise(gap, last);
  }

 private:
  void Rise(size_t i, const Entry& entry) {
    while (i > 0) {
      const size_t parent = (i - 1) / 4;
      if (!(entry < heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = entry;
  }
  size_t LeastOfFour(size_t first) const {
    const size_t a = first + (heap_[first + 1] < heap_[first]);
    const size_t b = first + 2 + (heap_[first + 3] < heap_[first + 2]);
    return heap_[b] < heap_[a] ? b : a;
  }
  size_t LeastUntil(size_t first, size_t end) const {
    size_t least = first;
    for (size_t c = first + 1; c < end; ++c) {
      if (heap_[c] < heap_[least]) least = c;
    }
    return least;
  }

  std::vector<Entry> heap_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_DUE_HEAP_H_
