// Where a live job is, by its number.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/id_index.h"

#include <algorithm>
#include <utility>

namespace ccsched {

void IdIndex::Insert(uint64_t id, uint32_t value) {
  if (pages_.empty()) base_ = id >> kBits;
  const uint64_t page = (id >> kBits) - base_;
  if (page >= kPagesMax) {
    far_.emplace(id, value);
    return;
  }
  if (page >= pages_.size()) pages_.resize(page + 1);
  std::unique_ptr<Page>& there = pages_[page];
  if (there == nullptr) {
    if (spare_ != nullptr) {
      there = std::move(spare_);  // holds nothing
    } else {
      there = std::make_unique<Page>();
      std::fill(std::begin(there->values), std::end(there->values), kNone);
    }
  }
  ++there->used;
  there->values[id & kMask] = value;
  gone_ = std::min(gone_, static_cast<size_t>(page));
}

void IdIndex::Erase(uint64_t id) {
  const uint64_t page = (id >> kBits) - base_;
  if (page >= pages_.size() || pages_[page] == nullptr ||
      pages_[page]->values[id & kMask] == kNone) {
    far_.erase(id);
    return;
  }
  pages_[page]->values[id & kMask] = kNone;
  if (--pages_[page]->used > 0) return;
  spare_ = std::move(pages_[page]);
  // What is over at the front goes, when it is half of all: each page is moved
  // a few times in its life at most.
  while (gone_ < pages_.size() && pages_[gone_] == nullptr) ++gone_;
  if (gone_ * 2 < pages_.size()) return;
  pages_.erase(pages_.begin(),
               pages_.begin() + static_cast<std::ptrdiff_t>(gone_));
  base_ += gone_;
  gone_ = 0;
}

}  // namespace ccsched
