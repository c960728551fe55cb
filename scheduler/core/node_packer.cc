// The nodes of one pool, and which of them a job gets.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/node_packer.h"

#include <algorithm>

namespace ccsched {

void NodePacker::AddToIndex(const Node& node) {
  if (!node.usable()) return;
  by_free_.insert({node.free(), node.id});
  if (node.used == 0) {
    idle_.insert({node.count, node.id});
    idle_count_ += node.count;
  }
}

void NodePacker::DropFromIndex(const Node& node) {
  if (!node.usable()) return;
  by_free_.erase({node.free(), node.id});
  if (node.used == 0) {
    idle_.erase({node.count, node.id});
    idle_count_ -= node.count;
  }
}

template <typename Change>
void NodePacker::Update(Node& node, PoolUse& use, Change change) {
  const bool indexed = nodes_.size() > 1;
  if (indexed) DropFromIndex(node);
  if (node.usable()) {
    use.total -= node.count;
    use.free -= node.free();
  }
  change(node);
  if (node.usable()) {
    use.total += node.count;
    use.free += node.free();
  }
  if (indexed) AddToIndex(node);
}

void NodePacker::Join(NodeId id, uint32_t count, bool containers,
                      PoolUse& use) {
  const auto found = index_.find(id);
  if (found == index_.end()) {
    index_.emplace(id, static_cast<uint32_t>(nodes_.size()));
    nodes_.push_back({.id = id});
    // The first node was alone so far, without an index.
    if (nodes_.size() == 2) AddToIndex(nodes_.front());
    if (nodes_.size() > 1) AddToIndex(nodes_.back());
  }
  Node& joined = node(id);
  all_count_ += count;
  all_count_ -= joined.count;
  Update(joined, use, [count](Node& n) {
    n.count = count;
    n.silent = false;
  });
  joined.containers = containers;
  largest_ = without_containers_ = 0;
  for (const Node& n : nodes_) {
    largest_ = std::max(largest_, n.count);
    without_containers_ += !n.containers;
  }
}

void NodePacker::SetSilent(NodeId id, bool silent, PoolUse& use) {
  Update(node(id), use, [silent](Node& n) { n.silent = silent; });
}

void NodePacker::SetDrained(NodeId id, bool drained, PoolUse& use) {
  Update(node(id), use, [drained](Node& n) { n.drained = drained; });
}

bool NodePacker::FitsWhole(uint32_t count) const {
  return count > largest_ && idle_count_ >= count;
}

bool NodePacker::Fits(const Demand& demand, const PoolUse& use) const {
  if (demand.count > use.free) return false;
  if (IsPicky(demand)) return !Pick(demand).empty();
  if (nodes_.size() == 1) return demand.nodes <= 1;
  if (demand.nodes == 0) {
    return by_free_.lower_bound({demand.count, NodeId()}) != by_free_.end() ||
           FitsWhole(demand.count);
  }
  auto it = by_free_.lower_bound({demand.count / demand.nodes, NodeId()});
  for (uint32_t i = 0; i < demand.nodes; ++i, ++it) {
    if (it == by_free_.end()) return false;
  }
  return true;
}

uint32_t NodePacker::LargestFor(const Demand& demand) const {
  if (!IsPicky(demand)) return largest_;
  uint32_t largest = 0;
  for (const Node& n : nodes_) {
    if (n.containers) largest = std::max(largest, n.count);
  }
  return largest;
}

bool NodePacker::CouldFit(const Demand& demand) const {
  if (demand.count > all_count_) return false;
  if (demand.nodes == 0 && !IsPicky(demand)) return true;
  const uint32_t each = demand.nodes == 0 ? 1 : demand.count / demand.nodes;
  uint32_t nodes = 0;
  uint64_t count = 0;
  for (const Node& n : nodes_) {
    if (n.count < each || (demand.container && !n.containers)) continue;
    ++nodes;
    count += n.count;
  }
  return demand.nodes == 0 ? count >= demand.count : nodes >= demand.nodes;
}

NodeShares NodePacker::Pick(const Demand& demand) const {
  NodeShares shares;
  if (nodes_.size() == 1) {
    const Node& only = nodes_.front();
    if (only.usable() && only.free() >= demand.count && demand.nodes <= 1 &&
        Suits(only.id, demand)) {
      shares.push_back({only.id, demand.count});
    }
    return shares;
  }
  // Nodes with room for their part, the fullest first.
  const uint32_t parts = std::max(demand.nodes, 1u);
  const uint32_t each = demand.count / parts;
  for (auto it = by_free_.lower_bound({each, NodeId()});
       it != by_free_.end() && shares.size() < parts; ++it) {
    if (Suits(it->second, demand)) shares.push_back({it->second, each});
  }
  if (shares.size() == parts) return shares;
  shares.clear();
  if (demand.nodes > 0 || demand.count <= LargestFor(demand)) return shares;
  // Whole nodes, the largest first.
  uint32_t left = demand.count;
  for (auto idle = idle_.rbegin(); left > 0 && idle != idle_.rend(); ++idle) {
    if (!Suits(idle->second, demand)) continue;
    const uint32_t here = std::min(left, idle->first);
    shares.push_back({idle->second, here});
    left -= here;
  }
  if (left > 0) shares.clear();
  return shares;
}

NodeShares NodePacker::Take(const Demand& demand, PoolUse& use) {
  // Of one node, picking says as much.
  if (nodes_.size() != 1 && !Fits(demand, use)) return {};
  NodeShares shares = Pick(demand);
  if (!shares.empty()) Occupy(demand, shares, use);
  return shares;
}

bool NodePacker::TakeExactly(const Demand& demand, const NodeShares& shares,
                             PoolUse& use) {
  for (const NodeShare& share : shares) {
    if (!Knows(share.node) || node(share.node).free() < share.count) {
      return false;
    }
  }
  Occupy(demand, shares, use);
  return true;
}

void NodePacker::Occupy(const Demand& demand, const NodeShares& shares,
                        PoolUse& use) {
  const bool whole = TakesWhole(demand, shares);
  for (const NodeShare& share : shares) {
    Update(nodes_.size() == 1 ? nodes_.front() : node(share.node), use,
           [&](Node& n) { n.used = whole ? n.count : n.used + share.count; });
  }
}

void NodePacker::Release(const Demand& demand, const NodeShares& shares,
                         PoolUse& use) {
  const bool whole = TakesWhole(demand, shares);
  for (const NodeShare& share : shares) {
    Update(nodes_.size() == 1 ? nodes_.front() : node(share.node), use,
           [&](Node& n) { n.used = whole ? 0 : n.used - share.count; });
  }
}

}  // namespace ccsched
