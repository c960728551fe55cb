// Planning anew all that waits, in parts, while the old plan stands.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/replanning.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ccsched {
namespace {

// What other work is, in looks at a start.
constexpr int64_t kCopyCost = 200;       // an entry copied, ordered and held
constexpr int64_t kRoomCost = 600;       // a search for room at one pool
constexpr int64_t kTakeCost = 300;       // taking a job out
constexpr int64_t kPausableFactor = 40;  // of a job that may be suspended
constexpr int64_t kImproveJobs = 20;     // taken out in a round of bettering

// Jobs that may be suspended choose so often, each time beside the others'
// latest choices; the last time what is left over soon is cheap. Where there
// are very many they choose once.
constexpr int kPausePasses = 4;
constexpr size_t kMostPasses = 5000;

}  // namespace

Replanning::Replanning(const PlanBook& old, std::unique_ptr<PlanBook> fresh,
                       const DemandHistory& demand,
                       std::vector<AccountLoad> loads,
                       const ReplanOptions& options, int64_t now)
    : old_(old),
      book_(std::move(fresh)),
      demand_(demand),
      loads_(std::move(loads)),
      options_(options),
      now_(now),
      entries_(old.entries.size()) {
  book_->entries.reserve(entries_);
}

bool Replanning::Advance(int64_t& work) {
  while (stage_ != Stage::kDone) {
    switch (stage_) {
      case Stage::kCopy:
        if (!Copy(work)) return false;
        BeginPricing();
        stage_ = Stage::kPrice;
        break;
      case Stage::kPrice:
        if (pricing_ && !pricing_->Advance(work)) return false;
        EndPricing();
        stage_ = Stage::kHold;
        break;
      case Stage::kHold:
        HoldAll();
        work -= kCopyCost * static_cast<int64_t>(all_.size());
        stage_ = Stage::kPauses;
        break;
      case Stage::kPauses:
        if (!PlacePausable(work)) return false;
        if (++pass_ < kPausePasses && pausable_ <= kMostPasses) break;
        jobs_before_ = book_->work().jobs.size();
        stage_ = Stage::kPlace;
        break;
      case Stage::kPlace:
        if (!PlaceAll(work)) return false;
        stage_ = TakesAnotherTurn() ? Stage::kTakeBack : Stage::kImprove;
        if (stage_ == Stage::kImprove) BeginImproving();
        break;
      case Stage::kTakeBack:
        if (!TakeBack(work)) return false;
        stage_ = Stage::kPlace;
        break;
      case Stage::kImprove:
        if (!ImproveAll(work)) return false;
        stage_ = Stage::kDone;
        break;
      case Stage::kDone:
        break;
    }
  }
  return true;
}

int64_t PutCost(const PlanInstance& instance, const PlanJob& job) {
  const int64_t window = (job.latest_end - job.release) / kSlotUs + 4;
  const auto pools =
      static_cast<int64_t>(instance.placements[job.pools].size());
  const size_t lengths = job.spread ? job.spread->shares.size() : 1;
  return pools * (2 * window * static_cast<int64_t>(lengths) + kRoomCost) *
         (job.suspendable ? kPausableFactor : 1);
}

bool Replanning::Copy(int64_t& work) {
  std::vector<PlanEntry>& entries = book_->entries;
  for (; copied_ < entries_; ++copied_) {
    if (work <= 0) return false;
    work -= kCopyCost;
    PlanEntry& entry = entries.emplace_back(old_.entries[copied_]);
    if (entry.used && entry.running && entry.new_end != 0) {
      entry.end = entry.new_end;
      if (entry.stretches.size() == 1) entry.stretches[0].end = entry.end;
      entry.new_end = 0;
    }
    SetPausable(entry);
  }
  return true;
}

void Replanning::SetPausable(PlanEntry& entry) const {
  const bool can =
      entry.may_pause && options_.crowding.MayPause(entry.job.pools, now_);
  if (!entry.used || entry.leaving || can == entry.pausable) return;
  entry.pausable = can;
  entry.stretches.clear();
  if (!entry.running) {
    entry.pool = -1;
  } else if (can) {
    SetWork(entry, std::llround((entry.end - now_) * entry.job.speed));
    entry.stretches = {entry.run()};
  } else {
    entry.end = now_ + entry.job.duration;
  }
}

void Replanning::HoldAll() {
  book_->ClearPlaces();
  // What runs, and stretches that are planned, keep their places at first.
  InOrderOfSize();
  for (const uint32_t i : all_) {
    PlanEntry& entry = book_->entries[i];
    pausable_ += entry.pausable ? 1 : 0;
    if (entry.pausable || entry.running) {
      book_->HoldPlace(entry, entry.pausable ? now_ : entry.start);
    } else {
      order_.push_back(i);
    }
  }
  next_ = 0;
}

bool Replanning::PlacePausable(int64_t& work) {
  for (; next_ < all_.size(); ++next_) {
    PlanEntry& entry = book_->entries[all_[next_]];
    if (!entry.pausable || entry.leaving) continue;
    if (work <= 0) return false;
    work -= PutCost(book_->work(), entry.job);
    book_->Drop(now_, entry);
    const bool last = pass_ + 1 == kPausePasses;
    book_->Put(now_, entry, last ? book_->soon() : book_->priced());
  }
  next_ = 0;
  return true;
}

bool Replanning::PlaceAll(int64_t& work) {
  for (; next_ < order_.size(); ++next_) {
    if (work <= 0) return false;
    PlanEntry& entry = book_->entries[order_[next_]];
    work -= PutCost(book_->work(), entry.job);
    // Priority is worth room below its price.
    book_->Put(now_, entry,
               entry.job.priority > least_priority_ ? book_->settled()
                                                    : book_->priced());
  }
  next_ = 0;
  return true;
}

// Whoever comes too late in one turn goes first in the next, the small ones
// before the big ones, so that few are late; but nobody waits for ever, so the
// most overdue comes before all. Where very many are late it is room that is
// lacking, and one turn more is enough.
bool Replanning::TakesAnotherTurn() {
  constexpr int kTurns = 4;
  constexpr ptrdiff_t kMany = 2000;
  if (++turn_ >= kTurns) return false;
  const auto late = [this](uint32_t i) {
    return book_->IsLate(book_->entries[i]);
  };
  const auto on_time =
      std::stable_partition(order_.begin(), order_.end(), late);
  if (on_time == order_.begin()) return false;
  if (on_time - order_.begin() > kMany) turn_ = kTurns;
  std::stable_sort(order_.begin(), on_time, [this](uint32_t a, uint32_t b) {
    return book_->entries[a].job.Work() < book_->entries[b].job.Work();
  });
  const auto overdue =
      std::find(order_.begin(), on_time, book_->MostOverdue(now_));
  if (overdue != on_time) std::rotate(order_.begin(), overdue, overdue + 1);
  return true;
}

bool Replanning::TakeBack(int64_t& work) {
  for (; next_ < order_.size(); ++next_) {
    if (work <= 0) return false;
    PlanEntry& entry = book_->entries[order_[next_]];
    work -= kTakeCost;
    if (entry.pool >= 0) book_->Take(entry);
  }
  next_ = 0;
  book_->ForgetSince(jobs_before_);
  return true;
}

// All that is to run in one go may be moved, whether it could pause or not.
void Replanning::BeginImproving() {
  if (options_.improve_rounds <= 0) return;
  for (const uint32_t i : all_) {
    PlanEntry& entry = book_->entries[i];
    const bool in_one = entry.pausable ? book_->PutInOne(now_, entry)
                                       : !entry.running && entry.pool >= 0;
    if (!in_one) continue;
    movable_.push_back(i);
    moved_.push_back(entry.work);
  }
  if (movable_.size() < 2) return;
  improver_.emplace(book_->work(), book_->settled(), book_->priced(), moved_,
                    ImproveOptions{.rounds = options_.improve_rounds,
                                   .seed = static_cast<uint64_t>(now_)},
                    book_->schedule());
}

bool Replanning::ImproveAll(int64_t& work) {
  if (!improver_) return true;
  for (; improved_ < options_.improve_rounds; ++improved_) {
    if (work <= 0) return false;
    const PlanInstance& instance = book_->work();
    const uint32_t some = moved_[improved_ % moved_.size()];
    work -= kImproveJobs * PutCost(instance, instance.jobs[some]);
    improver_->Round();
  }
  for (const uint32_t i : movable_) book_->TakePlace(book_->entries[i]);
  return true;
}

void Replanning::InOrderOfSize() {
  const std::vector<PlanEntry>& entries = book_->entries;
  struct Key {
    double size;
    uint64_t sequence;
    uint32_t index;
  };
  std::vector<Key> keys;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const PlanEntry& entry = entries[i];
    if (!entry.used) continue;
    least_priority_ = std::min(least_priority_, entry.job.priority);
    keys.push_back({entry.job.Work(), entry.sequence, i});
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return a.size != b.size ? a.size > b.size : a.sequence < b.sequence;
  });
  all_.reserve(keys.size());
  for (const Key& key : keys) all_.push_back(key.index);
  TakeTurns();
}

// Each job's turn is what its account will have had for its share before it:
// start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996).
void Replanning::TakeTurns() {
  const std::vector<PlanEntry>& entries = book_->entries;
  struct Turn {
    int32_t priority;
    double had;
    uint32_t index;
  };
  std::vector<Turn> turns;
  std::vector<AccountLoad> loads = loads_;
  bool alike = true;
  for (const uint32_t i : all_) {
    const PlanJob& job = entries[i].job;
    if (job.account >= loads.size()) loads.resize(job.account + 1);
    AccountLoad& account = loads[job.account];
    turns.push_back({job.priority, account.load, i});
    account.load += job.Work() / kSlotUs / account.share;
    const PlanJob& first = entries[all_.front()].job;
    alike &= job.priority == first.priority && job.account == first.account;
  }
  if (alike) return;
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) {
                     return a.priority != b.priority ? a.priority > b.priority
                                                     : a.had < b.had;
                   });
  for (size_t n = 0; n < all_.size(); ++n) all_[n] = turns[n].index;
}

}  // namespace ccsched
