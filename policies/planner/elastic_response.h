// The cheapest stretches of a job that may be resized, under given prices.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_ELASTIC_RESPONSE_H_
#define CCSCHED_POLICIES_PLANNER_ELASTIC_RESPONSE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/worth_search.h"

namespace ccsched {

// Accelerators of a pool from `start` to `end`.
struct WideStretch {
  int pool = 0;
  int64_t start = 0;
  int64_t end = 0;
  double count = 0;
};

// Finds stretches of an elastic job at a given worth of its useful work. Keeps
// its buffers.
//
// As in StretchSearch, the total of useful work is relaxed, with its worth m
// (grams for an hour of work at the job's own width) as multiplier: for m >= 0,
//   m * duration + min over stretches of [cost - m * useful work]
// is at most the cost of the cheapest plan. A stretch at width w of the job's
// speed s(w) costs w times its accelerators' price, and does s(w) in each hour,
// but for those of its restart, if the job ran before, and of its checkpoint,
// if it runs again: going from one width or pool to another costs both. The
// minimum is exact, over all real-valued times: for given widths and pools the
// cost is piecewise linear in each time of a change, so that each has its best
// place at a slot's edge, at an end of the window, or where the next change is,
// and what is between these two is then dropped, at no more cost. So it is one
// over paths from slot to slot, whose states are the pools and widths, and the
// pause: a job that may not pause goes through it in no time.
//
// The cost is linear in (w, s(w)) as well, so that the corners of a polygon
// that holds all pairs do for them (WidthCorners).
class ElasticSearch {
 public:
  // `bound` is of the whole job, `useful` in slots at its own width.
  using Result = WorthLook;

  // At one worth; fills `stretches`, in time order.
  // REQUIRES: `job` is elastic and has corners; `pools` is not empty.
  Result At(const PriceTable& prices, const std::vector<uint16_t>& pools,
            const PlanJob& job, double worth,
            std::vector<WideStretch>& stretches);

  // At the worth that gives the greatest bound, to 1e-6 of it or `evaluations`
  // looks; starts looking around `guess`. REQUIRES: guess > 0.
  WorthTop Best(const PriceTable& prices, const std::vector<uint16_t>& pools,
                const PlanJob& job, double guess, int evaluations);
  // The stretches of the last Best()'s `less`, and of its `more` if it had one.
  const std::vector<WideStretch>& less() const { return less_; }
  const std::vector<WideStretch>& more() const { return more_; }

 private:
  struct Value {
    double cost = 0;
    double useful = 0;
  };
  // Where the states of the recursion are, and where a path ends.
  struct Path {
    int64_t first = 0;  // slot
    size_t slots = 0;
    size_t widths = 0;
    size_t on = 0;      // states in which it runs: pool by pool, each width
    size_t pauses = 0;  // further states: one, or one a pool
    int64_t last = -1;  // slot in which the path ends; -1: it never runs
    size_t state = 0;   // there
  };
  // All pools in a slot; after it, paused_ says what follows.
  void Advance(const PriceTable& prices, const std::vector<uint16_t>& pools,
               const PlanJob& job, double worth, size_t i, Path& path);
  void Trace(const Path& path, const std::vector<uint16_t>& pools,
             const PlanJob& job, std::vector<WideStretch>& stretches) const;

  Value done_;                 // the cheapest path that ends by now
  std::vector<Value> on_;      // by state
  std::vector<Value> paused_;  // by pause, at the beginning of a slot
  std::vector<Value> next_;    // the same at its end
  std::vector<double> restart_, checkpoint_;  // what they are worth, by width
  std::vector<int32_t> from_;  // by slot and state: where it came from
  std::vector<WideStretch> look_, less_, more_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_ELASTIC_RESPONSE_H_
