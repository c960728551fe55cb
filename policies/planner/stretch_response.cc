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

StretchSearch::Result StretchSearch::At(const PriceTable& prices,
                                        const std::vector<uint16_t>& pools,
                                        const PlanJob& job, double worth,
                                        const uint8_t* open,
                                        std::vector<Stretch>* stretches,
                                        const StretchOrigin& origin) {
  const size_t n = pools.size();
  const int64_t first = job.release / kSlotUs;
  const int64_t last = (job.latest_end - 1) / kSlotUs;
  const size_t slots = last < first ? 0 : last - first + 1;
  const double checkpoint = job.checkpoint * (1.0 / kSlotUs);
  const double restart = job.restart * (1.0 / kSlotUs);
  const bool fresh = origin.state == StretchOrigin::kNew;
  if (stretches != nullptr) from_.assign(slots * (n + 1), kFresh);
  Value off = Begin(pools, origin, worth, checkpoint);
  Value done = {0, 0};  // never run
  int64_t done_slot = -1;
  size_t done_pool = 0;
  for (size_t i = 0; i < slots; ++i) {
    const int64_t k = first + static_cast<int64_t>(i);
    const int64_t begin = std::max(job.release, k * kSlotUs);
    const int64_t end = std::min(job.latest_end, (k + 1) * kSlotUs);
    const double width = (end - begin) * (1.0 / kSlotUs);
    const Value resume = {off.cost + worth * restart, off.useful - restart};
    const bool resumes = !fresh || resume.cost < 0;
    const Value enter = resumes ? resume : Value{0, 0};
    Value paused = {kInfinity, 0};
    int16_t paused_from = kPaused;
    for (size_t p = 0; p < n; ++p) {
      Value& on = on_[p];
      int16_t from = static_cast<int16_t>(p);
      if (open != nullptr &&
          open[static_cast<size_t>(pools[p]) * prices.slots() + k] == 0) {
        on.cost = kInfinity;
      } else if (enter.cost < on.cost) {
        on = enter;
        from = resumes ? kPaused : kFresh;
      }
      on.cost += width * (prices.rate(pools[p])[k] - worth);
      on.useful += width;
      if (stretches != nullptr) from_[i * (n + 1) + p] = from;
      if (on.cost < paused.cost) {
        paused = on;
        paused_from = static_cast<int16_t>(p);
      }
    }
    if (paused.cost < done.cost) {
      done = paused;
      done_slot = static_cast<int64_t>(i);
      done_pool = paused_from;
    }
    paused.cost += worth * checkpoint;
    paused.useful -= checkpoint;
    if (paused.cost < off.cost) {
      off = paused;
    } else {
      paused_from = kPaused;
    }
    if (stretches != nullptr) from_[i * (n + 1) + n] = paused_from;
  }
  if (stretches != nullptr) {
    Trace({first, slots, n}, pools, job, done_slot, done_pool, *stretches);
  }
  const double duration = job.duration * (1.0 / kSlotUs);
  return {worth * duration + done.cost, done.useful, worth};
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
                          const PlanJob& job, int64_t last, size_t pool,
                          std::vector<Stretch>& stretches) const {
  stretches.clear();
  const size_t n = window.pools;
  size_t state = pool;  // a pool's index, or n while suspended
  int64_t i = last;
  while (i >= 0) {
    const int64_t k = window.first + i;
    const int16_t from = from_[i * (n + 1) + state];
    if (state < n) {
      const int64_t begin = std::max(job.release, k * kSlotUs);
      const int64_t end = std::min(job.latest_end, (k + 1) * kSlotUs);
      if (!stretches.empty() && stretches.back().start == end &&
          stretches.back().pool == pools[state]) {
        stretches.back().start = begin;
      } else {
        stretches.push_back({pools[state], begin, end});
      }
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
                                          int evaluations, const uint8_t* open,
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

}  // namespace ccsched
