// A plan under construction: who runs where and when, and the room left.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/schedule.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "policies/planner/room_search.h"

namespace ccsched {

Schedule::Schedule(const PlanInstance& instance)
    : instance_(instance),
      timelines_(instance.pools.size(), Timeline(instance.slots)),
      places_(instance.jobs.size()) {}

StartChoice Schedule::Cheapest(const PriceTable& prices,
                               const PlanJob& job) const {
  // Pools in the order of what they could offer at best, so that most need
  // not be searched for room.
  struct Offer {
    int pool;
    double cost;
  };
  absl::InlinedVector<Offer, 64> offers;
  StartChoice best;
  for (const uint16_t pool : instance_.placements[job.pools]) {
    StartChoice free;
    BestStart(prices, pool, job.release, job.latest_start(), RunLength::Of(job),
              free);
    if (!instance_.pools[pool].limited) {
      if (free.cost < best.cost) best = free;
      continue;
    }
    offers.push_back({pool, free.cost});
  }
  std::stable_sort(
      offers.begin(), offers.end(),
      [](const Offer& a, const Offer& b) { return a.cost < b.cost; });
  for (const Offer& offer : offers) {
    if (offer.cost >= best.cost) break;
    CheapestAt(prices, job, offer.pool, best);
  }
  return best;
}

void Schedule::CheapestAt(const PriceTable& prices, const PlanJob& job,
                          int pool, StartChoice& best) const {
  const PlanPool& p = instance_.pools[pool];
  if (!p.limited) {
    BestStart(prices, pool, job.release, job.latest_start(), RunLength::Of(job),
              best);
    return;
  }
  BestStartWithRoom(prices, timelines_[pool], pool,
                    static_cast<int32_t>(p.capacity),
                    static_cast<int32_t>(Occupied(job.count, p.node_size)),
                    job.release, job.latest_start(), RunLength::Of(job), best);
}

int64_t Schedule::FirstAt(const PlanJob& job, int pool) const {
  const PlanPool& p = instance_.pools[pool];
  if (!p.limited) return job.release;
  return FirstStartWithRoom(
      timelines_[pool], static_cast<int32_t>(p.capacity),
      static_cast<int32_t>(Occupied(job.count, p.node_size)), job.release,
      instance_.end() - job.duration, job.duration);
}

void Schedule::Lengthen() {
  for (Timeline& timeline : timelines_) timeline.Lengthen(instance_.slots);
}

void Schedule::Put(size_t index, int pool, int64_t start) {
  const PlanJob& job = instance_.jobs[index];
  places_[index] = {static_cast<int16_t>(pool), start};
  if (!instance_.pools[pool].limited) return;
  timelines_[pool].Add(start, start + job.duration,
                       static_cast<int32_t>(Occupied(
                           job.count, instance_.pools[pool].node_size)));
}

void Schedule::Take(size_t index) {
  Place& place = places_[index];
  if (place.pool < 0) return;
  const PlanJob& job = instance_.jobs[index];
  if (instance_.pools[place.pool].limited) {
    timelines_[place.pool].Remove(
        place.start, place.start + job.duration,
        static_cast<int32_t>(
            Occupied(job.count, instance_.pools[place.pool].node_size)));
  }
  place.pool = -1;
}

bool Schedule::PutCheapest(const PriceTable& prices, size_t index) {
  const PlanJob& job = instance_.jobs[index];
  const StartChoice best = Cheapest(prices, job);
  if (best.pool >= 0) {
    Put(index, best.pool, best.start);
    return true;
  }
  StartChoice late;
  late.start = instance_.end();
  for (const uint16_t p : instance_.placements[job.pools]) {
    const int64_t start = FirstAt(job, p);
    if (start >= 0 && start < late.start) {
      late.pool = p;
      late.start = start;
    }
  }
  if (late.pool >= 0) Put(index, late.pool, late.start);
  return false;
}

}  // namespace ccsched
