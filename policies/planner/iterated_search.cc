// Betters a plan thoroughly, when all is known in advance and time allows.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/iterated_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ccsched {
namespace {

constexpr double kLeastGain = 1e-9;  // a share; less is rounding

// Those of forcing and mending were tried on a month of Philly's jobs at six
// sites: half or twice of one makes no more difference than another seed does
// (.04 % of the plan), but twice or half kMostMended, which is a little worse.
constexpr int64_t kRefresh = 2000;  // rounds between two looks at all regrets
constexpr int kLeastNeighbours = 3;
constexpr int kMostNeighbours = 30;
constexpr double kReach = 30;  // slots around one that its neighbours come from
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
      goal_(goal),
      guide_(guide),
      movable_(movable),
      schedule_(schedule),
      random_(seed),
      runs_(instance.pools.size(), instance.slots),
      ideal_(instance.jobs.size()),
      best_at_(instance.jobs.size() * instance.pools.size(),
               std::numeric_limits<double>::infinity()) {
  sizes_.reserve(movable.size() + 1);
  sizes_.push_back(0);
  double sum = 0;
  for (const uint32_t index : movable) {
    const PlanJob& job = instance.jobs[index];
    const Place& place = schedule.place(index);
    // Big jobs matter most: they are drawn in proportion to the root of size.
    sizes_.push_back(sizes_.back() + std::sqrt(Size(index)));
    sum += Cost(goal, index, place);
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

double IteratedSearch::Size(uint32_t job) const {
  return std::max(1.0, instance_.jobs[job].Work() / kSlotUs);
}

double IteratedSearch::Cost(const PriceTable& prices, uint32_t job,
                            const Place& place) const {
  const PlanJob& j = instance_.jobs[job];
  return j.count * RunCost(prices, place.pool, place.start, RunLength::Of(j));
}

double IteratedSearch::Regret(uint32_t job) const {
  return Cost(guide_, job, schedule_.place(job)) -
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
  return j.count * other - Cost(guide_, job, place);
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

IteratedSearch::Range IteratedSearch::Released(int64_t from, int64_t to) const {
  const auto before = [&](uint32_t job, int64_t t) {
    return instance_.jobs[job].release < t;
  };
  const auto first =
      std::lower_bound(movable_.begin(), movable_.end(), from, before);
  const auto last = std::lower_bound(first, movable_.end(), to + 1, before);
  return {static_cast<size_t>(first - movable_.begin()),
          static_cast<size_t>(last - movable_.begin())};
}

uint32_t IteratedSearch::Draw(const Weights& sums, Range range) {
  const auto begin = sums.begin() + static_cast<ptrdiff_t>(range.first);
  const auto end = sums.begin() + static_cast<ptrdiff_t>(range.last);
  const double x = *begin + random_.Uniform() * (*end - *begin);
  return movable_[std::upper_bound(begin, end, x) - sums.begin() - 1];
}

void IteratedSearch::TakeOut(uint32_t job) {
  const Place place = schedule_.place(job);
  if (place.pool < 0) return;  // drawn before
  taken_.push_back({job, place, 0});
  schedule_.Take(job);
}

void IteratedSearch::PutBack() {
  for (const Taken& t : taken_) {
    if (schedule_.place(t.job).pool >= 0) schedule_.Take(t.job);
  }
  for (const Taken& t : taken_) {
    schedule_.Put(t.job, t.place.pool, t.place.start);
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
  taken_.clear();
  if (random_.Below(2) == 0) {
    TakeNeighbours();
    PutAll(nullptr, 0);
  } else {
    Force();
  }
  return before - cost_;
}

void IteratedSearch::TakeNeighbours() {
  const uint32_t first = Draw(sizes_, {0, movable_.size()});
  const int64_t centre = instance_.jobs[first].release;
  const int64_t reach = static_cast<int64_t>(
      (2 + kReach * random_.Uniform() * random_.Uniform()) * kSlotUs);
  const Range range = Released(centre - reach, centre + reach);
  const uint64_t more = kLeastNeighbours - 1 +
                        random_.Below(kMostNeighbours - kLeastNeighbours + 1);
  TakeOut(first);
  for (uint64_t i = 0; i < more; ++i) TakeOut(Draw(sizes_, range));
}

void IteratedSearch::TakeNear(int64_t moment) {
  taken_.clear();
  const Range range = Released(moment - kMendBefore, moment + kMendAfter);
  if (range.first == range.last) return;
  const uint64_t count = 2 + random_.Below(kMostMended);
  for (uint64_t i = 0; i < count; ++i) {
    TakeOut(Draw(random_.Below(3) == 0 ? regrets_ : sizes_, range));
  }
}

bool IteratedSearch::PutAll(const Place* forced, double allowed) {
  double before = 0;
  for (Taken& t : taken_) {
    before += Cost(goal_, t.job, t.place);
    t.turn = -std::log(Size(t.job)) + 1.5 * random_.Normal();
  }
  std::stable_sort(
      taken_.begin() + (forced != nullptr ? 1 : 0), taken_.end(),
      [](const Taken& a, const Taken& b) { return a.turn < b.turn; });
  const PriceTable& by = random_.Below(2) == 0 ? goal_ : guide_;
  const double enough = before + allowed - kLeastGain * std::abs(before);
  double after = 0;
  bool fit = true;
  for (size_t i = 0; i < taken_.size() && fit; ++i) {
    const uint32_t job = taken_[i].job;
    if (i == 0 && forced != nullptr) {
      schedule_.Put(job, forced->pool, forced->start);
    } else {
      const StartChoice best = schedule_.Cheapest(by, instance_.jobs[job]);
      fit = best.pool >= 0;
      if (fit) schedule_.Put(job, best.pool, best.start);
    }
    if (fit) after += Cost(goal_, job, schedule_.place(job));
    fit = fit && after < enough;
  }
  if (!fit || taken_.empty()) {
    PutBack();
    return false;
  }
  cost_ += after - before;
  for (const Taken& t : taken_) {
    Note(t.job, t.place);
    journal_.push_back(t);
  }
  return true;
}

void IteratedSearch::Force() {
  const uint32_t index = Draw(regrets_, {0, movable_.size()});
  const PlanJob& job = instance_.jobs[index];
  Place to = {static_cast<int16_t>(ideal_[index].pool), ideal_[index].start};
  if (random_.Uniform() < kElsewhere) {
    to.start = job.release +
               static_cast<int64_t>(
                   random_.Uniform() *
                   static_cast<double>(job.latest_start() - job.release));
  }
  const Place& here = schedule_.place(index);
  if (here.pool == to.pool && here.start == to.start) return;
  TakeOut(index);
  if (!Eject(job, to)) {
    PutBack();
    return;
  }
  TakeFillers(job, to);
  NoteCentres(job, to);
  const double before = cost_;
  if (PutAll(&to, kAllowed * std::abs(mean_))) Mend(before);
}

bool IteratedSearch::Eject(const PlanJob& job, const Place& to) {
  if (!instance_.pools[to.pool].limited) return true;
  // Small ones first, mostly: they find room elsewhere.
  constexpr double kShares[] = {0.1, 0.3, 1, 1e9};
  const bool by_attachment = random_.Below(2) == 0;
  const double most_work = kShares[random_.Below(4)] * job.Work();
  const int32_t level = LevelBeside(instance_.pools[to.pool], job.count);
  const int64_t end = to.start + job.duration;
  const Timeline& timeline = schedule_.timeline(to.pool);
  for (int64_t t = to.start;;) {
    t = timeline.FirstAbove(t, end, level);
    if (t >= end) return true;
    if (taken_.size() > kMostEjected) return false;
    const uint32_t victim = Victim(job, to, t, most_work, by_attachment);
    if (victim == kNobody) return false;
    TakeOut(victim);
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
    Best& best = random_.Uniform() < kSkip ? skipped
                 : o.Work() <= most_work   ? small
                                           : big;
    if (score < best.score) best = {other, score};
  }
  if (small.job != kNobody) return small.job;
  return big.job != kNobody ? big.job : skipped.job;
}

// Others from near by, for the gaps that will be left.
void IteratedSearch::TakeFillers(const PlanJob& job, const Place& to) {
  const int64_t end = to.start + std::min(job.duration, kFillAfter);
  const Range range = Released(to.start - kFillBefore, end);
  if (range.first == range.last) return;
  for (uint64_t more = random_.Below(kMostFillers + 1); more > 0; --more) {
    TakeOut(Draw(random_.Below(2) == 0 ? regrets_ : sizes_, range));
  }
}

void IteratedSearch::NoteCentres(const PlanJob& job, const Place& to) {
  centres_.assign({to.start, to.start + job.duration});
  for (const Taken& t : taken_) {
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
    TakeNear(centres_[random_.Below(centres_.size())]);
    PutAll(nullptr, 0);
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
