// The cheapest stretches of a job that pauses at least once, for a bound.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/paused_response.h"

#include <algorithm>
#include <limits>

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Before a state: the job has not started, or its first stretch has no length.
constexpr int16_t kNothing = -1;

}  // namespace

PausedSearch::Value PausedSearch::RunThrough(const PriceTable& prices,
                                             const std::vector<uint16_t>& pools,
                                             double worth, const SlotPart& slot,
                                             const Value& enter, size_t layer,
                                             int16_t* from) {
  const size_t n = pools.size();
  const double length = slot.slots();
  Value stop = {kInfinity, 0, kNothing};
  for (size_t p = 0; p < n; ++p) {
    Value& on = on_[layer * n + p];
    if (enter.cost < on.cost) on = enter;
    const auto state = static_cast<int16_t>(layer * n + p);
    if (from != nullptr) from[state] = on.state;
    const double rate = prices.rate(pools[p])[slot.index] - worth;
    on = {on.cost + length * rate, on.useful + length, state};
    if (on.cost < stop.cost) stop = on;
  }
  return stop;
}

WorthLook PausedSearch::At(const PriceTable& prices,
                           const std::vector<uint16_t>& pools,
                           const PlanJob& job, double worth,
                           std::vector<Stretch>* stretches) {
  const size_t n = pools.size();
  const auto paused = static_cast<int16_t>(2 * n);
  const int64_t first = job.release / kSlotUs;
  const int64_t last = (job.latest_end - 1) / kSlotUs;
  const int64_t slots = std::max<int64_t>(0, last - first + 1);
  const double checkpoint = job.checkpoint * (1.0 / kSlotUs);
  const double restart = job.restart * (1.0 / kSlotUs);
  on_.assign(2 * n, {kInfinity, 0, kNothing});
  if (stretches != nullptr) from_.assign(slots * (2 * n + 1), kNothing);
  Value off = {worth * checkpoint, -checkpoint, kNothing};
  Value done = {kInfinity, 0, kNothing};
  int64_t done_slot = -1;
  for (int64_t i = 0; i < slots; ++i) {
    int16_t* const from =
        stretches != nullptr ? &from_[i * (2 * n + 1)] : nullptr;
    const SlotPart slot = PartOf(job, first + i);
    const Value resume = {off.cost + worth * restart, off.useful - restart,
                          off.state};
    const Value begun =
        RunThrough(prices, pools, worth, slot, {0, 0, kNothing}, 0, from);
    const Value again = RunThrough(prices, pools, worth, slot, resume, 1, from);
    if (again.cost < done.cost) {
      done = again;
      done_slot = i;
    }
    const Value& stop = begun.cost < again.cost ? begun : again;
    const bool stops = stop.cost + worth * checkpoint < off.cost;
    if (from != nullptr) from[paused] = stops ? stop.state : off.state;
    if (stops) {
      off = {stop.cost + worth * checkpoint, stop.useful - checkpoint, paused};
    }
  }
  // The last stretch may have no length.
  if (off.cost + worth * restart < done.cost) {
    done = {off.cost + worth * restart, off.useful - restart, off.state};
    done_slot = off.state == kNothing ? -1 : slots - 1;
  }
  if (stretches != nullptr) {
    Trace(pools, job, done_slot, done.state, *stretches);
  }
  const double duration = job.duration * (1.0 / kSlotUs);
  return {worth * duration + done.cost, done.useful, worth};
}

void PausedSearch::Trace(const std::vector<uint16_t>& pools, const PlanJob& job,
                         int64_t slot, size_t state,
                         std::vector<Stretch>& stretches) const {
  stretches.clear();
  const size_t n = pools.size();
  const int64_t first = job.release / kSlotUs;
  for (int64_t i = slot; i >= 0; --i) {
    if (state == 2 * n) {
      const int16_t from = from_[i * (2 * n + 1) + state];
      if (from == kNothing) break;
      state = from;
      // Paused before this slot already?
      if (state == 2 * n) continue;
    }
    const auto [k, begin, end] = PartOf(job, first + i);
    AddEarlier(pools[state % n], begin, end, stretches);
    const int16_t from = from_[i * (2 * n + 1) + state];
    if (from == kNothing) break;
    state = from;
  }
  std::reverse(stretches.begin(), stretches.end());
}

WorthTop PausedSearch::Top(const PriceTable& prices,
                           const std::vector<uint16_t>& pools,
                           const PlanJob& job, double guess, int evaluations) {
  return TopWorth(job.duration * (1.0 / kSlotUs), guess, evaluations,
                  [&](double worth) { return At(prices, pools, job, worth); });
}

}  // namespace ccsched
