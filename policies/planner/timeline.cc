// Who holds how much of a pool when: exact, quick to search for room.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/timeline.h"

#include <algorithm>

namespace ccsched {

Timeline::Timeline(int32_t slots)
    : base_(slots + 1),
      peak_(slots + 1),
      trough_(slots + 1),
      changes_(slots + 1) {}

void Timeline::Clear() {
  std::fill(base_.begin(), base_.end(), 0);
  std::fill(peak_.begin(), peak_.end(), 0);
  std::fill(trough_.begin(), trough_.end(), 0);
  for (std::vector<Change>& changes : changes_) changes.clear();
}

void Timeline::Add(int64_t from, int64_t to, int32_t count) {
  if (to <= from) return;
  const int64_t a = from / kSlotUs;
  const int64_t b = to / kSlotUs;
  // Each bucket that begins within (from, to] or at `from`.
  const int64_t first = from == a * kSlotUs ? a : a + 1;
  for (int64_t k = first; k <= b; ++k) {
    base_[k] += count;
    peak_[k] += count;
    trough_[k] += count;
  }
  if (first > a) AddChange(from, count);
  if (to == b * kSlotUs) {
    // It ends where bucket b begins.
    base_[b] -= count;
    peak_[b] -= count;
    trough_[b] -= count;
  } else {
    AddChange(to, -count);
    Rescan(b);
  }
  if (first > a) Rescan(a);
}

void Timeline::AddChange(int64_t at, int32_t delta) {
  std::vector<Change>& changes = changes_[at / kSlotUs];
  const auto found = std::lower_bound(
      changes.begin(), changes.end(), at,
      [](const Change& change, int64_t t) { return change.at < t; });
  if (found == changes.end() || found->at != at) {
    changes.insert(found, {at, delta});
  } else if ((found->delta += delta) == 0) {
    changes.erase(found);
  }
}

void Timeline::Rescan(int64_t bucket) {
  int32_t level = base_[bucket];
  int32_t high = level;
  int32_t low = level;
  for (const Change& change : changes_[bucket]) {
    level += change.delta;
    high = std::max(high, level);
    low = std::min(low, level);
  }
  peak_[bucket] = high;
  trough_[bucket] = low;
}

int32_t Timeline::Peak(int64_t from, int64_t to) const {
  int32_t high = 0;
  if (to <= from) return high;
  const int64_t last = (to - 1) / kSlotUs;
  for (int64_t k = from / kSlotUs; k <= last; ++k) {
    if (peak_[k] <= high) continue;
    if (from <= k * kSlotUs && to >= (k + 1) * kSlotUs) {
      high = peak_[k];
      continue;
    }
    int32_t level = base_[k];
    if (from <= k * kSlotUs) high = std::max(high, level);
    for (const Change& change : changes_[k]) {
      if (change.at >= to) break;
      if (change.at > from) high = std::max(high, level);
      level += change.delta;
    }
    high = std::max(high, level);
  }
  return high;
}

int64_t Timeline::LastAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return -1;
  const int64_t first = from / kSlotUs;
  for (int64_t k = (to - 1) / kSlotUs; k >= first; --k) {
    if (peak_[k] <= limit) continue;
    int64_t end = std::min(to, (k + 1) * kSlotUs);
    if (trough_[k] > limit) return end;
    // Walk back from the level at the bucket's end.
    const std::vector<Change>& changes = changes_[k];
    int32_t level = base_[k];
    for (const Change& change : changes) level += change.delta;
    for (size_t i = changes.size(); i-- > 0;) {
      const int64_t at = changes[i].at;
      if (level > limit && at < end) return end;
      level -= changes[i].delta;
      end = std::min(end, at);
      if (end <= from) return -1;
    }
    if (level > limit && end > from) return end;
  }
  return -1;
}

int64_t Timeline::FirstAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return to;
  const int64_t last = (to - 1) / kSlotUs;
  for (int64_t k = from / kSlotUs; k <= last; ++k) {
    if (peak_[k] <= limit) continue;
    int64_t begin = std::max(from, k * kSlotUs);
    if (trough_[k] > limit) return begin;
    int32_t level = base_[k];
    for (const Change& change : changes_[k]) {
      if (change.at > begin) {
        if (level > limit) return std::min(begin, to);
        begin = change.at;
      }
      if (begin >= to) return to;
      level += change.delta;
    }
    if (level > limit) return std::min(begin, to);
  }
  return to;
}

int64_t Timeline::FirstNotAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return to;
  const int64_t last = (to - 1) / kSlotUs;
  for (int64_t k = from / kSlotUs; k <= last; ++k) {
    if (trough_[k] > limit) continue;
    int64_t begin = std::max(from, k * kSlotUs);
    if (peak_[k] <= limit) return begin;
    int32_t level = base_[k];
    for (const Change& change : changes_[k]) {
      if (change.at > begin) {
        if (level <= limit) return std::min(begin, to);
        begin = change.at;
      }
      if (begin >= to) return to;
      level += change.delta;
    }
    if (level <= limit) return std::min(begin, to);
  }
  return to;
}

}  // namespace ccsched
