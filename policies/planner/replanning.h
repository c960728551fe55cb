// Planning anew all that waits, in parts, while the old plan stands.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_REPLANNING_H_
#define CCSCHED_POLICIES_PLANNER_REPLANNING_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "policies/planner/crowding.h"
#include "policies/planner/demand.h"
#include "policies/planner/improve.h"
#include "policies/planner/plan_book.h"
#include "policies/planner/pricing.h"

namespace ccsched {

// What an account has had so far for its share, in accelerator-hours.
struct AccountLoad {
  double load = 0;  // already divided by the share
  double share = 1;
};

// About what it costs to find a place for a job, in looks at a start.
int64_t PutCost(const PlanInstance& instance, const PlanJob& job);

struct ReplanOptions {
  int rounds = 15;  // of prices
  int64_t improve_rounds = 200;
  double tail = 1;
  Crowding crowding;
};

// Works at a copy of the plan as it was when this began: prices first, then
// places, the big jobs' before the small ones', then bettering them. What comes
// of it depends on that copy only, not on how the work is cut into parts.
class Replanning {
 public:
  // REQUIRES: `old` and `demand` outlive this.
  Replanning(const PlanBook& old, std::unique_ptr<PlanBook> fresh,
             const DemandHistory& demand, std::vector<AccountLoad> loads,
             const ReplanOptions& options, int64_t now);

  // Does about `work`, in looks at a start, and takes what it did off it;
  // true: done.
  bool Advance(int64_t& work);
  // Whether changes of the old plan's entry come too late to be copied.
  bool HasSeen(uint32_t index) const {
    return index < copied_ || index >= entries_;
  }
  // The plan made. REQUIRES: done.
  std::unique_ptr<PlanBook> Finish() { return std::move(book_); }
  PlanBook& book() { return *book_; }
  int64_t now() const { return now_; }

 private:
  enum class Stage {
    kCopy,
    kPrice,
    kHold,
    kPauses,
    kPlace,
    kTakeBack,
    kImprove,
    kDone
  };
  bool Copy(int64_t& work);
  void SetPausable(PlanEntry& entry) const;
  void BeginPricing();
  void EndPricing();
  void HoldAll();
  bool PlacePausable(int64_t& work);
  bool PlaceAll(int64_t& work);
  bool TakesAnotherTurn();
  bool TakeBack(int64_t& work);
  void BeginImproving();
  bool ImproveAll(int64_t& work);
  void InOrderOfSize();
  void TakeTurns();

  const PlanBook& old_;
  std::unique_ptr<PlanBook> book_;
  const DemandHistory& demand_;
  const std::vector<AccountLoad> loads_;
  const ReplanOptions options_;
  const int64_t now_;
  Stage stage_ = Stage::kCopy;
  size_t entries_;  // to be copied
  size_t copied_ = 0;
  PlanInstance priced_;  // what prices are sought for
  std::optional<Pricing> pricing_;
  std::vector<uint32_t> all_;    // entries in order
  std::vector<uint32_t> order_;  // those to be placed
  size_t next_ = 0;              // of the list that the stage goes through
  size_t jobs_before_ = 0;       // in the instance, before any was placed
  int turn_ = 0;
  int pass_ = 0;         // of those that may be suspended
  size_t pausable_ = 0;  // so many are
  int32_t least_priority_ = std::numeric_limits<int32_t>::max();
  std::vector<uint32_t> movable_;  // entries
  std::vector<uint32_t> moved_;    // the same, in the instance
  std::optional<Improver> improver_;
  int64_t improved_ = 0;  // rounds
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_REPLANNING_H_
