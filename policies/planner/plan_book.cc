// A plan as it stands: where each job runs, on one grid, under its prices.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/plan_book.h"

#include <algorithm>

namespace ccsched {
namespace {

// By so much, and as long as they last, may jobs that miss their promise be
// overdue for the sake of smaller ones.
constexpr double kBearable = 24.0 * kSlotUs;

}  // namespace

PlanJob PlanBook::Relative(const PlanJob& job, int64_t now) const {
  PlanJob r = job;
  r.release = std::max(job.release, now) - origin_;
  r.latest_end = std::max(job.latest_end - origin_, r.release + r.duration);
  return r;
}

void Describe(PlanEntry& entry, const PlanJob& own) {
  const bool known = entry.own != nullptr;
  entry.own =
      own.widths == nullptr ? nullptr : std::make_shared<const PlanJob>(own);
  entry.job = known && entry.own != nullptr
                  ? AtWidth(own, {entry.job.count, entry.job.speed})
                  : own;
}

void SetWork(PlanEntry& entry, int64_t remaining,
             std::optional<int64_t> latest_end) {
  PlanJob own = entry.own != nullptr ? *entry.own : entry.job;
  own.duration = std::max<int64_t>(1, remaining);
  own.latest_end = latest_end.value_or(own.latest_end);
  Describe(entry, own);
}

void PlanBook::Hold(const Stretch& run, int sign, int64_t from) {
  const PlanPool& pool = work_.pools[run.pool];
  if (!pool.limited) return;
  const int64_t a = std::max<int64_t>(std::max(run.start, from) - origin_, 0);
  const int64_t b = std::min(run.end - origin_, work_.end());
  if (b <= a) return;
  schedule_->timeline(run.pool).Add(
      a, b, sign * static_cast<int32_t>(Occupied(run.count, pool.node_size)));
}

void PlanBook::HoldPlace(const PlanEntry& entry, int64_t from) {
  if (entry.pausable) {
    HoldStretches(entry, 1, from);
  } else {
    Hold(entry.run(), 1, from);
  }
}

void PlanBook::ForgetSince(size_t count) {
  work_.jobs.resize(count);
  schedule_->Grow();
}

void PlanBook::Put(int64_t now, PlanEntry& entry, const PriceTable& table) {
  if (entry.pausable) {
    PutPausable(now, entry, table);
    return;
  }
  if (entry.own != nullptr) {
    PutElastic(now, entry, table);
    return;
  }
  AddJob(entry, Relative(entry.job, now));
  schedule_->PutCheapest(table, entry.work);
  TakePlace(entry);
}

void PlanBook::AddJob(PlanEntry& entry, const PlanJob& job) {
  entry.work = static_cast<uint32_t>(work_.jobs.size());
  work_.jobs.push_back(job);
  schedule_->Grow();
}

void PlanBook::TakePlace(PlanEntry& entry) {
  const Schedule::Place& place = schedule_->place(entry.work);
  entry.pool = place.pool;
  entry.start = place.start + origin_;
  entry.end = entry.start + work_.jobs[entry.work].duration;
  if (entry.pausable) entry.stretches = {entry.run()};
}

// Frees what the job holds or was to hold.
void PlanBook::Drop(int64_t now, PlanEntry& entry) {
  if (entry.pausable) {
    HoldStretches(entry, -1, now);
  } else if (entry.running) {
    Hold(entry.run(), -1, now);
  } else if (entry.pool >= 0) {
    schedule_->Take(entry.work);
  }
}

uint32_t PlanBook::MostOverdue(int64_t now) const {
  uint32_t most = kNoEntry;
  double highest = 1;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const PlanEntry& entry = entries[i];
    if (!entry.used || entry.running || entry.pausable) continue;
    const double overdue = static_cast<double>(now - entry.job.latest_start());
    const double times = overdue / (entry.job.duration + kBearable);
    if (times <= highest) continue;
    highest = times;
    most = i;
  }
  return most;
}

bool PlanBook::HasRoom(PlanEntry& entry, const PlanJob& job, int pool,
                       int64_t start) {
  const PlanPool& p = work_.pools[pool];
  if (!p.limited) return true;
  Drop(start, entry);
  const int64_t from = start - origin_;
  const int64_t to = std::min(from + job.duration, work_.end());
  const int32_t peak = schedule_->timeline(pool).Peak(from, to);
  if (entry.pausable) {
    HoldPlace(entry, start);
  } else if (entry.pool >= 0) {
    schedule_->Put(entry.work, entry.pool, entry.start - origin_);
  }
  return peak <= LevelBeside(p, job.count);
}

bool PlanBook::LeavesRoomFor(const PlanEntry& entry, int64_t now,
                             const PlanJob& job, int pool) const {
  const PlanPool& p = work_.pools[pool];
  if (entry.pool != pool || !p.limited) return true;
  const int64_t from = std::max(now, entry.start);
  const int64_t to = std::min(now + job.duration, entry.end);
  return from >= to ||
         schedule_->timeline(pool).Peak(from - origin_, to - origin_) <=
             LevelBeside(p, job.count);
}

bool Better(const PlanOffer& a, const PlanOffer& b) {
  if (a.late != b.late) return b.late;
  return a.late ? a.start + a.duration < b.start + b.duration
                : a.cost() < b.cost();
}

PlanOffer PlanBook::Weigh(int64_t now, const PlanJob& job, int pool,
                          int64_t start) const {
  const int64_t from = start - origin_;
  const RunLength length = RunLength::Of(job);
  const double wait = length.Wait(from);
  const double carbon = RunCost(carbon_, pool, from, length) - wait;
  const double cost = RunCost(priced_, pool, from, length) - wait;
  return {pool,
          start,
          job.count * carbon,
          job.count * (cost - carbon),
          job.count * length.Wait(std::max(start - now, int64_t{0})),
          job.count,
          job.duration,
          job.speed,
          false};
}

std::vector<PlanOffer> PlanBook::Offers(
    int64_t now, const PlanJob& job, absl::Span<const uint16_t> pools) const {
  std::vector<PlanOffer> offers;
  if (!based_) return offers;
  const std::vector<PlanJob> widths = UsableWidths(job, now);
  for (const uint16_t pool : pools) {
    PlanOffer best;
    for (const PlanJob& wide : widths) {
      const StartChoice choice = OfferOf(now, wide, pool);
      if (choice.pool < 0) continue;
      PlanOffer offer = Weigh(now, wide, pool, choice.start + origin_);
      offer.late = wide.IsLateAt(offer.start, now);
      if (best.pool < 0 || Better(offer, best)) best = offer;
    }
    if (best.pool >= 0) offers.push_back(best);
  }
  std::stable_sort(offers.begin(), offers.end(), Better);
  return offers;
}

StartChoice PlanBook::OfferOf(int64_t now, const PlanJob& job, int pool) const {
  StartChoice best;
  PlanJob relative = Relative(job, now);
  // The grid may be too short for it.
  relative.latest_end = std::min(relative.latest_end, work_.end() - kSlotUs);
  if (relative.latest_start() < relative.release) return best;
  schedule_->CheapestAt(priced_, relative, pool, best);
  if (best.pool >= 0) return best;
  // Its promise can't be kept there: as soon as may be.
  const int64_t late = schedule_->FirstAt(relative, pool);
  if (late >= 0) best = {.pool = pool, .start = late};
  return best;
}

}  // namespace ccsched
