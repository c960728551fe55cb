// A plan as it stands: where each job runs, on one grid, under its prices.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_PLAN_BOOK_H_
#define CCSCHED_POLICIES_PLANNER_PLAN_BOOK_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "policies/planner/instance.h"
#include "policies/planner/pause_plan.h"
#include "policies/planner/price_table.h"
#include "policies/planner/schedule.h"

namespace ccsched {

// A job of a rolling plan and its place. All times are microseconds of one
// clock, not of a book's grid.
struct PlanEntry {
  PlanJob job;  // at the width at which it is planned to run or runs
  // Of an elastic job: as it would be at its own width. Null: it is not.
  std::shared_ptr<const PlanJob> own;
  bool used = false;
  bool running = false;
  int pool = -1;  // where it is planned to run or runs; -1: nowhere
  int64_t start = 0;
  int64_t end = 0;
  int64_t new_end = 0;  // as thought since the last replanning; 0: as then
  uint32_t work = 0;    // its index in the instance of its book
  // Of a job that may be suspended: the stretch that runs, if it runs, and
  // those planned.
  bool pausable = false;   // and is planned so
  bool may_pause = false;  // it could be
  bool paused = false;     // it is suspended
  bool leaving = false;    // it was asked to suspend
  double worth = 0;        // of its useful work, when last planned
  std::vector<Stretch> stretches;
  uint64_t sequence = 0;  // of arrivals
  int64_t record = -1;    // among the arrivals remembered
  int64_t done = 0;       // time run before the running attempt
  Stretch run() const { return {pool, start, end, job.count}; }
};

// A place and what it costs, in grams: what GramsFn said, the price of
// capacity, and that of waiting from now on.
struct PlanOffer {
  int pool = -1;
  int64_t start = 0;
  double carbon = 0;
  double price = 0;
  double wait = 0;
  uint32_t count = 0;  // accelerators
  int64_t duration = 0;
  double speed = 1;
  bool late = false;  // there is no room that keeps the promise
  double cost() const { return carbon + price + wait; }
};
// In time before late ones; those by cost, these by their end.
bool Better(const PlanOffer& a, const PlanOffer& b);

// The job at a width, given how much it does there: it ends no later than at
// its own.
PlanJob AtWidth(const PlanJob& own, const PlanWidths::Width& width);
// At each of its widths at which it keeps its promise if it starts at `from`,
// or, if there is none, at the fastest. `own` alone if it is not elastic.
std::vector<PlanJob> UsableWidths(const PlanJob& own, int64_t from);
StretchOrigin OriginOf(const PlanEntry& entry);

// Sets what is thought of it, at its own width; its width stays.
void Describe(PlanEntry& entry, const PlanJob& own);
// So much of its work, at its own width, is left; its latest end, unless one
// is given, stays.
void SetWork(PlanEntry& entry, int64_t remaining,
             std::optional<int64_t> latest_end = std::nullopt);

inline constexpr uint32_t kNoEntry = std::numeric_limits<uint32_t>::max();

struct BookOptions {
  int32_t horizon_slots = 168;  // prices are sought so far ahead
  // Prices are believed for so long, and beyond that 1/e after so long again:
  // of demand so far ahead nothing is sure, not even that it comes.
  double sure_hours = 96;
  double trust_hours = 150;
  // Room that known jobs leave within so many hours is offered to them below
  // its price, from nothing at once: hardly anybody else could still take it.
  double settle_hours = 8;
  // A plan may use as much of a job's slack as is the share of so many hours
  // of those that it still runs.
  double frugal_hours = 48;
  PauseOptions pauses = {.least_gain = 0.01, .reluctance = 1};
};

// Keeps timelines true as jobs are put and dropped. A rolling plan has one that
// is acted by, and while it plans anew a second one.
class PlanBook {
 public:
  // Fills what one accelerator emits in each of `slots` slots from `origin`.
  using GramsFn = std::function<void(int pool, int64_t origin, int32_t slots,
                                     double* grams)>;
  // `grams` outlives this.
  PlanBook(const BookOptions& options, const GramsFn& grams)
      : options_(options), grams_(&grams) {}
  PlanBook(const PlanBook&) = delete;
  PlanBook& operator=(const PlanBook&) = delete;

  // Lays a grid from `now` on that has room for all entries; `old` prices, if
  // not null, are where prices start from.
  void LayGrid(int64_t now, const PlanBook* old);
  // Takes over prices (pools * slots) for the grid: its tables are by them.
  void SetPrices(std::vector<double> prices);
  // Begins anew with empty timelines.
  void ClearPlaces();
  // When the job ends if it is put as late as it may be.
  static int64_t LastEnd(const PlanEntry& entry, int64_t now);
  // Lengthens the grid, if need be, so that it has room until `end`; returns
  // whether it had to. Prices beyond are as at its end.
  bool Reach(int64_t end);
  // The same until the job's last end, and a slot more.
  bool ReachLastEnd(const PlanEntry& entry, int64_t now) {
    return Reach(LastEnd(entry, now) + kSlotUs);
  }

  // The job as of `now`, counted from the grid's origin; a late one ends when
  // it can, beyond its promise.
  PlanJob Relative(const PlanJob& job, int64_t now) const;
  // Gives it a place and holds it.
  void Put(int64_t now, PlanEntry& entry) {
    Put(now, entry, entry.pausable ? soon_ : settled_);
  }
  void Put(int64_t now, PlanEntry& entry, const PriceTable& table);
  // A job that may be suspended, but waits to run in one go and in time, gets
  // the same place as if it could not, to be moved about within the slack that
  // it may use by now; false: it is not such a one.
  bool PutInOne(int64_t now, PlanEntry& entry);
  // Holds what a running job, or one with stretches, holds from `from` on.
  void HoldPlace(const PlanEntry& entry, int64_t from);
  // Frees what the job holds or was to hold from now on.
  void Drop(int64_t now, PlanEntry& entry);
  // Frees the place of one that was Put() and is not pausable, for good.
  void Take(PlanEntry& entry) { schedule_->Take(entry.work); }
  // Forgets jobs put since there were `count`.
  void ForgetSince(size_t count);
  void TakePlace(PlanEntry& entry);
  // Whether it is nowhere or ends after its window.
  bool IsLate(const PlanEntry& entry) const {
    return entry.pool < 0 ||
           entry.end > origin_ + work_.jobs[entry.work].latest_end;
  }

  // Of the waiting rigid jobs that are overdue by more than can be borne, the
  // one that is so most for its length, or kNoEntry.
  uint32_t MostOverdue(int64_t now) const;
  // Whether a waiting job could run from `start` on, with all its work, beside
  // all others, as `job`: it, at one of its widths.
  bool HasRoom(PlanEntry& entry, const PlanJob& job, int pool, int64_t start);
  // Whether the job could run at the pool from `now` on without holding up the
  // entry, which is planned later.
  bool LeavesRoomFor(const PlanEntry& entry, int64_t now, const PlanJob& job,
                     int pool) const;

  // At each of the pools that could take the job, whatever its placement says,
  // the better ones first.
  std::vector<PlanOffer> Offers(int64_t now, const PlanJob& job,
                                absl::Span<const uint16_t> pools) const;
  PlanOffer Weigh(int64_t now, const PlanJob& job, int pool,
                  int64_t start) const;

  std::vector<PlanEntry> entries;  // by the index that the plan gave
  PlanInstance& work() { return work_; }
  const PlanInstance& work() const { return work_; }
  Schedule& schedule() { return *schedule_; }
  int64_t origin() const { return origin_; }
  bool based() const { return based_; }
  const std::vector<double>& prices() const { return prices_; }
  const PriceTable& priced() const { return priced_; }
  // What capacity of the pool costs in the coming day, as a share of what its
  // work emits then.
  double scarcity(int pool) const { return based_ ? scarcity_[pool] : 0; }
  const PriceTable& settled() const { return settled_; }
  const PriceTable& soon() const { return soon_; }

 private:
  // Adds the job, which the entry then names, to the instance; in no place yet.
  void AddJob(PlanEntry& entry, const PlanJob& job);
  // Adds (sign 1) or frees (sign -1) what a run holds from `from` on.
  void Hold(const Stretch& run, int sign, int64_t from);
  void HoldStretches(const PlanEntry& entry, int sign, int64_t from);
  void PutPausable(int64_t now, PlanEntry& entry, const PriceTable& table);
  // When the job, relative to the grid, is to end at the latest as far as its
  // pauses go. Its slack is to last as long as it runs: a plan for one that
  // runs for long may use what is the share of the next hours. Else it would
  // wait until it can no longer move, and stay for weeks where it then is.
  // One that may run at another width can make up for slack that it has spent,
  // if it is known how long it takes: it may use all.
  int64_t FrugalEnd(const PlanJob& job) const;
  // Fills `stretches`, of this clock, from `from` on; returns what they cost.
  double PlanPauses(int64_t from, const PlanJob& job,
                    const StretchOrigin& origin, const PriceTable& table,
                    double& worth, std::vector<Stretch>& stretches);
  // Of an elastic job, at its best width: that of `entry.job`, if it waits.
  void PutElastic(int64_t now, PlanEntry& entry, const PriceTable& table);
  void PlanElastic(int64_t now, PlanEntry& entry, const PriceTable& table,
                   std::vector<Stretch>& stretches);
  double Emitted(const std::vector<Stretch>& stretches) const;
  // The cheapest start at one pool, from the grid's origin on; pool -1: none.
  StartChoice OfferOf(int64_t now, const PlanJob& job, int pool) const;
  void FillGrams();
  void SetTables();
  // Sets a pool's prices as believed, but offered from nothing at once to all
  // of them in so many hours.
  void Settle(int pool, std::vector<double> believed, double hours,
              PriceTable& table) const;

  BookOptions options_;
  const GramsFn* grams_;
  int64_t origin_ = 0;
  bool based_ = false;
  PlanInstance work_;  // relative to origin_; jobs: what waits
  std::unique_ptr<Schedule> schedule_;
  PausePlanner pauses_;
  std::vector<double> prices_;  // pools * work_.slots
  PriceTable priced_;
  // The same, but what no known job wants at the full price is cheap at once.
  PriceTable settled_;
  PriceTable soon_;  // the same for fewer hours: who can pause may come back
  PriceTable carbon_;
  std::vector<double> scarcity_;  // by pool
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PLAN_BOOK_H_
