// When nodes fail and come back: a schedule that no policy can change.
// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.h"

#include <algorithm>

#include "sim/workload.h"

namespace ccsched {

Faults::Faults(const FaultSpec& spec, uint32_t nodes, int64_t start_us)
    : spec_(spec) {
  Random seeds(spec.seed ^ 0x6a09e667f3bcc909ULL);
  for (uint32_t i = 0; i < nodes; ++i) {
    random_.emplace_back(seeds.Next());
    heap_.push_back({start_us + UpFor(i), i, false});
  }
  std::make_heap(heap_.begin(), heap_.end());
}

int64_t Faults::UpFor(uint32_t node) {
  // Far below what would run over, and beyond any scenario.
  constexpr double kCenturyUs = 100 * 365.25 * 86400e6;
  const double mean = absl::ToDoubleMicroseconds(spec_.node_mtbf);
  const double up = std::min(random_[node].Exponential(mean), kCenturyUs);
  return std::max<int64_t>(1, static_cast<int64_t>(up));
}

int64_t Faults::Next() const {
  return heap_.empty() ? kForeverUs : heap_.front().at_us;
}

std::vector<Faults::Change> Faults::Take(int64_t now_us) {
  std::vector<Change> changes;
  while (Next() <= now_us) {
    std::pop_heap(heap_.begin(), heap_.end());
    Node& node = heap_.back();
    changes.push_back({NodeId(node.node), node.up});
    node.at_us +=
        node.up ? UpFor(node.node) : absl::ToInt64Microseconds(spec_.repair);
    node.up = !node.up;
    std::push_heap(heap_.begin(), heap_.end());
  }
  return changes;
}

}  // namespace ccsched
