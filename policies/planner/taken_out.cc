// Takes jobs of a plan out and puts them back elsewhere.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/taken_out.h"

#include <algorithm>
#include <cmath>

#include "policies/planner/rigid_response.h"

namespace ccsched {
namespace {

constexpr double kLeastGain = 1e-9;  // a share; less is rounding
constexpr double kReach = 30;  // slots around one that its neighbours come from

}  // namespace

TakenOut::TakenOut(const PlanInstance& instance, const PriceTable& goal,
                   const PriceTable& guide,
                   const std::vector<uint32_t>& movable, uint64_t seed,
                   Schedule& schedule)
    : instance_(instance),
      goal_(goal),
      guide_(guide),
      movable_(movable),
      schedule_(schedule),
      random_(seed) {
  sizes_.reserve(movable.size() + 1);
  sizes_.push_back(0);
  for (const uint32_t job : movable) {
    sizes_.push_back(sizes_.back() + std::sqrt(Size(job)));
  }
}

double TakenOut::Size(uint32_t job) const {
  return std::max(1.0, instance_.jobs[job].Work() / kSlotUs);
}

double TakenOut::Cost(const PriceTable& prices, uint32_t job,
                      const Place& place) const {
  const PlanJob& j = instance_.jobs[job];
  return j.count * RunCost(prices, place.pool, place.start, RunLength::Of(j));
}

TakenOut::Range TakenOut::Released(int64_t from, int64_t to) const {
  const auto before = [&](uint32_t job, int64_t t) {
    return instance_.jobs[job].release < t;
  };
  const auto first =
      std::lower_bound(movable_.begin(), movable_.end(), from, before);
  const auto last = std::lower_bound(first, movable_.end(), to + 1, before);
  return {static_cast<size_t>(first - movable_.begin()),
          static_cast<size_t>(last - movable_.begin())};
}

uint32_t TakenOut::Draw(const Weights& sums, Range range) {
  const auto begin = sums.begin() + static_cast<ptrdiff_t>(range.first);
  const auto end = sums.begin() + static_cast<ptrdiff_t>(range.last);
  const double x = *begin + random_.Uniform() * (*end - *begin);
  return movable_[std::upper_bound(begin, end, x) - sums.begin() - 1];
}

void TakenOut::Take(uint32_t job) {
  const Place place = schedule_.place(job);
  if (place.pool < 0) return;  // drawn before
  taken_.push_back({job, place, 0});
  schedule_.Take(job);
}

void TakenOut::TakeNeighbours(int least, int most) {
  const uint32_t first = Draw(sizes_, {0, movable_.size()});
  const int64_t centre = instance_.jobs[first].release;
  const int64_t reach = static_cast<int64_t>(
      (2 + kReach * random_.Uniform() * random_.Uniform()) * kSlotUs);
  const Range range = Released(centre - reach, centre + reach);
  const uint64_t more = least - 1 + random_.Below(most - least + 1);
  Take(first);
  for (uint64_t i = 0; i < more; ++i) Take(Draw(sizes_, range));
}

void TakenOut::PutBack() {
  for (const Taken& t : taken_) {
    if (schedule_.place(t.job).pool >= 0) schedule_.Take(t.job);
  }
  for (const Taken& t : taken_) {
    schedule_.Put(t.job, t.place.pool, t.place.start);
  }
}

std::optional<double> TakenOut::PutElsewhere(const Place* forced,
                                             double allowed) {
  double before = 0;
  for (Taken& t : taken_) {
    before += Cost(goal_, t.job, t.place);
    t.turn = -std::log(Size(t.job)) + 1.5 * random_.Normal();
  }
  std::stable_sort(
      taken_.begin() + (forced != nullptr ? 1 : 0), taken_.end(),
      [](const Taken& a, const Taken& b) { return a.turn < b.turn; });
  const PriceTable& by = random_.Below(2) == 0 ? goal_ : guide_;
  // Jobs that cost the same in each other's places are not exchanged.
  const double enough = before + allowed - kLeastGain * std::abs(before);
  double after = 0;
  bool fit = !taken_.empty();
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
  if (fit) return before - after;
  PutBack();
  return std::nullopt;
}

}  // namespace ccsched
