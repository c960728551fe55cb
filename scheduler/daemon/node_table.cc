// The nodes that have ever registered, and how they are now.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/node_table.h"

#include <algorithm>
#include <utility>

namespace ccsched {

NodeEntry& NodeTable::Add(std::string name, PoolId pool) {
  NodeEntry& node = nodes_.emplace_back();
  node.id = NodeId(next_id_++);
  node.name = std::move(name);
  node.pool = pool;
  by_name_[node.name] = &node;
  by_id_[node.id] = &node;
  return node;
}

NodeEntry& NodeTable::Restore(const NodeRow& row, PoolId pool) {
  next_id_ = row.id.value();
  NodeEntry& node = Add(row.name, pool);
  node.count = row.count;
  node.drained = row.drained;
  node.drain_reason = row.drain_reason;
  node.meter = row.meter;
  node.state_id = row.state_id;
  return node;
}

NodeEntry* NodeTable::Find(const std::string& name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

NodeEntry* NodeTable::Find(NodeId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

NodeEntry* NodeTable::Find(const AgentLink* link) {
  const auto found = by_link_.find(link);
  return found == by_link_.end() ? nullptr : found->second;
}

void NodeTable::SetLink(NodeEntry& node, std::shared_ptr<AgentLink> link) {
  if (node.link != nullptr) by_link_.erase(node.link.get());
  node.link = std::move(link);
  if (node.link != nullptr) by_link_[node.link.get()] = &node;
}

NodeRow ToRow(const NodeEntry& node, const Topology& topology) {
  NodeRow row;
  row.id = node.id;
  row.name = node.name;
  row.site = topology.site(node.pool).name;
  row.accelerator =
      topology
          .accelerators[topology.pools[node.pool.value()].accelerator.value()];
  row.count = node.count;
  row.drained = node.drained;
  row.drain_reason = node.drain_reason;
  row.meter = node.meter;
  row.state_id = node.state_id;
  return row;
}

LeaseVerdict JudgeLeases(NodeTable& nodes, const LeaseTimes& times,
                         RealTime now) {
  LeaseVerdict verdict;
  size_t counted = 0, silent = 0;
  std::vector<NodeEntry*> over;
  for (NodeEntry& node : nodes.nodes()) {
    if (node.state == NodeState::kLost || node.lease == nullptr) continue;
    ++counted;
    const RealTime heard = node.lease->heard();
    const bool is_silent = node.link == nullptr || !node.joined ||
                           now - heard > times.silent_after;
    if (!is_silent) {
      if (node.state == NodeState::kSilent) verdict.heard.push_back(&node);
      continue;
    }
    ++silent;
    if (node.state == NodeState::kUp) verdict.silent.push_back(&node);
    if (now - heard > times.lost_after) over.push_back(&node);
  }
  const bool storm = silent > 0 && ((silent >= 3 && 2 * silent > counted) ||
                                    silent == counted);
  if (storm) {
    verdict.held_back = over.size();
    return verdict;
  }
  for (NodeEntry* const node : over) {
    // It may have been heard in this very moment.
    if (node->lease->EndIfNotHeardSince(now - times.lost_after)) {
      verdict.lost.push_back(node);
    }
  }
  return verdict;
}

}  // namespace ccsched
