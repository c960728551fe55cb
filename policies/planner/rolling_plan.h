// The plan of a live cluster: kept up to date as jobs come, start and go.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_
#define CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "policies/planner/crowding.h"
#include "policies/planner/demand.h"
#include "policies/planner/instance.h"
#include "policies/planner/plan_book.h"
#include "policies/planner/replanning.h"

namespace ccsched {

struct RollingOptions {
  BookOptions book;
  double tail = 1;         // share of the last prices believed beyond
  int ascent_rounds = 15;  // of each replanning
  int first_rounds = 150;  // of the first one
  int64_t improve_rounds = 1200;
  // Jobs with less work are not suspended.
  double least_pausable_hours = 2;
  DemandHistory::Options demand;
};

// Jobs are named by the index that Arrive() returns, until Forget(). All times
// are microseconds of one clock; edges of its hours are edges of slots.
//
// All that waits is planned anew by Replan(), or in parts by BeginReplan() and
// AdvanceReplan(). Until the last part is done the plan is the old one, and is
// kept up to date; what happens meanwhile is brought into the new one.
class RollingPlan {
 public:
  using GramsFn = PlanBook::GramsFn;
  using Entry = PlanEntry;
  using Offer = PlanOffer;
  using AccountLoad = ccsched::AccountLoad;

  RollingPlan(std::vector<PlanPool> pools,
              std::vector<std::vector<uint16_t>> placements,
              const RollingOptions& options, GramsFn grams);

  // Pools may change their size; a placement may be added at the end.
  // The new size counts from the next replanning on; returns whether it is new.
  bool SetCapacity(int pool, double capacity) {
    return std::exchange(book_->work().pools[pool].capacity, capacity) !=
           capacity;
  }
  void AddPlacement(std::vector<uint16_t> pools);
  size_t placements() const { return book_->work().placements.size(); }

  // A job came, or is waiting again. It gets a place, under the prices of the
  // last replanning; all is planned for the first time if it never was.
  // `job.release` is when it came.
  // If it is not `known`, its length counts for the demand to come only once
  // it has Ended().
  uint32_t Arrive(int64_t now, const PlanJob& job, bool expect_again,
                  bool known = true);
  // The same, but before all was planned for the first time it is nowhere.
  uint32_t Register(int64_t now, const PlanJob& job, bool expect_again,
                    bool known = true);
  // What is thought of a job that waits and has not run is another now. Takes
  // effect with the next replanning.
  void Redescribe(uint32_t job, const PlanJob& now) {
    Describe(book_->entries[job], now);
  }
  // It has started at its place, or elsewhere, and is taken to hold it until
  // the end of `run`. `speed`: what it does there in an hour, in hours at its
  // own width.
  void Start(uint32_t job, const Stretch& run, double speed = 1);
  // So much of its work, at its own width, is left of a running job that may be
  // suspended, and it may end so late there.
  void SetRemaining(uint32_t job, int64_t remaining, int64_t latest_end);
  // It was asked to suspend: nothing about it is planned until Suspended().
  void Leaving(uint32_t job);
  // The same, but as it makes room for another: what was planned of it beyond
  // its checkpoint is dropped, and thought about again once it is suspended.
  void GiveWay(int64_t now, uint32_t job);
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
  void SetEnd(uint32_t job, int64_t end) { book_->entries[job].new_end = end; }
  // A job that could not start as planned, or that is to be thought about
  // again, gets the cheapest place there is from `now` on.
  void Again(int64_t now, uint32_t job);
  // Plans anew all that has not started. Jobs of higher priority choose first;
  // among equals the accounts take turns by their loads, the least first, in
  // proportion to their shares, each with its big jobs first.
  void Replan(int64_t now);
  // REQUIRES: not replanning.
  void BeginReplan(int64_t now);
  // Does about `work`, in looks at a start, and takes what it did off it. True:
  // done, the plan is the new one. REQUIRES: replanning.
  bool AdvanceReplan(int64_t now, int64_t& work);
  bool replanning() const { return replanning_ != nullptr; }
  // About what one Put costs, in looks at a start.
  int64_t PutCost(const PlanJob& job) const;
  // By account; one that is missing has had nothing and a share of 1.
  void SetLoads(std::vector<AccountLoad> loads) { loads_ = std::move(loads); }

  // The cheapest place with room at each allowed pool, cheapest first.
  std::vector<Offer> Offers(int64_t now, const PlanJob& job,
                            absl::Span<const uint16_t> pools) const;
  // What running from `start` at `pool` costs. REQUIRES: planned before.
  Offer Weigh(int64_t now, const PlanJob& job, int pool, int64_t start) const {
    return book_->Weigh(now, job, pool, start);
  }
  bool planned() const { return book_->based(); }
  double scarcity(int pool) const { return book_->scarcity(pool); }

  // See PlanBook.
  uint32_t MostOverdue(int64_t now) const { return book_->MostOverdue(now); }
  bool HasRoom(uint32_t job, const PlanJob& as, int pool, int64_t start) {
    return book_->HasRoom(book_->entries[job], as, pool, start);
  }
  bool LeavesRoomFor(uint32_t other, int64_t now, const PlanJob& job,
                     int pool) const {
    return book_->LeavesRoomFor(book_->entries[other], now, job, pool);
  }

  const Entry& entry(uint32_t job) const { return book_->entries[job]; }
  size_t size() const { return book_->entries.size(); }
  // When the last replanning began.
  int64_t last_replan() const { return last_replan_; }
  // How often all was planned anew.
  int64_t replans() const { return replans_; }
  // A job came that ends beyond all others: prices so far ahead are guesses.
  bool reached_beyond() const { return reached_beyond_; }

 private:
  // To be called after each change of an entry while replanning.
  void Note(uint32_t job);
  // Brings what has changed into the new plan; true: all of it.
  bool CatchUp(int64_t now, int64_t& work);
  void Bring(int64_t now, uint32_t job);

  RollingOptions options_;
  GramsFn grams_;
  DemandHistory demand_;
  std::unique_ptr<PlanBook> book_;
  std::vector<uint32_t> free_;
  std::vector<AccountLoad> loads_;
  Crowding crowding_;
  int64_t last_replan_ = 0;
  int64_t replans_ = 0;
  uint64_t sequence_ = 0;
  bool reached_beyond_ = false;

  std::unique_ptr<Replanning> replanning_;
  bool made_ = false;              // the new plan is, but for what has changed
  std::vector<uint32_t> changed_;  // since the replanning began, in order
  std::vector<bool> noted_;        // by entry: it is among them
  size_t brought_ = 0;             // of changed_
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_ROLLING_PLAN_H_
