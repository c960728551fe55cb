// Where a live job is, by its number.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_ID_INDEX_H_
#define CCSCHED_SCHEDULER_MODEL_ID_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace ccsched {

// A map from numbers that are given out in order, and forgotten more or less so
// too: what is live lies close together. They are kept in pages, one number
// beside the next, so that finding one is a shift and two loads, and one costs
// four bytes. A number far from the others goes into a hash map: right for any
// numbers, fast and small for those that we give.
class IdIndex {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  // Kept for `id`, or kNone.
  uint32_t Find(uint64_t id) const {
    const uint64_t page = (id >> kBits) - base_;  // wraps if it lies before
    if (page < pages_.size() && pages_[page] != nullptr) {
      const uint32_t value = pages_[page]->values[id & kMask];
      if (value != kNone) return value;
    }
    if (far_.empty()) return kNone;
    const auto found = far_.find(id);
    return found == far_.end() ? kNone : found->second;
  }
  // REQUIRES: `id` is not there; value != kNone.
  void Insert(uint64_t id, uint32_t value);
  // REQUIRES: `id` is there.
  void Erase(uint64_t id);

 private:
  static constexpr uint64_t kBits = 8;
  static constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
  // Eight megabytes of pages at most, whatever numbers come.
  static constexpr uint64_t kPagesMax = uint64_t{1} << 20;
  struct Page {
    uint32_t used = 0;
    uint32_t values[kMask + 1];
  };

  std::vector<std::unique_ptr<Page>> pages_;  // null: none of it is live
  uint64_t base_ = 0;                         // the number of pages_[0]
  size_t gone_ = 0;              // pages at the front that are null
  std::unique_ptr<Page> spare_;  // so that going on allocates nothing
  absl::flat_hash_map<uint64_t, uint32_t> far_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_ID_INDEX_H_
