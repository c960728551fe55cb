// The cheapest stretches of a job that may be resized, under given prices.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/elastic_response.h"

#include <algorithm>
#include <limits>

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Where a state came from, if not from a state's number.
constexpr int32_t kFresh = -1;  // the job starts here
constexpr int32_t kAgain = -2;  // it ran, or paused, in the slot before
constexpr int32_t kPause = -3;  // it ran otherwise, or paused, before

}  // namespace

void ElasticSearch::Advance(const PriceTable& prices,
                            const std::vector<uint16_t>& pools,
                            const PlanJob& job, double worth, size_t i,
                            Path& path) {
  const std::vector<WidthCorners::Corner>& widths = job.corners->corners;
  const int64_t k = path.first + static_cast<int64_t>(i);
  const double length = PartOf(job, k).slots();
  const double restart = job.restart * (1.0 / kSlotUs);
  const double checkpoint = job.checkpoint * (1.0 / kSlotUs);
  int32_t* const from = &from_[i * (path.on + path.pauses)];
  const bool one = path.pauses == 1;
  size_t state = 0;
  for (size_t p = 0; p < pools.size(); ++p) {
    const double rate = prices.rate(pools[p])[k];
    const Value paused = paused_[one ? 0 : p];
    Value& next = next_[one ? 0 : p];
    int32_t& next_from = from[path.on + (one ? 0 : p)];
    for (size_t w = 0; w < widths.size(); ++w, ++state) {
      const double speed = widths[w].speed;
      Value& on = on_[state];
      int32_t came = kAgain;
      if (paused.cost + restart_[w] < on.cost) {
        on = {paused.cost + restart_[w], paused.useful - speed * restart};
        came = kPause;
      }
      if (on.cost > 0) {
        on = {0, 0};
        came = kFresh;
      }
      on.cost += length * (widths[w].count * rate - worth * speed);
      on.useful += length * speed;
      from[state] = came;
      if (on.cost < done_.cost) {
        done_ = on;
        path.last = static_cast<int64_t>(i);
        path.state = state;
      }
      if (on.cost + checkpoint_[w] < next.cost) {
        next = {on.cost + checkpoint_[w], on.useful - speed * checkpoint};
        next_from = static_cast<int32_t>(state);
      }
    }
  }
}

ElasticSearch::Result ElasticSearch::At(const PriceTable& prices,
                                        const std::vector<uint16_t>& pools,
                                        const PlanJob& job, double worth,
                                        std::vector<WideStretch>& stretches) {
  const std::vector<WidthCorners::Corner>& widths = job.corners->corners;
  const int64_t first = job.release / kSlotUs;
  const int64_t last = (job.latest_end - 1) / kSlotUs;
  Path path = {
      .first = first,
      .slots = last < first ? 0 : static_cast<size_t>(last - first + 1),
      .widths = widths.size(),
      .on = pools.size() * widths.size(),
      .pauses = job.suspendable ? 1 : pools.size()};
  restart_.clear();
  checkpoint_.clear();
  for (const WidthCorners::Corner& width : widths) {
    const double slot = worth * width.speed * (1.0 / kSlotUs);
    restart_.push_back(slot * job.restart);
    checkpoint_.push_back(slot * job.checkpoint);
  }
  on_.assign(path.on, {kInfinity, 0});
  paused_.assign(path.pauses, {kInfinity, 0});
  done_ = {0, 0};  // never run
  from_.assign(path.slots * (path.on + path.pauses), kAgain);
  for (size_t i = 0; i < path.slots; ++i) {
    if (job.suspendable) {
      next_ = paused_;
    } else {
      next_.assign(path.pauses, {kInfinity, 0});
    }
    Advance(prices, pools, job, worth, i, path);
    paused_.swap(next_);
  }
  Trace(path, pools, job, stretches);
  const double duration = job.duration * (1.0 / kSlotUs);
  return {worth * duration + done_.cost, done_.useful, worth};
}

// Walks back from the slot and state in which the last stretch ends.
void ElasticSearch::Trace(const Path& path, const std::vector<uint16_t>& pools,
                          const PlanJob& job,
                          std::vector<WideStretch>& stretches) const {
  stretches.clear();
  size_t state = path.state;
  bool joined = false;  // with the stretch that is last in the list
  for (int64_t i = path.last; i >= 0;) {
    const int32_t came = from_[i * (path.on + path.pauses) + state];
    if (state >= path.on) {
      if (came == kAgain) {
        --i;
      } else {
        state = static_cast<size_t>(came);
        joined = false;
      }
      continue;
    }
    const SlotPart slot = PartOf(job, path.first + i);
    if (joined) {
      stretches.back().start = slot.begin;
    } else {
      stretches.push_back({pools[state / path.widths], slot.begin, slot.end,
                           job.corners->corners[state % path.widths].count});
    }
    if (came == kFresh) break;
    joined = came == kAgain;
    --i;
    if (came == kPause) {
      state = path.on + (path.pauses == 1 ? 0 : state / path.widths);
    }
  }
  std::reverse(stretches.begin(), stretches.end());
}

WorthTop ElasticSearch::Best(const PriceTable& prices,
                             const std::vector<uint16_t>& pools,
                             const PlanJob& job, double guess,
                             int evaluations) {
  const double duration = job.duration * (1.0 / kSlotUs);
  less_.clear();
  return TopWorth(duration, guess, evaluations, [&](double worth) {
    const Result result = At(prices, pools, job, worth, look_);
    (result.useful < duration ? less_ : more_).swap(look_);
    return result;
  });
}

}  // namespace ccsched
