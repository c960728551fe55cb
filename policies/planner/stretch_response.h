// The cheapest stretches of a job that may be suspended, under given prices.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_STRETCH_RESPONSE_H_
#define CCSCHED_POLICIES_PLANNER_STRETCH_RESPONSE_H_

#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/worth_search.h"

namespace ccsched {

struct Stretch {
  int pool = 0;
  int64_t start = 0;
  int64_t end = 0;
  uint32_t count = 0;  // accelerators; not set by StretchSearch
};

// Puts [start, end) at `pool` after stretches that were found backwards: to the
// last of them, if that begins there.
void AddEarlier(int pool, int64_t start, int64_t end,
                std::vector<Stretch>& stretches);

// Where there is room for a job, slot by slot and pool by pool.
class OpenSlots {
 public:
  // From the slot's beginning until `head`, and from `tail` to its end; if it
  // is all open, each is the other end.
  struct Part {
    int64_t head;
    int64_t tail;
  };
  void Resize(size_t pools, int32_t slots) {
    slots_ = slots;
    parts_.resize(pools * slots);
  }
  Part& at(int pool, int64_t slot) { return parts_[Index(pool, slot)]; }
  const Part& at(int pool, int64_t slot) const {
    return parts_[Index(pool, slot)];
  }

 private:
  size_t Index(int pool, int64_t slot) const {
    return static_cast<size_t>(pool) * slots_ + slot;
  }
  int32_t slots_ = 0;
  std::vector<Part> parts_;
};

// How a job stands when its window begins.
struct StretchOrigin {
  enum State { kNew, kSuspended, kRunning };
  State state = kNew;
  int pool = -1;  // where it runs
};

// Finds stretches at a given worth of useful work. Keeps its buffers.
//
// The total of useful work is relaxed too, with its worth w (grams per
// accelerator and slot of useful time) as multiplier: for any w >= 0,
//   w * duration + min over stretches of [cost - w * useful time]
// is at most the cost of the cheapest plan, wherever in real-valued time it
// starts and stops: at fixed w each switching time has its best place at a
// slot's edge or at an end of the window. Each suspension loses the overheads
// of the checkpoint and of the restart from its stretches' useful time.
class StretchSearch {
 public:
  using Result = WorthLook;  // per accelerator

  // Each taking up again is to cost so many times the worth of its overheads
  // beyond them. Only at 0, as it is at first, is what is found a bound.
  void set_reluctance(double times) { reluctance_ = times; }

  // At one worth. If `stretches` is not null, it is filled in time order.
  // Where `open` is not null, only what is open is used.
  Result At(const PriceTable& prices, const std::vector<uint16_t>& pools,
            const PlanJob& job, double worth, const OpenSlots* open = nullptr,
            std::vector<Stretch>* stretches = nullptr,
            const StretchOrigin& origin = {});

  // At the worth that gives the greatest bound, to 1e-6 of it or `evaluations`
  // looks; starts looking around `guess`.
  Result Best(const PriceTable& prices, const std::vector<uint16_t>& pools,
              const PlanJob& job, double guess, int evaluations,
              const OpenSlots* open = nullptr,
              const StretchOrigin& origin = {});
  // The same with what is beside it, of a new job with room everywhere.
  WorthTop Top(const PriceTable& prices, const std::vector<uint16_t>& pools,
               const PlanJob& job, double guess, int evaluations);
  // The look of least worth in the last Best() whose stretches do all the
  // work; its `useful` is less than the duration if there was none.
  const Result& enough() const { return enough_; }

 private:
  struct Value {
    double cost = 0;
    double useful = 0;
  };
  struct Step {
    Value value;
    int16_t from = 0;  // the state before it
  };
  struct Window {
    int64_t first;  // slot
    size_t pools;
  };
  Step RunThrough(const PriceTable& prices, const std::vector<uint16_t>& pools,
                  double worth, const SlotPart& slot, const OpenSlots* open,
                  const Step& enter, int16_t* from);
  void Trace(const Window& window, const std::vector<uint16_t>& pools,
             const PlanJob& job, const OpenSlots* open, int64_t last,
             size_t state, std::vector<Stretch>& stretches) const;
  Value Begin(const std::vector<uint16_t>& pools, const StretchOrigin& origin,
              double worth, double checkpoint);
  void Note(const Result& look, double duration);

  double reluctance_ = 0;
  Result enough_;
  std::vector<Value> on_;
  // Per slot and state, where it came from. States: running at a pool until
  // the slot's end, suspended at it, and running until the pool's head ends.
  std::vector<int16_t> from_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_STRETCH_RESPONSE_H_
