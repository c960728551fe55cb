// The plan of a live cluster: kept up to date as jobs come, start and go.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/rolling_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "policies/planner/improve.h"
#include "policies/planner/room_search.h"

namespace ccsched {
RollingPlan::RollingPlan(std::vector<PlanPool> pools,
                         std::vector<std::vector<uint16_t>> placements,
                         const RollingOptions& options, GramsFn grams)
    : options_(options), grams_(std::move(grams)), demand_(options.demand) {
  work_.pools = std::move(pools);
  work_.placements = std::move(placements);
  work_.wait = options_.wait;
}

PlanJob RollingPlan::Relative(const PlanJob& job, int64_t now) const {
  PlanJob r = job;
  r.release = std::max(job.release, now) - origin_;
  r.latest_end = std::max(job.latest_end - origin_, r.release + r.duration);
  return r;
}

void RollingPlan::Hold(uint32_t count, const Stretch& run, int sign,
                       int64_t from) {
  const PlanPool& pool = work_.pools[run.pool];
  if (!pool.limited) return;
  const int64_t a = std::max<int64_t>(std::max(run.start, from) - origin_, 0);
  const int64_t b = std::min(run.end - origin_, work_.end());
  if (b <= a) return;
  schedule_->timeline(run.pool).Add(
      a, b, sign * static_cast<int32_t>(Occupied(count, pool.node_size)));
}

void RollingPlan::Put(int64_t now, Entry& entry, const PriceTable& table) {
  if (entry.pausable) {
    PutPausable(now, entry);
    return;
  }
  entry.work = static_cast<uint32_t>(work_.jobs.size());
  work_.jobs.push_back(Relative(entry.job, now));
  schedule_->Grow();
  schedule_->PutCheapest(table, entry.work);
  TakePlace(entry);
}

void RollingPlan::TakePlace(Entry& entry) {
  const Schedule::Place& place = schedule_->place(entry.work);
  entry.pool = place.pool;
  entry.start = place.start + origin_;
  entry.end = entry.start + entry.job.duration;
}

// Frees what the job holds or was to hold.
void RollingPlan::Drop(int64_t now, Entry& entry) {
  if (entry.pausable) {
    HoldStretches(entry, -1, now);
  } else if (entry.running) {
    Hold(entry.job.count, entry.run(), -1, now);
  } else if (entry.pool >= 0) {
    schedule_->Take(entry.work);
  }
}

uint32_t RollingPlan::Arrive(int64_t now, const PlanJob& job, bool expect_again,
                             bool known) {
  uint32_t index = static_cast<uint32_t>(entries_.size());
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    entries_.emplace_back();
  }
  Entry& entry = entries_[index];
  entry = {};
  entry.job = job;
  entry.used = true;
  entry.sequence = ++sequence_;
  entry.pausable = job.suspendable &&
                   job.duration >= options_.least_pausable_hours * kSlotUs;
  if (expect_again) {
    PlanJob again = job;
    again.spread = nullptr;
    if (!known) {
      again.latest_end -= again.duration;
      again.duration = 0;
    }
    entry.record = demand_.Record(again);
  }
  const int64_t needed = Relative(job, now).latest_end + kSlotUs;
  if (!based_ || needed > work_.end()) {
    Replan(now);
  } else {
    Put(now, entry);
  }
  return index;
}

void RollingPlan::Start(uint32_t job, int pool, int64_t start, int64_t end) {
  Entry& entry = entries_[job];
  const bool as_planned = entry.pausable && entry.stretches.size() > 1 &&
                          entry.pool == pool && entry.start == start;
  if (!entry.running) Drop(start, entry);
  entry.running = true;
  entry.paused = false;
  entry.pool = pool;
  entry.start = start;
  entry.end = end;
  if (as_planned) {
    entry.end = entry.stretches[0].end;
  } else if (entry.pausable) {
    entry.stretches = {{pool, start, end}};
  }
  if (entry.pausable) {
    HoldStretches(entry, 1, start);
  } else {
    Hold(entry.job.count, entry.run(), 1, start);
  }
}

void RollingPlan::Ended(int64_t now, uint32_t job) {
  const Entry& entry = entries_[job];
  if (!entry.running || entry.record < 0) return;
  demand_.Amend(entry.record,
                entry.done + std::max(now - entry.start, int64_t{1}));
}

void RollingPlan::Forget(int64_t now, uint32_t job) {
  Entry& entry = entries_[job];
  Drop(now, entry);
  entry = {};
  free_.push_back(job);
}

void RollingPlan::Again(int64_t now, uint32_t job) {
  Entry& entry = entries_[job];
  if (Relative(entry.job, now).latest_end + kSlotUs > work_.end()) {
    Drop(now, entry);
    entry.running = false;
    Replan(now);
    return;
  }
  Drop(now, entry);
  entry.running = false;
  Put(now, entry);
}

RollingPlan::Offer RollingPlan::Weigh(int64_t now, const PlanJob& job, int pool,
                                      int64_t start) const {
  const int64_t from = start - origin_;
  const RunLength length = RunLength::Of(job);
  const double wait = priced_.Wait(from);
  const double carbon = RunCost(carbon_, pool, from, length) - wait;
  const double cost = RunCost(priced_, pool, from, length) - wait;
  return {pool, start, job.count * carbon, job.count * (cost - carbon),
          job.count * priced_.Wait(std::max(start - now, int64_t{0}))};
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
                        RunLength::Of(relative), best);
    } else {
      BestStart(priced_, pool, relative.release, relative.latest_start(),
                RunLength::Of(relative), best);
    }
    if (best.pool < 0) continue;
    offers.push_back(Weigh(now, job, pool, best.start + origin_));
  }
  std::stable_sort(
      offers.begin(), offers.end(),
      [](const Offer& a, const Offer& b) { return a.cost() < b.cost(); });
  return offers;
}

void RollingPlan::PutAll(int64_t now, std::vector<uint32_t>& order) {
  // Whoever comes too late in one turn goes first in the next.
  constexpr int kTurns = 4;
  const size_t before = work_.jobs.size();
  for (int turn = 0; turn < kTurns; ++turn) {
    for (const uint32_t i : order) Put(now, entries_[i], priced_);
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

std::vector<uint32_t> RollingPlan::InOrderOfSize() const {
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].used) order.push_back(i);
  }
  const auto size = [this](uint32_t i) {
    return static_cast<double>(entries_[i].job.duration) *
           entries_[i].job.count;
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const double x = size(a);
    const double y = size(b);
    return x != y ? x > y : entries_[a].sequence < entries_[b].sequence;
  });
  TakeTurns(order);
  return order;
}

// Each job's turn is what its account will have had for its share before it:
// start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996).
void RollingPlan::TakeTurns(std::vector<uint32_t>& order) const {
  struct Turn {
    int32_t priority;
    double had;
    uint32_t index;
  };
  std::vector<Turn> turns;
  std::vector<AccountLoad> loads = loads_;
  bool alike = true;
  for (const uint32_t i : order) {
    const PlanJob& job = entries_[i].job;
    if (job.account >= loads.size()) loads.resize(job.account + 1);
    AccountLoad& account = loads[job.account];
    turns.push_back({job.priority, account.load, i});
    account.load +=
        static_cast<double>(job.duration) * job.count / kSlotUs / account.share;
    const PlanJob& first = entries_[order.front()].job;
    alike &= job.priority == first.priority && job.account == first.account;
  }
  if (alike) return;
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) {
                     return a.priority != b.priority ? a.priority > b.priority
                                                     : a.had < b.had;
                   });
  for (size_t n = 0; n < order.size(); ++n) order[n] = turns[n].index;
}

void RollingPlan::Replan(int64_t now) {
  const bool first = !based_;
  for (Entry& entry : entries_) {
    if (entry.used && entry.running && entry.new_end != 0) {
      entry.end = entry.new_end;
      if (entry.stretches.size() == 1) entry.stretches[0].end = entry.end;
      entry.new_end = 0;
    }
  }
  work_.jobs.clear();
  Rebase(now);
  SeekPrices(now, first ? options_.first_rounds : options_.ascent_rounds);
  SetTables();
  last_replan_ = now;
  ++replans_;
  schedule_ = std::make_unique<Schedule>(work_);
  // What runs, and stretches that are planned, keep their places at first.
  const std::vector<uint32_t> all = InOrderOfSize();
  std::vector<uint32_t> order;
  for (const uint32_t i : all) {
    Entry& entry = entries_[i];
    if (entry.pausable) {
      HoldStretches(entry, 1, now);
    } else if (entry.running) {
      Hold(entry.job.count, entry.run(), 1, entry.start);
    } else {
      order.push_back(i);
    }
  }
  for (const uint32_t i : all) {
    Entry& entry = entries_[i];
    if (!entry.pausable || entry.leaving) continue;
    HoldStretches(entry, -1, now);
    PutPausable(now, entry);
  }
  PutAll(now, order);
  if (options_.improve_rounds <= 0 || order.size() < 2) return;
  std::vector<uint32_t> movable;
  for (const uint32_t i : order) {
    if (entries_[i].pool >= 0) movable.push_back(entries_[i].work);
  }
  Improve(
      work_, settled_, priced_, movable,
      {.rounds = options_.improve_rounds, .seed = static_cast<uint64_t>(now)},
      *schedule_);
  for (const uint32_t i : order) TakePlace(entries_[i]);
}

}  // namespace ccsched
