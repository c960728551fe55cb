// The cheapest stretches of a job that may be suspended, under given prices.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/stretch_response.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Where a state of the recursion came from, if not from a pool's number.
constexpr int16_t kFresh = -1;   // the job starts here
constexpr int16_t kPaused = -2;  // resumed, or still suspended

}  // namespace

void AddEarlier(int pool, int64_t start, int64_t end,
                std::vector<Stretch>& stretches) {
  if (!stretches.empty() && stretches.back().start == end &&
      stretches.back().pool == pool) {
    stretches.back().start = start;
  } else {
    stretches.push_back({pool, start, end});
  }
}

// How a slot is lived through at each pool, given what it takes to begin there
// anew: leaves on_ as of its end and returns the best that stops in it.
StretchSearch::Step StretchSearch::RunThrough(
    const PriceTable& prices, const std::vector<uint16_t>& pools, double worth,
    const SlotPart& slot, const OpenSlots* open, const Step& enter,
    int16_t* from) {
  const size_t n = pools.size();
  const double whole = slot.slots();
  Value stop = {kInfinity, 0};
  int16_t stopped = kPaused;
  const auto may_stop = [&](const Value& value, size_t state) {
    if (value.cost >= stop.cost) return;
    stop = value;
    stopped = static_cast<int16_t>(state);
  };
  for (size_t p = 0; p < n; ++p) {
    Value on = on_[p];
    const double rate = prices.rate(pools[p])[slot.index] - worth;
    const bool anew = enter.value.cost < on.cost;
    int16_t came = anew ? enter.from : static_cast<int16_t>(p);
    if (anew) on = enter.value;
    if (open == nullptr || open->at(pools[p], slot.index).head >= slot.end) {
      on = {on.cost + whole * rate, on.useful + whole};
    } else {
      const OpenSlots::Part& part = open->at(pools[p], slot.index);
      const double head = (part.head - slot.begin) * (1.0 / kSlotUs);
      const double tail = (slot.end - part.tail) * (1.0 / kSlotUs);
      if (from != nullptr) from[n + 1 + p] = came;
      if (head > 0) {
        may_stop({on.cost + head * rate, on.useful + head}, n + 1 + p);
      }
      on = {kInfinity, 0};
      if (tail > 0) {
        on = {enter.value.cost + tail * rate, enter.value.useful + tail};
      }
      came = enter.from;
    }
    if (from != nullptr) from[p] = came;
    on_[p] = on;
    may_stop(on, p);
  }
  return {stop, stopped};
}

StretchSearch::Result StretchSearch::At(const PriceTable& prices,
                                        const std::vector<uint16_t>& pools,
                                        const PlanJob& job, double worth,
                                        const OpenSlots* open,
                                        std::vector<Stretch>* stretches,
                                        const StretchOrigin& origin) {
  const size_t n = pools.size();
  const size_t states = 2 * n + 1;
  const int64_t first = job.release / kSlotUs;
  const int64_t last = (job.latest_end - 1) / kSlotUs;
  const size_t slots = last < first ? 0 : last - first + 1;
  const double checkpoint = job.checkpoint * (1.0 / kSlotUs);
  const double restart = job.restart * (1.0 / kSlotUs);
  const double dear = restart + reluctance_ * (checkpoint + restart);
  const bool fresh = origin.state == StretchOrigin::kNew;
  if (stretches != nullptr) from_.assign(slots * states, kFresh);
  Value off = Begin(pools, origin, worth, checkpoint);
  Step done = {{0, 0}, 0};  // never run
  int64_t done_slot = -1;
  for (size_t i = 0; i < slots; ++i) {
    int16_t* const from = stretches != nullptr ? &from_[i * states] : nullptr;
    const Value resume = {off.cost + worth * dear, off.useful - restart};
    const bool resumes = !fresh || resume.cost < 0;
    Step stop = RunThrough(
        prices, pools, worth, PartOf(job, first + static_cast<int64_t>(i)),
        open, resumes ? Step{resume, kPaused} : Step{{}, kFresh}, from);
    if (stop.value.cost < done.value.cost) {
      done = stop;
      done_slot = static_cast<int64_t>(i);
    }
    stop.value.cost += worth * checkpoint;
    stop.value.useful -= checkpoint;
    const bool stops = stop.value.cost < off.cost;
    if (stops) off = stop.value;
    if (from != nullptr) from[n] = stops ? stop.from : kPaused;
  }
  if (stretches != nullptr) {
    Trace({first, n}, pools, job, open, done_slot, done.from, *stretches);
  }
  const double duration = job.duration * (1.0 / kSlotUs);
  return {worth * duration + done.value.cost, done.value.useful, worth};
}

// Sets on_ for how the job stands, and returns the value of being suspended.
StretchSearch::Value StretchSearch::Begin(const std::vector<uint16_t>& pools,
                                          const StretchOrigin& origin,
                                          double worth, double checkpoint) {
  on_.assign(pools.size(), {kInfinity, 0});
  if (origin.state == StretchOrigin::kNew) return {kInfinity, 0};
  if (origin.state == StretchOrigin::kSuspended) return {0, 0};
  for (size_t p = 0; p < pools.size(); ++p) {
    if (pools[p] == origin.pool) on_[p] = {0, 0};
  }
  return {worth * checkpoint, -checkpoint};
}

// Walks back from the slot and pool in which the last stretch ends.
void StretchSearch::Trace(const Window& window,
                          const std::vector<uint16_t>& pools,
                          const PlanJob& job, const OpenSlots* open,
                          int64_t last, size_t state,
                          std::vector<Stretch>& stretches) const {
  stretches.clear();
  const size_t n = window.pools;
  int64_t i = last;
  while (i >= 0) {
    const int16_t from = from_[i * (2 * n + 1) + state];
    if (state != n) {
      const bool head = state > n;
      if (head) state -= n + 1;
      auto [k, begin, end] = PartOf(job, window.first + i);
      if (open != nullptr && open->at(pools[state], k).head < end) {
        const OpenSlots::Part& part = open->at(pools[state], k);
        (head ? end : begin) = head ? part.head : part.tail;
      }
      AddEarlier(pools[state], begin, end, stretches);
      --i;
      if (from == kFresh) break;
      if (from == kPaused) state = n;
    } else if (from == kPaused) {
      --i;  // was suspended before this slot already
    } else {
      state = from;  // ran in this slot, suspended at its end
    }
  }
  std::reverse(stretches.begin(), stretches.end());
}

void StretchSearch::Note(const Result& look, double duration) {
  if (look.useful < duration - 1e-9) return;
  if (enough_.useful < duration - 1e-9 || look.worth < enough_.worth) {
    enough_ = look;
  }
}

StretchSearch::Result StretchSearch::Best(const PriceTable& prices,
                                          const std::vector<uint16_t>& pools,
                                          const PlanJob& job, double guess,
                                          int evaluations,
                                          const OpenSlots* open,
                                          const StretchOrigin& origin) {
  const double duration = job.duration * (1.0 / kSlotUs);
  enough_ = {0, -1, 0};
  const auto look = [&](double worth) {
    const Result result = At(prices, pools, job, worth, open, nullptr, origin);
    Note(result, duration);
    return result;
  };
  return BestWorth(duration, guess, evaluations, look);
}

WorthTop StretchSearch::Top(const PriceTable& prices,
                            const std::vector<uint16_t>& pools,
                            const PlanJob& job, double guess, int evaluations) {
  return TopWorth(job.duration * (1.0 / kSlotUs), guess, evaluations,
                  [&](double worth) { return At(prices, pools, job, worth); });
}

}  // namespace ccsched
