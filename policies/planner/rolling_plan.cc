// The plan of a live cluster: kept up to date as jobs come, start and go.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/rolling_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ccsched {

RollingPlan::RollingPlan(std::vector<PlanPool> pools,
                         std::vector<std::vector<uint16_t>> placements,
                         const RollingOptions& options, GramsFn grams)
    : options_(options),
      grams_(std::move(grams)),
      demand_(options.demand),
      book_(std::make_unique<PlanBook>(options.book, grams_)) {
  book_->work().pools = std::move(pools);
  book_->work().placements = std::move(placements);
}

void RollingPlan::AddPlacement(std::vector<uint16_t> pools) {
  if (replanning_) replanning_->book().work().placements.push_back(pools);
  book_->work().placements.push_back(std::move(pools));
}

uint32_t RollingPlan::Register(int64_t now, const PlanJob& job,
                               bool expect_again, bool known) {
  uint32_t index = static_cast<uint32_t>(book_->entries.size());
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    book_->entries.emplace_back();
  }
  Entry& entry = book_->entries[index];
  entry = {};
  Describe(entry, job);
  entry.used = true;
  entry.sequence = ++sequence_;
  entry.may_pause = job.suspendable &&
                    job.duration >= options_.least_pausable_hours * kSlotUs;
  entry.pausable = entry.may_pause && crowding_.MayPause(job.pools, now);
  if (expect_again) {
    PlanJob again = job;
    again.spread = nullptr;
    again.widths = nullptr;
    if (!known) {
      again.latest_end -= again.duration;
      again.duration = 0;
    }
    entry.record = demand_.Record(again);
  }
  if (planned()) {
    reached_beyond_ |= book_->ReachLastEnd(entry, now);
    book_->Put(now, entry);
  }
  Note(index);
  return index;
}

uint32_t RollingPlan::Arrive(int64_t now, const PlanJob& job, bool expect_again,
                             bool known) {
  const uint32_t index = Register(now, job, expect_again, known);
  if (!planned()) Replan(now);
  return index;
}

void RollingPlan::Start(uint32_t job, const Stretch& run, double speed) {
  Entry& entry = book_->entries[job];
  const bool as_planned = entry.pausable && entry.stretches.size() > 1 &&
                          entry.pool == run.pool && entry.start == run.start &&
                          entry.job.count == run.count;
  if (planned() && !entry.running) book_->Drop(run.start, entry);
  if (entry.own != nullptr && entry.job.count != run.count) {
    entry.job = AtWidth(*entry.own, {run.count, speed});
  }
  entry.running = true;
  entry.paused = false;
  entry.pool = run.pool;
  entry.start = run.start;
  entry.end = run.end;
  if (as_planned) {
    entry.end = entry.stretches[0].end;
  } else if (entry.pausable) {
    entry.stretches = {entry.run()};
  }
  if (planned()) {
    book_->Reach(entry.end);
    book_->HoldPlace(entry, run.start);
  }
  Note(job);
}

void RollingPlan::Leaving(uint32_t job) {
  book_->entries[job].leaving = true;
  Note(job);
}

void RollingPlan::Ended(int64_t now, uint32_t job) {
  const Entry& entry = book_->entries[job];
  if (!entry.running || entry.record < 0) return;
  demand_.Amend(entry.record,
                entry.done + std::max(now - entry.start, int64_t{1}));
}

void RollingPlan::Forget(int64_t now, uint32_t job) {
  Entry& entry = book_->entries[job];
  if (planned()) book_->Drop(now, entry);
  entry = {};
  free_.push_back(job);
  Note(job);
}

void RollingPlan::Again(int64_t now, uint32_t job) {
  Entry& entry = book_->entries[job];
  if (planned()) {
    book_->Drop(now, entry);
    reached_beyond_ |= book_->ReachLastEnd(entry, now);
    entry.running = false;
    book_->Put(now, entry);
  }
  Note(job);
}

std::vector<RollingPlan::Offer> RollingPlan::Offers(
    int64_t now, const PlanJob& job, absl::Span<const uint16_t> pools) const {
  if (!planned()) return {};
  return book_->Offers(now, job, pools);
}

void RollingPlan::Replan(int64_t now) {
  int64_t work = std::numeric_limits<int64_t>::max();
  if (!replanning()) BeginReplan(now);
  AdvanceReplan(now, work);
}

void RollingPlan::BeginReplan(int64_t now) {
  auto fresh = std::make_unique<PlanBook>(options_.book, grams_);
  PlanInstance& work = fresh->work();
  work.pools = book_->work().pools;
  work.placements = book_->work().placements;
  const ReplanOptions options = {
      .rounds = planned() ? options_.ascent_rounds : options_.first_rounds,
      .improve_rounds = options_.improve_rounds,
      .tail = options_.tail,
      .crowding = crowding_};
  replanning_ = std::make_unique<Replanning>(*book_, std::move(fresh), demand_,
                                             loads_, options, now);
  last_replan_ = now;
  reached_beyond_ = false;
  made_ = false;
}

bool RollingPlan::AdvanceReplan(int64_t now, int64_t& work) {
  made_ = made_ || replanning_->Advance(work);
  if (!made_ || !CatchUp(now, work)) return false;
  // Sizes that changed meanwhile count from the next time on, by then.
  std::unique_ptr<PlanBook> made = replanning_->Finish();
  crowding_.Look(*made, now);
  for (size_t p = 0; p < made->work().pools.size(); ++p) {
    made->work().pools[p].capacity = book_->work().pools[p].capacity;
  }
  book_ = std::move(made);
  replanning_.reset();
  ++replans_;
  return true;
}

int64_t RollingPlan::PutCost(const PlanJob& job) const {
  return ccsched::PutCost(book_->work(), job);
}

void RollingPlan::Note(uint32_t job) {
  // What has not been copied yet will be as it is then.
  if (!replanning_ || !replanning_->HasSeen(job)) return;
  if (noted_.size() < book_->entries.size()) {
    noted_.resize(book_->entries.size());
  }
  if (noted_[job]) return;
  noted_[job] = true;
  changed_.push_back(job);
}

bool RollingPlan::CatchUp(int64_t now, int64_t& work) {
  // So few are brought over at once, however much work that is: so that it
  // comes to an end where changes never do.
  constexpr size_t kFew = 100;
  for (; brought_ < changed_.size(); ++brought_) {
    if (work <= 0 && changed_.size() - brought_ > kFew) return false;
    const uint32_t job = changed_[brought_];
    noted_[job] = false;
    work -= PutCost(book_->entries[job].job);
    Bring(now, job);
  }
  changed_.clear();
  brought_ = 0;
  return true;
}

void RollingPlan::Bring(int64_t now, uint32_t job) {
  PlanBook& fresh = replanning_->book();
  if (fresh.entries.size() <= job) fresh.entries.resize(job + 1);
  Entry& entry = fresh.entries[job];
  if (entry.used) fresh.Drop(now, entry);
  entry = book_->entries[job];
  if (!entry.used) return;
  fresh.ReachLastEnd(entry, now);
  if (entry.running || (entry.paused && !entry.stretches.empty())) {
    fresh.Reach(entry.end);
    for (const Stretch& s : entry.stretches) fresh.Reach(s.end);
    fresh.HoldPlace(entry, now);
  } else {
    entry.pool = -1;
    entry.stretches.clear();
    fresh.Put(now, entry);
  }
}

}  // namespace ccsched
