// The nodes of one pool, and which of them a job gets.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CORE_NODE_PACKER_H_
#define CCSCHED_SCHEDULER_CORE_NODE_PACKER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "policies/policy.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/cluster.h"

namespace ccsched {

using NodeShares = absl::InlinedVector<NodeShare, 1>;

// What a job asks of a pool's nodes.
struct Demand {
  uint32_t count = 1;      // accelerators in all
  uint32_t nodes = 0;      // on exactly so many nodes, evenly; 0: any
  bool container = false;  // only on nodes that run images
};

// All or nothing: a job gets everything that it asks for or nothing.
//  - On exactly n nodes: count / n on each.
//  - Else, if some node of the pool could hold it: on one node, the one that
//    it leaves least room on (best fit; ties to the lowest id).
//  - Else it takes whole empty nodes, the largest first, until they suffice.
// Fits and Take cost O(log nodes) for a job on one node; a pool of one node
// keeps no index at all. For a job in an image, in a pool of which not all
// nodes run images, they cost O(nodes).
class NodePacker {
 public:
  // Adds a node, or brings one back, perhaps with another size; what it holds
  // stays. A node that joined is neither silent nor lost.
  void Join(NodeId node, uint32_t count, bool containers, PoolUse& use);
  void SetSilent(NodeId node, bool silent, PoolUse& use);
  void SetDrained(NodeId node, bool drained, PoolUse& use);

  bool Fits(const Demand& demand, const PoolUse& use) const;
  // Whether the joined nodes could hold it, were they empty and usable.
  bool CouldFit(const Demand& demand) const;
  // Takes the accelerators. Returns nothing, and changes nothing, if they
  // don't fit.
  NodeShares Take(const Demand& demand, PoolUse& use);
  // Takes exactly these shares, wherever they are (a restart).
  // Returns false, and changes nothing, if a node is unknown or too small.
  bool TakeExactly(const Demand& demand, const NodeShares& shares,
                   PoolUse& use);
  void Release(const Demand& demand, const NodeShares& shares, PoolUse& use);

  bool Knows(NodeId node) const { return index_.contains(node); }
  bool empty() const { return nodes_.empty(); }

 private:
  struct Node {
    NodeId id;
    uint32_t count = 0;
    uint32_t used = 0;
    bool silent = false;
    bool drained = false;
    bool containers = false;
    bool usable() const { return !silent && !drained; }
    uint32_t free() const { return count > used ? count - used : 0; }
  };
  using Index = absl::btree_set<std::pair<uint32_t, NodeId>>;

  // Changes a node by `change`, keeping the indices and `use` true.
  template <typename Change>
  void Update(Node& node, PoolUse& use, Change change);
  void AddToIndex(const Node& node);
  void DropFromIndex(const Node& node);
  // Takes the shares. REQUIRES: they are free.
  void Occupy(const Demand& demand, const NodeShares& shares, PoolUse& use);
  bool FitsWhole(uint32_t count) const;
  // Where the job would go now; nothing if it does not fit.
  NodeShares Pick(const Demand& demand) const;
  bool Suits(NodeId id, const Demand& demand) const {
    return !demand.container || node(id).containers;
  }
  // Whether only some of the nodes will do, so that the totals don't tell.
  bool IsPicky(const Demand& demand) const {
    return demand.container && without_containers_ > 0;
  }
  uint32_t LargestFor(const Demand& demand) const;
  Node& node(NodeId id) { return nodes_[index_.find(id)->second]; }
  const Node& node(NodeId id) const { return nodes_[index_.find(id)->second]; }
  // What a share blocks of its node: all of it if the job took whole nodes.
  static bool TakesWhole(const Demand& demand, const NodeShares& shares) {
    return demand.nodes == 0 && shares.size() > 1;
  }

  std::vector<Node> nodes_;
  absl::flat_hash_map<NodeId, uint32_t> index_;
  Index by_free_;         // usable nodes, by free accelerators
  Index idle_;            // usable nodes that hold nothing, by size
  uint32_t largest_ = 0;  // of all nodes
  uint32_t without_containers_ = 0;
  uint64_t all_count_ = 0;   // of all nodes
  uint64_t idle_count_ = 0;  // over idle_
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_NODE_PACKER_H_
