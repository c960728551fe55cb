// When nodes fail and come back: a schedule that no policy can change.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_FAULTS_H_
#define CCSCHED_SIM_FAULTS_H_

#include <cstdint>
#include <vector>

#include "scheduler/base/ids.h"
#include "scheduler/base/random.h"
#include "sim/scenario.h"

namespace ccsched {

// Each node is up for exponentially distributed times of mean `node_mtbf`, then
// down for `repair`. Every node has a sequence of its own from the seed, so all
// policies of a scenario meet the same failures at the same moments.
class Faults {
 public:
  struct Change {
    NodeId node;
    bool up = false;  // it is back; else it fails
  };

  // No node fails.
  Faults() = default;
  // `nodes` nodes, numbered from 0, up at `start_us`.
  Faults(const FaultSpec& spec, uint32_t nodes, int64_t start_us);

  // When the next node fails or comes back; kForeverUs if none ever does.
  int64_t Next() const;
  // The changes due by `now_us`, by time, then by node.
  std::vector<Change> Take(int64_t now_us);

 private:
  struct Node {
    int64_t at_us = 0;
    uint32_t node = 0;
    bool up = false;                       // what it becomes then
    bool operator<(const Node& o) const {  // the top is the earliest
      return at_us != o.at_us ? at_us > o.at_us : node > o.node;
    }
  };
  int64_t UpFor(uint32_t node);

  FaultSpec spec_;
  std::vector<Random> random_;  // by node
  std::vector<Node> heap_;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_FAULTS_H_
