// The plan of a live cluster: kept up to date as jobs come, start and go.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_
#define CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "policies/planner/demand.h"
#include "policies/planner/instance.h"
#include "policies/planner/pause_plan.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"

namespace ccsched {

struct RollingOptions {
  int32_t horizon_slots = 168;  // prices are sought so far ahead
  double tail = 1;              // share of the last prices believed beyond
  // Prices are believed for so long, and beyond that 1/e after so long again:
  // of demand so far ahead nothing is sure, not even that it comes.
  double sure_hours = 96;
  double trust_hours = 150;
  // Room that known jobs leave within so many hours is offered to them below
  // its price, from nothing at once: hardly anybody else could still take it.
  double settle_hours = 8;
  int ascent_rounds = 15;  // of each replanning
  int first_rounds = 150;  // of the first one
  int64_t improve_rounds = 200;
  // Jobs with less work are not suspended.
  double least_pausable_hours = 2;
  // Pauses must save such a share of what running on costs.
  double least_gain = 0.003;
  double wait = 0;  // grams an hour that an accelerator's work waits
  DemandHistory::Options demand;
};

// Jobs are named by the index that Arrive() returns, until Forget(). All times
// are microseconds of one clock; edges of its hours are edges of slots.
class RollingPlan {
 public:
  // Fills what one accelerator emits in each of `slots` slots from `origin`.
  using GramsFn = std::function<void(int pool, int64_t origin, int32_t slots,
                                     double* grams)>;
  RollingPlan(std::vector<PlanPool> pools,
              std::vector<std::vector<uint16_t>> placements,
              const RollingOptions& options, GramsFn grams);

  // Pools may change their size; a placement may be added at the end.
  // The new size counts from the next replanning on; returns whether it is new.
  bool SetCapacity(int pool, double capacity) {
    return std::exchange(work_.pools[pool].capacity, capacity) != capacity;
  }
  void AddPlacement(std::vector<uint16_t> pools) {
    work_.placements.push_back(std::move(pools));
  }
  size_t placements() const { return work_.placements.size(); }

  // A job came, or is waiting again. It gets a place, under the prices of the
  // last replanning. `job.release` is when it came.
  // If it is not `known`, its length counts for the demand to come only once
  // it has Ended().
  uint32_t Arrive(int64_t now, const PlanJob& job, bool expect_again,
                  bool known = true);
  // What is thought of a job that waits and has not run is another now. Takes
  // effect with the next replanning.
  void Redescribe(uint32_t job, const PlanJob& now) { entries_[job].job = now; }
  // It has started at its place, or elsewhere, and is taken to hold it until
  // `end`.
  void Start(uint32_t job, int pool, int64_t start, int64_t end);
  // So much work of a running job that may be suspended is left, and it may
  // end so late.
  void SetRemaining(uint32_t job, int64_t remaining, int64_t latest_end);
  // It was asked to suspend: nothing about it is planned until Suspended().
  void Leaving(uint32_t job) { entries_[job].leaving = true; }
  // It is suspended, with so much of its work left.
  void Suspended(int64_t now, uint32_t job, int64_t remaining);
  // When a running job is to be suspended; 0: it is not.
  int64_t SuspendAt(uint32_t job) const;
  // A job of unknown runtime ended by itself: jobs that are expected after it
  // are expected to be so long.
  void Ended(int64_t now, uint32_t job);
  // It ended or is no longer to be planned: what it held is free from now on.
  void Forget(int64_t now, uint32_t job);
  // It holds what it holds until `end`, it is now thought.
  // Takes effect with the next replanning.
  void SetEnd(uint32_t job, int64_t end) { entries_[job].new_end = end; }
  // A job that could not start as planned, or that is to be thought about
  // again, gets the cheapest place there is from `now` on.
  void Again(int64_t now, uint32_t job);
  // Plans anew all that has not started. Jobs of higher priority choose first;
  // among equals the accounts take turns by their loads, the least first, in
  // proportion to their shares, each with its big jobs first.
  void Replan(int64_t now);
  // What an account has had so far for its share, in accelerator-hours.
  struct AccountLoad {
    double load = 0;  // already divided by the share
    double share = 1;
  };
  // By account; one that is missing has had nothing and a share of 1.
  void SetLoads(std::vector<AccountLoad> loads) { loads_ = std::move(loads); }

  struct Entry {
    PlanJob job;
    bool used = false;
    bool running = false;
    int pool = -1;  // where it is planned to run or runs; -1: nowhere
    int64_t start = 0;
    int64_t end = 0;
    int64_t new_end = 0;  // as thought since the last replanning; 0: as then
    uint32_t work = 0;    // its index in the instance being planned
    // Of a job that may be suspended: the stretch that runs, if it runs, and
    // those planned.
    bool pausable = false;
    bool paused = false;   // it is suspended
    bool leaving = false;  // it was asked to suspend
    double worth = 0;      // of its useful work, when last planned
    std::vector<Stretch> stretches;
    uint64_t sequence = 0;  // of arrivals
    int64_t record = -1;    // among the arrivals remembered
    int64_t done = 0;       // time run before the running attempt
    Stretch run() const { return {pool, start, end}; }
  };
  // A place and what it costs, in grams: what GramsFn said, the price of
  // capacity, and that of waiting from now on.
  struct Offer {
    int pool = -1;
    int64_t start = 0;
    double carbon = 0;
    double price = 0;
    double wait = 0;
    double cost() const { return carbon + price + wait; }
  };
  // The cheapest place with room at each allowed pool, cheapest first.
  std::vector<Offer> Offers(int64_t now, const PlanJob& job) const;
  // What running from `start` at `pool` costs. REQUIRES: planned before.
  Offer Weigh(int64_t now, const PlanJob& job, int pool, int64_t start) const;
  bool planned() const { return based_; }

  const Entry& entry(uint32_t job) const { return entries_[job]; }
  size_t size() const { return entries_.size(); }
  int64_t last_replan() const { return last_replan_; }
  // How often all was planned anew.
  int64_t replans() const { return replans_; }

 private:
  void Rebase(int64_t now);
  void SeekPrices(int64_t now, int rounds);
  void SetTables();
  // The job as of `now`; a late one ends when it can, beyond its promise.
  PlanJob Relative(const PlanJob& job, int64_t now) const;
  // Adds (sign 1) or frees (sign -1) what a run holds from `from` on.
  void Hold(uint32_t count, const Stretch& run, int sign, int64_t from);
  void Put(int64_t now, Entry& entry) { Put(now, entry, settled_); }
  void Put(int64_t now, Entry& entry, const PriceTable& table);
  void PutPausable(int64_t now, Entry& entry);
  // Adds or frees all stretches of a job from `from` on.
  void HoldStretches(const Entry& entry, int sign, int64_t from);
  void Drop(int64_t now, Entry& entry);
  std::vector<uint32_t> InOrderOfSize() const;
  void TakeTurns(std::vector<uint32_t>& order) const;
  void PutAll(int64_t now, std::vector<uint32_t>& order);
  void TakePlace(Entry& entry);

  RollingOptions options_;
  GramsFn grams_;
  DemandHistory demand_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  std::vector<AccountLoad> loads_;
  int64_t origin_ = 0;
  int64_t last_replan_ = 0;
  int64_t replans_ = 0;
  uint64_t sequence_ = 0;
  PausePlanner pauses_;
  bool based_ = false;
  PlanInstance work_;  // relative to origin_; jobs: what waits
  std::unique_ptr<Schedule> schedule_;
  std::vector<double> prices_;  // pools * work_.slots
  PriceTable priced_;
  // The same, but what no known job wants at the full price is cheap at once.
  PriceTable settled_;
  PriceTable carbon_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_
