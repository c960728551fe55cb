// What the nodes' meters report, split into ledger rows by hour and intensity.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_NODE_ENERGY_BOOK_H_
#define CCSCHED_SCHEDULER_DAEMON_NODE_ENERGY_BOOK_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/accounting.h"
#include "scheduler/daemon/counted_lately.h"
#include "scheduler/daemon/energy_book.h"
#include "scheduler/ledger/ledger.h"

namespace ccsched {

// Of one node: where it stands, and how its meter knows.
struct MeteredPlace {
  NodeId node;
  RegionId region;
  double pue = 1;
  std::string method;  // measured modelled
};

// Keeps the stretch of each node that is not over: a row is handed out once,
// when its hour or its intensity's step has ended, or after half an hour (of
// real time): until then its agent keeps it too, and says it again to a
// scheduler that starts anew. What was never reported is in no row: a gap, not
// a zero.
class NodeEnergyBook {
 public:
  using RealTime = std::chrono::steady_clock::time_point;

  // The node's energy is on record up to here.
  void Restore(NodeId node, absl::Time until) { books_[node].until = until; }

  // All of it, and what of it is in no attempt's samples.
  struct Energy {
    Joules metered, unallocated;
    Energy& operator+=(const Energy& o) {
      metered += o.metered;
      unallocated += o.unallocated;
      return *this;
    }
  };
  // Energy over [from, to). Of what overlaps earlier reports the rest counts,
  // as in AttemptEnergy; a gap or an overlap of less than 2 % of the stretch is
  // taken for jitter. REQUIRES: both are finite, and 0 <= unallocated <=
  // metered. Returns what counted.
  Energy Report(const MeteredPlace& place, absl::Time from, absl::Time to,
                const Energy& said, const SliceSource& slices, RealTime now);

  // The rows that are complete, without site, region and grid's share; with
  // `region`, all of its rows, so that they can be restated.
  std::vector<NodeEnergyRow> Take();
  std::vector<NodeEnergyRow> TakeAll(std::optional<RegionId> region = {});

 private:
  struct Book {
    MeteredPlace place;
    absl::Time until = absl::InfinitePast();
    // Absent: nothing is open. Both get the same stretches.
    std::optional<Account> metered, unallocated;
    CountedLately<Energy> lately;
    RealTime opened;
  };
  void TakeFrom(Book& book, bool everything);

  std::map<NodeId, Book> books_;
  std::vector<NodeEnergyRow> ready_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_NODE_ENERGY_BOOK_H_
