// The nodes that have ever registered, and how they are now.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_NODE_TABLE_H_
#define CCSCHED_SCHEDULER_DAEMON_NODE_TABLE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/base/ids.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/cluster.h"
#include "scheduler/rpc/agent_link.h"

namespace ccsched {

enum class NodeState : uint8_t { kUp, kSilent, kLost };

struct NodeEntry {
  NodeId id;
  std::string name;
  PoolId pool;
  uint32_t count = 0;
  bool drained = false;
  std::string drain_reason, meter, state_id, version;
  std::string container_runtime;  // empty: it runs no images
  std::string unfit;  // why it can start nothing, as its agent says; or empty
  NodeState state = NodeState::kSilent;
  double job_joules = 0, idle_joules = 0;  // by its meter, since the start
  bool joined = false;               // registered since the scheduler's start
  std::shared_ptr<AgentLink> link;   // null: not connected
  std::shared_ptr<NodeLease> lease;  // null: never heard of since the start
};

// Addresses of entries are stable. Not thread safe.
class NodeTable {
 public:
  // A new node, numbered on. REQUIRES: the name is new.
  NodeEntry& Add(std::string name, PoolId pool);
  // A recorded one, with its number.
  NodeEntry& Restore(const NodeRow& row, PoolId pool);

  NodeEntry* Find(const std::string& name);
  NodeEntry* Find(NodeId id);
  NodeEntry* Find(const AgentLink* link);
  void SetLink(NodeEntry& node, std::shared_ptr<AgentLink> link);

  // In the order of their first registration.
  std::deque<NodeEntry>& nodes() { return nodes_; }
  const std::deque<NodeEntry>& nodes() const { return nodes_; }

 private:
  std::deque<NodeEntry> nodes_;  // by id
  absl::flat_hash_map<std::string, NodeEntry*> by_name_;
  absl::flat_hash_map<NodeId, NodeEntry*> by_id_;
  absl::flat_hash_map<const AgentLink*, NodeEntry*> by_link_;
  uint32_t next_id_ = 0;
};

NodeRow ToRow(const NodeEntry& node, const Topology& topology);

// How long silence lasts before it means something. All real time.
struct LeaseTimes {
  std::chrono::steady_clock::duration silent_after;
  // From the last sign of life; longer than the agent's own lease, at whose
  // end it has stopped everything.
  std::chrono::steady_clock::duration lost_after;
};

// What the leases say at an instant.
struct LeaseVerdict {
  std::vector<NodeEntry*> heard;   // were silent, are heard again
  std::vector<NodeEntry*> silent;  // newly silent
  std::vector<NodeEntry*> lost;    // newly lost: their leases are ended
  // Leases that are over but left standing, since so many nodes are silent at
  // once that the trouble must be the scheduler's: nothing is restarted.
  size_t held_back = 0;
};

// Judges all leases that run. The caller notes the states.
LeaseVerdict JudgeLeases(NodeTable& nodes, const LeaseTimes& times,
                         RealTime now);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_NODE_TABLE_H_
