// Who holds how much of a pool when: exact, quick to search for room.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/timeline.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

constexpr size_t kLeavesPerSlot = 8;  // a power of two
constexpr int64_t kLeafUs = kSlotUs / static_cast<int64_t>(kLeavesPerSlot);

size_t PowerOfTwo(size_t least) {
  size_t power = kLeavesPerSlot;
  while (power < least) power *= 2;
  return power;
}

size_t LeafAt(int64_t us) { return static_cast<size_t>(us / kLeafUs); }
int64_t BeginOf(size_t leaf) { return static_cast<int64_t>(leaf) * kLeafUs; }

}  // namespace

Timeline::Timeline(int32_t slots)
    : leaves_(PowerOfTwo(slots * kLeavesPerSlot + 1)),
      nodes_(2 * leaves_),
      changes_(slots * kLeavesPerSlot + 1) {}

void Timeline::Clear() {
  std::fill(nodes_.begin(), nodes_.end(), Node());
  for (std::vector<Change>& changes : changes_) changes.clear();
}

void Timeline::Lengthen(int32_t slots) {
  Timeline longer(slots);
  for (size_t k = 0; k < changes_.size(); ++k) {
    longer.nodes_[k + longer.leaves_].added =
        nodes_[k + leaves_].added + Above(k + leaves_);
    longer.changes_[k] = std::move(changes_[k]);
    longer.Rescan(k);
  }
  for (size_t node = longer.leaves_ - 1; node >= 1; --node) longer.Pull(node);
  *this = std::move(longer);
}

void Timeline::Pull(size_t node) {
  Node& n = nodes_[node];
  const Node& a = nodes_[2 * node];
  const Node& b = nodes_[2 * node + 1];
  n.high = std::max(a.high, b.high) + n.added;
  n.low = std::min(a.low, b.low) + n.added;
}

void Timeline::AddToLeaves(size_t first, size_t last, int32_t count) {
  const auto add = [&](size_t node) {
    nodes_[node].high += count;
    nodes_[node].low += count;
    nodes_[node].added += count;
  };
  size_t l = first + leaves_;
  size_t r = last + leaves_ + 1;
  for (; l < r; l /= 2, r /= 2) {
    if (l % 2 == 1) add(l++);
    if (r % 2 == 1) add(--r);
  }
}

void Timeline::Refresh(size_t first, size_t last) {
  size_t l = first + leaves_;
  size_t r = last + leaves_;
  while (l > 1) {
    // Of the leaves changed each is first, last, or beside one of them.
    const size_t beyond = std::min((l + 1) / 2, r / 2);
    const size_t before = std::max((r - 1) / 2, l / 2);
    l /= 2;
    r /= 2;
    Pull(l);
    if (beyond != l) Pull(beyond);
    if (before > beyond) Pull(before);
    if (r > before && r > beyond) Pull(r);
  }
}

void Timeline::Add(int64_t from, int64_t to, int32_t count) {
  if (to <= from) return;
  const size_t a = LeafAt(from);
  const size_t b = LeafAt(to);
  const bool begins_inside = from > BeginOf(a);
  const bool ends_inside = to > BeginOf(b);
  // Each leaf that begins within [from, to).
  const size_t first = begins_inside ? a + 1 : a;
  const size_t end = ends_inside ? b + 1 : b;
  if (first < end) AddToLeaves(first, end - 1, count);
  if (begins_inside) AddChange(from, count);
  if (ends_inside) AddChange(to, -count);
  if (begins_inside) Rescan(a);
  if (ends_inside && (b != a || !begins_inside)) Rescan(b);
  Refresh(a, std::max(a, ends_inside ? b : b - 1));
}

void Timeline::AddChange(int64_t at, int32_t delta) {
  std::vector<Change>& changes = changes_[LeafAt(at)];
  const auto found = std::lower_bound(
      changes.begin(), changes.end(), at,
      [](const Change& change, int64_t t) { return change.at < t; });
  if (found == changes.end() || found->at != at) {
    changes.insert(found, {at, delta});
  } else if ((found->delta += delta) == 0) {
    changes.erase(found);
  }
}

void Timeline::Rescan(size_t leaf) {
  Node& node = nodes_[leaf + leaves_];
  int32_t level = node.added;
  node.high = node.low = level;
  for (const Change& change : changes_[leaf]) {
    level += change.delta;
    node.high = std::max(node.high, level);
    node.low = std::min(node.low, level);
  }
}

int32_t Timeline::Above(size_t node) const {
  int32_t above = 0;
  for (node /= 2; node >= 1; node /= 2) above += nodes_[node].added;
  return above;
}

int32_t Timeline::peak(int32_t slot) const {
  const size_t node = leaves_ / kLeavesPerSlot + slot;
  return nodes_[node].high + Above(node);
}

int32_t Timeline::low(int32_t slot) const {
  const size_t node = leaves_ / kLeavesPerSlot + slot;
  return nodes_[node].low + Above(node);
}

template <typename Wanted>
Timeline::Leaf Timeline::Descend(size_t node, int32_t above, size_t side,
                                 const Wanted& wanted) const {
  while (node < leaves_) {
    above += nodes_[node].added;
    node = 2 * node + side;
    if (!wanted(nodes_[node], above)) node ^= 1;
  }
  return {node - leaves_, above};
}

template <typename Wanted>
Timeline::Leaf Timeline::Next(size_t leaf, const Wanted& wanted) const {
  size_t node = leaf + leaves_;
  int32_t above = Above(node);
  while (!wanted(nodes_[node], above)) {
    while (node % 2 == 1) {
      node /= 2;
      if (node <= 1) return {leaves_, 0};
      above -= nodes_[node].added;
    }
    ++node;
  }
  return Descend(node, above, 0, wanted);
}

template <typename Wanted>
Timeline::Leaf Timeline::Previous(size_t leaf, const Wanted& wanted) const {
  size_t node = leaf + leaves_;
  int32_t above = Above(node);
  while (!wanted(nodes_[node], above)) {
    while (node % 2 == 0) {
      node /= 2;
      above -= nodes_[node].added;
    }
    if (node <= 1) return {leaves_, 0};
    --node;
  }
  return Descend(node, above, 1, wanted);
}

int32_t Timeline::Peak(int64_t from, int64_t to) const {
  int32_t high = 0;
  if (to <= from) return high;
  const size_t last = LeafAt(to - 1);
  Leaf leaf = {LeafAt(from), 0};
  for (;; ++leaf.index) {
    const auto higher = [&high](const Node& node, int32_t above) {
      return node.high + above > high;
    };
    leaf = Next(leaf.index, higher);
    const size_t k = leaf.index;
    if (k > last) return high;
    const Node& node = nodes_[k + leaves_];
    if (from <= BeginOf(k) && to >= BeginOf(k + 1)) {
      high = node.high + leaf.above;
    } else {
      int32_t level = node.added + leaf.above;
      if (from <= BeginOf(k)) high = std::max(high, level);
      for (const Change& change : changes_[k]) {
        if (change.at >= to) break;
        if (change.at > from) high = std::max(high, level);
        level += change.delta;
      }
      high = std::max(high, level);
    }
  }
}

int64_t Timeline::LastAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return -1;
  const auto high = [limit](const Node& node, int32_t above) {
    return node.high + above > limit;
  };
  const size_t first = LeafAt(from);
  for (size_t k = LeafAt(to - 1);;) {
    const Leaf leaf = Previous(k, high);
    if (leaf.index == leaves_ || leaf.index < first) return -1;
    k = leaf.index;
    const Node& node = nodes_[k + leaves_];
    int64_t end = std::min(to, BeginOf(k + 1));
    if (node.low + leaf.above > limit) return end;
    // Walk back from the level at the leaf's end.
    const std::vector<Change>& changes = changes_[k];
    int32_t level = node.added + leaf.above;
    for (const Change& change : changes) level += change.delta;
    for (size_t i = changes.size(); i-- > 0;) {
      const int64_t at = changes[i].at;
      if (level > limit && at < end) return end;
      level -= changes[i].delta;
      end = std::min(end, at);
      if (end <= from) return -1;
    }
    if (level > limit && end > from) return end;
    if (k == first) return -1;
    --k;
  }
}

int64_t Timeline::FirstAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return to;
  const auto high = [limit](const Node& node, int32_t above) {
    return node.high + above > limit;
  };
  const size_t last = LeafAt(to - 1);
  for (size_t k = LeafAt(from);; ++k) {
    const Leaf leaf = Next(k, high);
    k = leaf.index;
    if (k > last) return to;
    const Node& node = nodes_[k + leaves_];
    int64_t begin = std::max(from, BeginOf(k));
    if (node.low + leaf.above > limit) return begin;
    int32_t level = node.added + leaf.above;
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
}

int64_t Timeline::FirstNotAbove(int64_t from, int64_t to, int32_t limit) const {
  if (to <= from) return to;
  const auto low = [limit](const Node& node, int32_t above) {
    return node.low + above <= limit;
  };
  const size_t last = LeafAt(to - 1);
  for (size_t k = LeafAt(from);; ++k) {
    const Leaf leaf = Next(k, low);
    k = leaf.index;
    if (k > last) return to;
    const Node& node = nodes_[k + leaves_];
    int64_t begin = std::max(from, BeginOf(k));
    if (node.high + leaf.above <= limit) return begin;
    int32_t level = node.added + leaf.above;
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
}

}  // namespace ccsched
