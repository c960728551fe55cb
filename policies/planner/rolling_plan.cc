// The plan of a live cluster: kept up to date as jobs come, start and go.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/rolling_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "policies/planner/improve.h"
#include "policies/planner/pricing.h"
#include "policies/planner/room_search.h"
#include "policies/planner/slot_usage.h"

namespace ccsched {
namespace {

// The last hours of the horizon whose mean price is taken for all beyond it.
constexpr int32_t kTailSlots = 72;

}  // namespace

RollingPlan::RollingPlan(std::vector<PlanPool> pools,
                         std::vector<std::vector<uint16_t>> placements,
                         const RollingOptions& options, GramsFn grams)
    : options_(options), grams_(std::move(grams)), demand_(options.demand) {
  work_.pools = std::move(pools);
  work_.placements = std::move(placements);
}

PlanJob RollingPlan::Relative(const PlanJob& job, int64_t now) const {
  PlanJob r = job;
  r.release = std::max(job.release, now) - origin_;
  r.latest_end = std::max(job.latest_end - origin_, r.release + r.duration);
  return r;
}

void RollingPlan::Hold(const Entry& entry, int sign, int64_t from) {
  const PlanPool& pool = work_.pools[entry.pool];
  if (!pool.limited) return;
  const int64_t a = std::max(entry.start, from) - origin_;
  const int64_t b = std::min(entry.end - origin_, work_.end());
  if (b <= a) return;
  schedule_->timeline(entry.pool)
      .Add(std::max<int64_t>(a, 0), b,
           sign *
               static_cast<int32_t>(Occupied(entry.job.count, pool.node_size)));
}

void RollingPlan::Put(int64_t now, Entry& entry) {
  entry.work = static_cast<uint32_t>(work_.jobs.size());
  work_.jobs.push_back(Relative(entry.job, now));
  schedule_->Grow();
  schedule_->PutCheapest(priced_, entry.work);
  TakePlace(entry);
}

void RollingPlan::TakePlace(Entry& entry) {
  const Schedule::Place& place = schedule_->place(entry.work);
  entry.pool = place.pool;
  entry.start = place.start + origin_;
  entry.end = entry.start + entry.job.duration;
}

uint32_t RollingPlan::Arrive(int64_t now, const PlanJob& job,
                             bool expect_again) {
  uint32_t index = static_cast<uint32_t>(entries_.size());
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    entries_.emplace_back();
  }
  entries_[index] = {.job = job, .used = true};
  if (expect_again) demand_.Record(job);
  const int64_t needed = job.latest_end + kSlotUs - origin_;
  if (!based_ || needed > work_.end()) {
    Replan(now);
  } else {
    Put(now, entries_[index]);
  }
  return index;
}

void RollingPlan::Start(uint32_t job, int pool, int64_t start, int64_t end) {
  Entry& entry = entries_[job];
  if (!entry.running) schedule_->Take(entry.work);
  entry.running = true;
  entry.pool = pool;
  entry.start = start;
  entry.end = end;
  Hold(entry, 1, start);
}

void RollingPlan::Forget(int64_t now, uint32_t job) {
  Entry& entry = entries_[job];
  if (entry.running) {
    Hold(entry, -1, now);
  } else if (entry.pool >= 0) {
    schedule_->Take(entry.work);
  }
  entry = {};
  free_.push_back(job);
}

void RollingPlan::Again(int64_t now, uint32_t job) {
  Entry& entry = entries_[job];
  if (entry.running) {
    Hold(entry, -1, now);
    entry.running = false;
  } else if (entry.pool >= 0) {
    schedule_->Take(entry.work);
  }
  Put(now, entry);
}

RollingPlan::Offer RollingPlan::Weigh(const PlanJob& job, int pool,
                                      int64_t start) const {
  const int64_t from = start - origin_;
  const double carbon =
      job.count * carbon_.Between(pool, from, from + job.duration);
  const double cost =
      job.count * priced_.Between(pool, from, from + job.duration);
  return {pool, start, carbon, cost - carbon};
}

std::vector<RollingPlan::Offer> RollingPlan::Offers(int64_t now,
                                                    const PlanJob& job) const {
  std::vector<Offer> offers;
  if (!based_) return offers;
  PlanJob relative = Relative(job, now);
  // The grid may be too short for it.
  relative.latest_end = std::min(relative.latest_end, work_.end() - kSlotUs);
  if (relative.latest_start() < relative.release) return offers;
  for (const uint16_t pool : work_.placements[job.pools]) {
    StartChoice best;
    const PlanPool& p = work_.pools[pool];
    if (p.limited) {
      BestStartWithRoom(priced_, schedule_->timeline(pool), pool,
                        static_cast<int32_t>(p.capacity),
                        static_cast<int32_t>(Occupied(job.count, p.node_size)),
                        relative.release, relative.latest_start(),
                        relative.duration, best);
    } else {
      BestStart(priced_, pool, relative.release, relative.latest_start(),
                relative.duration, best);
    }
    if (best.pool < 0) continue;
    offers.push_back(Weigh(job, pool, best.start + origin_));
  }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Offer& a, const Offer& b) {
                     return a.carbon + a.price < b.carbon + b.price;
                   });
  return offers;
}

void RollingPlan::Rebase(int64_t now) {
  const int64_t old_origin = origin_;
  const int32_t old_slots = work_.slots;
  origin_ = now / kSlotUs * kSlotUs;
  int64_t end = origin_ + (options_.horizon_slots + 1) * kSlotUs;
  for (const Entry& entry : entries_) {
    if (!entry.used) continue;
    end = std::max(end, entry.running ? entry.end
                                      : std::max(entry.job.latest_end,
                                                 now + entry.job.duration));
  }
  // Room for arrivals until the next time, and for jobs that start late.
  const int32_t slots =
      static_cast<int32_t>((end - origin_) / kSlotUs) + 2 * 24 + 2;
  const size_t pools = work_.pools.size();
  std::vector<double> prices(pools * slots, 0.0);
  const int64_t shift = (origin_ - old_origin) / kSlotUs;
  for (size_t p = 0; p < pools && based_; ++p) {
    for (int32_t k = 0; k < slots; ++k) {
      const int64_t old = std::min<int64_t>(k + shift, old_slots - 1);
      prices[p * slots + k] = prices_[p * old_slots + old];
    }
  }
  prices_ = std::move(prices);
  work_.slots = slots;
  work_.priced_slots = std::min(slots, options_.horizon_slots);
  for (size_t p = 0; p < pools; ++p) {
    work_.pools[p].grams.resize(slots);
    grams_(static_cast<int>(p), origin_, slots, work_.pools[p].grams.data());
  }
  carbon_ = PriceTable(work_);
  priced_ = carbon_;
  based_ = true;
}

void RollingPlan::SetTables() {
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    priced_.SetPrices(work_, static_cast<int>(p), &prices_[p * work_.slots]);
  }
}

void RollingPlan::SeekPrices(int64_t now, int rounds) {
  PlanInstance priced = work_;
  SlotUsage held(work_.pools.size(), work_.slots);
  for (const Entry& entry : entries_) {
    if (!entry.used) continue;
    if (!entry.running) {
      priced.jobs.push_back(Relative(entry.job, now));
      continue;
    }
    const int64_t from = std::max(entry.start - origin_, int64_t{0});
    const int64_t to = std::min(entry.end - origin_, work_.end());
    held.Add(entry.pool, from, std::max(from, to),
             Occupied(entry.job.count, work_.pools[entry.pool].node_size));
  }
  // Of the current slot only what is left counts.
  const double left = 1 - (now - origin_) * (1.0 / kSlotUs);
  const std::vector<double>& usage = held.Sum();
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    priced.pools[p].room.resize(work_.slots);
    for (int32_t k = 0; k < work_.slots; ++k) {
      double room = work_.pools[p].capacity - usage[p * work_.slots + k];
      if (k == 0) room -= (1 - left) * work_.pools[p].capacity;
      priced.pools[p].room[k] = std::max(0.0, room);
    }
  }
  const size_t known = priced.jobs.size();
  demand_.Expect(now, options_.horizon_slots * kSlotUs, priced.jobs);
  for (size_t j = known; j < priced.jobs.size(); ++j) {
    PlanJob& job = priced.jobs[j];
    job.release -= origin_;
    job.latest_end -= origin_;
    // What would reach beyond the grid is cut: it is only expected.
    const int64_t over = job.latest_end - work_.end();
    if (over > 0) {
      job.duration = std::max<int64_t>(0, job.duration - over);
      job.latest_end = std::max(work_.end(), job.release + job.duration);
    }
  }
  if (priced.jobs.empty()) return;
  Pricing pricing(priced);
  pricing.Warm(prices_);
  pricing.Ascend({.rounds = rounds, .hope = 0.02});
  prices_ = pricing.best_prices();
  const int32_t tail = std::min(kTailSlots, work_.priced_slots);
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    double* price = &prices_[p * work_.slots];
    double sum = 0;
    for (int32_t k = work_.priced_slots - tail; k < work_.priced_slots; ++k) {
      sum += price[k];
    }
    std::fill(price + work_.priced_slots, price + work_.slots,
              options_.tail * sum / tail);
  }
}

void RollingPlan::PutAll(int64_t now, std::vector<uint32_t>& order) {
  // Whoever comes too late in one turn goes first in the next.
  constexpr int kTurns = 4;
  const size_t before = work_.jobs.size();
  for (int turn = 0; turn < kTurns; ++turn) {
    for (const uint32_t i : order) Put(now, entries_[i]);
    const auto late = [this](uint32_t i) {
      return entries_[i].pool < 0 ||
             entries_[i].end >
                 origin_ + work_.jobs[entries_[i].work].latest_end;
    };
    if (turn + 1 == kTurns || std::none_of(order.begin(), order.end(), late)) {
      return;
    }
    std::stable_partition(order.begin(), order.end(), late);
    for (const uint32_t i : order) {
      if (entries_[i].pool >= 0) schedule_->Take(entries_[i].work);
    }
    work_.jobs.resize(before);
    schedule_->Grow();
  }
}

void RollingPlan::Replan(int64_t now) {
  const bool first = !based_;
  for (Entry& entry : entries_) {
    if (entry.used && entry.running && entry.new_end != 0) {
      entry.end = entry.new_end;
      entry.new_end = 0;
    }
  }
  work_.jobs.clear();
  Rebase(now);
  SeekPrices(now, first ? options_.first_rounds : options_.ascent_rounds);
  SetTables();
  last_replan_ = now;
  schedule_ = std::make_unique<Schedule>(work_);
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].used) continue;
    if (entries_[i].running) {
      Hold(entries_[i], 1, entries_[i].start);
    } else {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    const PlanJob& x = entries_[a].job;
    const PlanJob& y = entries_[b].job;
    const double dx = static_cast<double>(x.duration) * x.count;
    const double dy = static_cast<double>(y.duration) * y.count;
    return dx > dy;
  });
  PutAll(now, order);
  if (options_.improve_rounds > 0 && order.size() > 1) {
    std::vector<uint32_t> movable;
    for (const uint32_t i : order) {
      if (entries_[i].pool >= 0) movable.push_back(entries_[i].work);
    }
    Improve(
        work_, priced_, priced_, movable,
        {.rounds = options_.improve_rounds, .seed = static_cast<uint64_t>(now)},
        *schedule_);
    for (const uint32_t i : order) TakePlace(entries_[i]);
  }
}

}  // namespace ccsched
