// Betters a plan by taking out a few jobs at a time and putting them back.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/improve.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/planner/rigid_response.h"

namespace ccsched {
namespace {

constexpr double kLeastGain = 1e-9;  // a share; less is rounding

}  // namespace

Improver::Improver(const PlanInstance& instance, const PriceTable& goal,
                   const PriceTable& guide,
                   const std::vector<uint32_t>& movable,
                   const ImproveOptions& options, Schedule& schedule)
    : instance_(instance),
      goal_(goal),
      guide_(guide),
      movable_(movable),
      options_(options),
      schedule_(schedule),
      random_(options.seed) {
  // Big jobs matter most: they are drawn in proportion to the root of size.
  sum_.reserve(movable.size() + 1);
  double sum = 0;
  sum_.push_back(0);
  for (const uint32_t job : movable) {
    sum += std::sqrt(Size(job));
    sum_.push_back(sum);
  }
}

double Improver::Size(uint32_t job) const {
  const PlanJob& j = instance_.jobs[job];
  return std::max(1.0, j.Work() / kSlotUs);
}

double Improver::Cost(uint32_t job, const Schedule::Place& place) const {
  const PlanJob& j = instance_.jobs[job];
  return j.count * RunCost(goal_, place.pool, place.start, RunLength::Of(j));
}

uint32_t Improver::Draw(size_t first, size_t last) {
  const double x = sum_[first] + random_.Uniform() * (sum_[last] - sum_[first]);
  const auto found =
      std::upper_bound(sum_.begin() + first, sum_.begin() + last, x);
  return static_cast<uint32_t>(found - sum_.begin() - 1);
}

void Improver::Ruin() {
  taken_.clear();
  const size_t n = movable_.size();
  const uint32_t seed = Draw(0, n);
  const int64_t centre = instance_.jobs[movable_[seed]].release;
  const int64_t reach = static_cast<int64_t>(
      (2 + 30 * random_.Uniform() * random_.Uniform()) * kSlotUs);
  const auto release = [&](uint32_t job, int64_t t) {
    return instance_.jobs[job].release < t;
  };
  const size_t first = std::lower_bound(movable_.begin(), movable_.end(),
                                        centre - reach, release) -
                       movable_.begin();
  const size_t last = std::lower_bound(movable_.begin(), movable_.end(),
                                       centre + reach + 1, release) -
                      movable_.begin();
  const int count =
      options_.least +
      static_cast<int>(random_.Below(options_.most - options_.least + 1));
  for (int i = 0; i < count; ++i) {
    const uint32_t job = movable_[i == 0 ? seed : Draw(first, last)];
    const Schedule::Place place = schedule_.place(job);
    if (place.pool < 0) continue;  // drawn before
    taken_.push_back({job, place, 0});
    schedule_.Take(job);
  }
}

double Improver::Round() {
  Ruin();
  double before = 0;
  for (Taken& t : taken_) {
    before += Cost(t.job, t.place);
    t.turn = -std::log(Size(t.job)) + 1.5 * random_.Normal();
  }
  std::stable_sort(
      taken_.begin(), taken_.end(),
      [](const Taken& a, const Taken& b) { return a.turn < b.turn; });
  const PriceTable& by = random_.Below(2) == 0 ? goal_ : guide_;
  // Jobs that cost the same in each other's places are not exchanged.
  const double enough = before - kLeastGain * std::abs(before);
  double after = 0;
  size_t put = 0;
  for (; put < taken_.size(); ++put) {
    const uint32_t job = taken_[put].job;
    const StartChoice best = schedule_.Cheapest(by, instance_.jobs[job]);
    if (best.pool < 0) break;
    schedule_.Put(job, best.pool, best.start);
    after += Cost(job, schedule_.place(job));
    if (after >= enough) {
      ++put;
      break;
    }
  }
  if (put == taken_.size() && after < enough) return before - after;
  for (size_t i = 0; i < put; ++i) schedule_.Take(taken_[i].job);
  for (const Taken& t : taken_) {
    schedule_.Put(t.job, t.place.pool, t.place.start);
  }
  return 0;
}

double Improve(const PlanInstance& instance, const PriceTable& goal,
               const PriceTable& guide, const std::vector<uint32_t>& movable,
               const ImproveOptions& options, Schedule& schedule) {
  if (movable.size() < 2) return 0;
  Improver improver(instance, goal, guide, movable, options, schedule);
  double gained = 0;
  for (int64_t round = 0; round < options.rounds; ++round) {
    gained += improver.Round();
  }
  return gained;
}

}  // namespace ccsched
