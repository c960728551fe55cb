// Regions, sites, pools and nodes as plain values.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_CLUSTER_H_
#define CCSCHED_SCHEDULER_MODEL_CLUSTER_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"

namespace ccsched {

// A part of a grid for which one intensity is known.
struct Region {
  std::string name;
};

// A datacenter.
struct Site {
  std::string name;
  RegionId region;
  double pue = 1;  // energy of the building over energy of the machines
};

// All accelerators of one type at one site.
struct Pool {
  SiteId site;
  AcceleratorId accelerator;
  // System power of one accelerator (chip, memory, its share of host and
  // network), unoccupied and at work, before PUE.
  Watts idle;
  Watts active;
  // What one accelerator costs an hour while a job holds it, electricity
  // apart; absent: nothing is charged. In Topology::currency.
  std::optional<Money> hourly = std::nullopt;
};

// What a cluster is made of; indexed by the ids. Its order is that of the
// configuration, which is also the order in which fcfs tries sites.
struct Topology {
  std::vector<Region> regions;
  std::vector<Site> sites;
  std::vector<std::string> accelerators;
  std::vector<Pool> pools;
  std::string currency = {};  // of Pool::hourly; empty where no pool has one

  const Site& site(PoolId pool) const {
    return sites[pools[pool.value()].site.value()];
  }
  RegionId region(PoolId pool) const { return site(pool).region; }
  // Power that `count` accelerators at work take from the grid, PUE included.
  Watts GridPower(PoolId pool, uint32_t count) const {
    return pools[pool.value()].active * (count * site(pool).pue);
  }
};

// As many accelerators as one asks for.
inline constexpr uint32_t kUnlimited = std::numeric_limits<int32_t>::max();

// A share of a node that a job holds.
struct NodeShare {
  NodeId node;
  uint32_t count = 0;
  friend bool operator==(const NodeShare&, const NodeShare&) = default;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_CLUSTER_H_
