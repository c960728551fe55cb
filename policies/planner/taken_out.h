// Takes jobs of a plan out and puts them back elsewhere.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_TAKEN_OUT_H_
#define CCSCHED_POLICIES_PLANNER_TAKEN_OUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"
#include "scheduler/base/random.h"

namespace ccsched {

// The steps of ruin and recreate: jobs that were neighbours in time are taken
// out and put back in a new order, each where it is cheapest; what comes of it
// is kept if it costs less under `goal`. Placing goes by `goal` and by `guide`
// (the same plus prices of capacity) in turn. Jobs not in `movable` stay.
// Source: Schrimpf et al. 2000.
class TakenOut {
 public:
  using Place = Schedule::Place;
  // A job, where it was, and its turn for being put back.
  struct Taken {
    uint32_t job = 0;
    Place place;
    double turn = 0;
  };
  // Positions in `movable`, [first, last).
  struct Range {
    size_t first = 0;
    size_t last = 0;
  };
  // Of movable jobs, sums of their weights for drawing.
  using Weights = std::vector<double>;

  // REQUIRES: all outlive this; `movable` in order of release, its jobs placed.
  TakenOut(const PlanInstance& instance, const PriceTable& goal,
           const PriceTable& guide, const std::vector<uint32_t>& movable,
           uint64_t seed, Schedule& schedule);

  double Cost(const PriceTable& prices, uint32_t job, const Place& place) const;
  // Those released in [from, to].
  Range Released(int64_t from, int64_t to) const;
  uint32_t Draw(const Weights& sums, Range range);
  Random& random() { return random_; }
  // Big jobs matter most: by the root of size.
  const Weights& sizes() const { return sizes_; }

  // Nothing is out yet.
  void Begin() { taken_.clear(); }
  void Take(uint32_t job);
  // A random job and others of about its time, `least` to `most` of them, but
  // for those that are drawn twice.
  void TakeNeighbours(int least, int most);
  const std::vector<Taken>& taken() const { return taken_; }
  // Each where it was.
  void PutBack();
  // Puts all somewhere, in a new order. Kept if that costs less than before,
  // or, if the first of them is `forced` to a place, not more than `allowed`
  // more; else all are put back. Returns what was gained, if kept.
  std::optional<double> PutElsewhere(const Place* forced = nullptr,
                                     double allowed = 0);

 private:
  double Size(uint32_t job) const;

  const PlanInstance& instance_;
  const PriceTable& goal_;
  const PriceTable& guide_;
  const std::vector<uint32_t>& movable_;
  Schedule& schedule_;
  Random random_;
  Weights sizes_;
  std::vector<Taken> taken_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_TAKEN_OUT_H_
