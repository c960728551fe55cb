// Betters a plan thoroughly, when all is known in advance and time allows.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/iterated_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace ccsched {
namespace {

// Those of forcing and mending were tried on a month of Philly's jobs at six
// sites: half or twice of one makes no more difference than another seed does
// (.04 % of the plan), but twice or half kMostMended, which is a little worse.
constexpr int64_t kRefresh = 2000;  // rounds between two looks at all regrets
constexpr int kLeastNeighbours = 3;
constexpr int kMostNeighbours = 12;
constexpr double kElsewhere = 0.3;  // of those forced: to a random start
constexpr double kSkip = 0.3;       // chance of being a victim only at last
constexpr size_t kMostEjected = 300;
constexpr uint64_t kMostFillers = 10;
constexpr int64_t kFillBefore = 24 * kSlotUs;
constexpr int64_t kFillAfter = 72 * kSlotUs;
// What forcing a job in may cost before it is mended, in costs of a mean job.
constexpr double kAllowed = 4;
constexpr int kMendRounds = 60;
constexpr uint64_t kMostMended = 10;
constexpr int64_t kMendBefore = 26 * kSlotUs;
constexpr int64_t kMendAfter = 2 * kSlotUs;

}  // namespace

IteratedSearch::IteratedSearch(const PlanInstance& instance,
                               const PriceTable& goal, const PriceTable& guide,
                               const std::vector<uint32_t>& movable,
                               uint64_t seed, Schedule& schedule)
    : instance_(instance),
      guide_(guide),
      movable_(movable),
      schedule_(schedule),
      out_(instance, goal, guide, movable, seed, schedule),
      runs_(instance.pools.size(), instance.slots),
      ideal_(instance.jobs.size()),
      best_at_(instance.jobs.size() * instance.pools.size(),
               std::numeric_limits<double>::infinity()) {
  double sum = 0;
  for (const uint32_t index : movable) {
    const PlanJob& job = instance.jobs[index];
    const Place& place = schedule.place(index);
    sum += out_.Cost(goal, index, place);
    runs_.Add(index, place.pool, place.start, place.start + job.duration);
    for (const uint16_t pool : instance.placements[job.pools]) {
      StartChoice best;
      BestStart(guide, pool, job.release, job.latest_start(),
                RunLength::Of(job), best);
      best_at_[index * instance.pools.size() + pool] = best.cost;
      if (best.cost < ideal_[index].cost) ideal_[index] = best;
    }
  }
  mean_ = sum / static_cast<double>(std::max<size_t>(1, movable.size()));
}

double IteratedSearch::Regret(uint32_t job) const {
  return out_.Cost(guide_, job, schedule_.place(job)) -
         instance_.jobs[job].count * ideal_[job].cost;
}

double IteratedSearch::Attachment(uint32_t job) const {
  const PlanJob& j = instance_.jobs[job];
  const Place& place = schedule_.place(job);
  double other = std::numeric_limits<double>::infinity();
  for (const uint16_t pool : instance_.placements[j.pools]) {
    if (pool == place.pool) continue;
    other = std::min(other, best_at_[job * instance_.pools.size() + pool]);
  }
  return j.count * other - out_.Cost(guide_, job, place);
}

void IteratedSearch::WeighRegrets() {
  // So much that all may be drawn where nobody regrets anything.
  const double least = 1e-6 * std::abs(mean_) + 1e-12;
  regrets_.assign(1, 0);
  regrets_.reserve(movable_.size() + 1);
  for (const uint32_t job : movable_) {
    regrets_.push_back(regrets_.back() + std::max(0.0, Regret(job)) + least);
  }
}

void IteratedSearch::Note(uint32_t job, const Place& before) {
  const int64_t duration = instance_.jobs[job].duration;
  const Place& now = schedule_.place(job);
  runs_.Remove(job, before.pool, before.start, before.start + duration);
  runs_.Add(job, now.pool, now.start, now.start + duration);
}

double IteratedSearch::Round() {
  if (movable_.size() < 2) return 0;
  if (rounds_++ % kRefresh == 0) WeighRegrets();
  const double before = cost_;
  journal_.clear();
  out_.Begin();
  if (random().Below(2) == 0) {
    out_.TakeNeighbours(kLeastNeighbours, kMostNeighbours);
    PutElsewhere();
  } else {
    Force();
  }
  return before - cost_;
}

void IteratedSearch::TakeNear(int64_t moment) {
  out_.Begin();
  const Range range = out_.Released(moment - kMendBefore, moment + kMendAfter);
  if (range.first == range.last) return;
  const uint64_t count = 2 + random().Below(kMostMended);
  for (uint64_t i = 0; i < count; ++i) {
    out_.Take(
        out_.Draw(random().Below(3) == 0 ? regrets_ : out_.sizes(), range));
  }
}

bool IteratedSearch::PutElsewhere(const Place* forced, double allowed) {
  const std::optional<double> gained = out_.PutElsewhere(forced, allowed);
  if (!gained) return false;
  cost_ -= *gained;
  for (const Taken& t : out_.taken()) {
    Note(t.job, t.place);
    journal_.push_back(t);
  }
  return true;
}

void IteratedSearch::Force() {
  const uint32_t index = out_.Draw(regrets_, {0, movable_.size()});
  const PlanJob& job = instance_.jobs[index];
  Place to = {static_cast<int16_t>(ideal_[index].pool), ideal_[index].start};
  if (random().Uniform() < kElsewhere) {
    to.start = job.release +
               static_cast<int64_t>(
                   random().Uniform() *
                   static_cast<double>(job.latest_start() - job.release));
  }
  const Place& here = schedule_.place(index);
  if (here.pool == to.pool && here.start == to.start) return;
  out_.Take(index);
  if (!Eject(job, to)) {
    out_.PutBack();
    return;
  }
  TakeFillers(job, to);
  NoteCentres(job, to);
  const double before = cost_;
  if (PutElsewhere(&to, kAllowed * std::abs(mean_))) Mend(before);
}

bool IteratedSearch::Eject(const PlanJob& job, const Place& to) {
  if (!instance_.pools[to.pool].limited) return true;
  // Small ones first, mostly: they find room elsewhere.
  constexpr double kShares[] = {0.1, 0.3, 1, 1e9};
  const bool by_attachment = random().Below(2) == 0;
  const double most_work = kShares[random().Below(4)] * job.Work();
  const int32_t level = LevelBeside(instance_.pools[to.pool], job.count);
  const int64_t end = to.start + job.duration;
  const Timeline& timeline = schedule_.timeline(to.pool);
  for (int64_t t = to.start;;) {
    t = timeline.FirstAbove(t, end, level);
    if (t >= end) return true;
    if (out_.taken().size() > kMostEjected) return false;
    const uint32_t victim = Victim(job, to, t, most_work, by_attachment);
    if (victim == kNobody) return false;
    out_.Take(victim);
  }
}

uint32_t IteratedSearch::Victim(const PlanJob& job, const Place& to,
                                int64_t moment, double most_work,
                                bool by_attachment) {
  struct Best {
    uint32_t job = kNobody;
    double score = std::numeric_limits<double>::infinity();
  };
  Best small;
  Best big;
  Best skipped;
  const int64_t end = to.start + job.duration;
  for (const uint32_t other : runs_.During(to.pool, moment)) {
    const PlanJob& o = instance_.jobs[other];
    const Place& place = schedule_.place(other);
    const int64_t until = place.start + o.duration;
    // It may be taken out already.
    if (place.pool < 0 || place.start > moment || until <= moment) continue;
    // Of what it frees, so much is of use.
    const double useful = static_cast<double>(std::min(end, until) - moment) *
                          std::min(o.count, job.count);
    const double score =
        (by_attachment ? Attachment(other) : o.Work()) / useful;
    Best& best = random().Uniform() < kSkip ? skipped
                 : o.Work() <= most_work    ? small
                                            : big;
    if (score < best.score) best = {other, score};
  }
  if (small.job != kNobody) return small.job;
  return big.job != kNobody ? big.job : skipped.job;
}

// Others from near by, for the gaps that will be left.
void IteratedSearch::TakeFillers(const PlanJob& job, const Place& to) {
  const int64_t end = to.start + std::min(job.duration, kFillAfter);
  const Range range = out_.Released(to.start - kFillBefore, end);
  if (range.first == range.last) return;
  for (uint64_t more = random().Below(kMostFillers + 1); more > 0; --more) {
    out_.Take(
        out_.Draw(random().Below(2) == 0 ? regrets_ : out_.sizes(), range));
  }
}

void IteratedSearch::NoteCentres(const PlanJob& job, const Place& to) {
  centres_.assign({to.start, to.start + job.duration});
  for (const Taken& t : out_.taken()) {
    centres_.push_back(t.place.start);
    centres_.push_back(t.place.start + instance_.jobs[t.job].duration);
  }
}

void IteratedSearch::Mend(double before) {
  const double enough = before - 1e-6 * std::abs(mean_);
  const double cost = cost_ - before;  // of having forced the job in
  for (int i = 0; i < kMendRounds && cost_ >= enough; ++i) {
    // Given up where mending lags behind.
    const double left = 1.5 * (1 - static_cast<double>(i) / kMendRounds);
    if (cost_ - before > cost * left + 0.004 * std::abs(mean_)) break;
    TakeNear(centres_[random().Below(centres_.size())]);
    PutElsewhere();
  }
  if (cost_ >= enough) Undo(before);
}

void IteratedSearch::Undo(double before) {
  for (size_t i = journal_.size(); i-- > 0;) {
    const Taken& t = journal_[i];
    const Place now = schedule_.place(t.job);
    schedule_.Take(t.job);
    schedule_.Put(t.job, t.place.pool, t.place.start);
    Note(t.job, now);
  }
  journal_.clear();
  cost_ = before;
}

}  // namespace ccsched
