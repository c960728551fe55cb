// Prices of capacity by Lagrangian relaxation, and the bound they certify.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/pricing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "policies/planner/rigid_response.h"

namespace ccsched {
namespace {

// The share of the last direction that is kept; tried from 0 to 0.95.
constexpr double kDeflection = 0.8;
// Polyak's step times this; a deflected direction is longer than its mean.
constexpr double kStep = 1.0;
// Rounds after which an unreached level is lowered.
constexpr int kTrials = 20;
// Looks at an elastic job whose worth is known from the round before: a few
// more than for others, as overheads make more kinks. Tried from 3 to 8.
constexpr int kElasticLooks = 6;

}  // namespace

Pricing::Pricing(const PlanInstance& instance)
    : instance_(instance),
      table_(instance),
      usage_(instance.pools.size(), instance.slots),
      worth_(instance.jobs.size(), 0.0),
      prices_(instance.pools.size() * instance.slots, 0.0),
      direction_(prices_.size(), 0.0),
      best_prices_(prices_) {}

void Pricing::Warm(std::vector<double> prices, std::vector<double> worths) {
  worths.resize(instance_.jobs.size(), 0.0);
  worth_ = std::move(worths);
  prices_ = std::move(prices);
  best_prices_ = prices_;
  evaluated_ = false;
}

void Pricing::Respond(size_t index, double& sum) {
  const PlanJob& job = instance_.jobs[index];
  const double count = job.count * static_cast<double>(job.weight);
  if (job.elastic()) return RespondElastic(index, sum);
  if (!job.suspendable) {
    const StartChoice best = BestStart(instance_, table_, job);
    sum += count * (best.cost - RunLength::Of(job).Wait(job.release));
    usage_.Add(best.pool, best.start, best.start + job.duration, count);
    return;
  }
  const auto& pools = instance_.placements[job.pools];
  if (ascent_.options.mixed) return RespondMixed(index, sum);
  const WorthLook best =
      search_.Best(table_, pools, job, Guess(index), Evaluations(index));
  worth_[index] = std::max(best.worth, kLeastWorth);
  sum += count * best.bound;
  search_.At(table_, pools, job, best.worth, nullptr, &stretches_);
  AddStretches(count);
}

void Pricing::RespondMixed(size_t index, double& sum) {
  const PlanJob& job = instance_.jobs[index];
  const double count = job.count * static_cast<double>(job.weight);
  const auto& pools = instance_.placements[job.pools];
  const StartChoice whole = BestStart(instance_, table_, job);
  // Mostly one look tells that no pause pays.
  bool pauses = paused_.At(table_, pools, job, Guess(index)).bound < whole.cost;
  WorthTop top;
  if (pauses) {
    top = paused_.Top(table_, pools, job, Guess(index), Evaluations(index));
    worth_[index] = std::max(top.best.worth, kLeastWorth);
    pauses = top.best.bound < whole.cost;
  }
  if (!pauses) {
    sum += count * whole.cost;
    usage_.Add(whole.pool, whole.start, whole.start + job.duration, count);
    return;
  }
  sum += count * top.best.bound;
  paused_.At(table_, pools, job, top.less.worth, &stretches_);
  AddStretches(count * (1 - top.share_of_more));
  if (!top.more) return;
  paused_.At(table_, pools, job, top.more->worth, &stretches_);
  AddStretches(count * top.share_of_more);
}

void Pricing::AddStretches(double count) {
  for (const Stretch& s : stretches_) {
    usage_.Add(s.pool, s.start, s.end, count);
  }
}

void Pricing::RespondElastic(size_t index, double& sum) {
  const PlanJob& job = instance_.jobs[index];
  const double weight = job.weight;
  const auto& pools = instance_.placements[job.pools];
  const WorthTop top = elastic_search_.Best(table_, pools, job, Guess(index),
                                            Evaluations(index));
  worth_[index] = std::max(top.best.worth, kLeastWorth);
  sum += weight * top.best.bound;
  const auto add = [&](const std::vector<WideStretch>& plan, double share) {
    for (const WideStretch& s : plan) {
      usage_.Add(s.pool, s.start, s.end, weight * share * s.count);
    }
  };
  add(elastic_search_.less(), 1 - top.share_of_more);
  if (top.more) add(elastic_search_.more(), top.share_of_more);
}

double Pricing::Guess(size_t index) const {
  if (worth_[index] > 0) return worth_[index];
  const PlanJob& job = instance_.jobs[index];
  const uint16_t pool = instance_.placements[job.pools].front();
  const double slot = 1.2 * table_.rate(pool)[job.release / kSlotUs];
  return std::max(job.elastic() ? slot * job.count : slot, kLeastWorth);
}

int Pricing::Evaluations(size_t index) const {
  if (worth_[index] <= 0) return 12;
  return instance_.jobs[index].elastic() ? kElasticLooks : 4;
}

void Pricing::SetTable(const std::vector<double>& prices, double& sum) {
  const int32_t slots = instance_.slots;
  for (size_t p = 0; p < instance_.pools.size(); ++p) {
    const PlanPool& pool = instance_.pools[p];
    if (!pool.limited) continue;
    table_.SetPrices(instance_, static_cast<int>(p), &prices[p * slots]);
    for (int32_t k = 0; k < instance_.priced_slots; ++k) {
      sum -= prices[p * slots + k] * pool.room[k];
    }
  }
  usage_.Clear();
}

double Pricing::Evaluate(const std::vector<double>& prices) {
  double sum = 0;
  SetTable(prices, sum);
  for (size_t j = 0; j < instance_.jobs.size(); ++j) Respond(j, sum);
  return sum;
}

int64_t Pricing::Looks(const PlanJob& job) const {
  const int64_t window = (job.latest_end - job.release) / kSlotUs + 4;
  const int64_t pools =
      static_cast<int64_t>(instance_.placements[job.pools].size());
  const int64_t widths =
      job.elastic() ? static_cast<int64_t>(job.corners->corners.size()) : 1;
  return pools * window * widths * (job.suspendable || job.elastic() ? 20 : 2);
}

void Pricing::Step(double bound, double target) {
  const int32_t slots = instance_.slots;
  ++rounds_;
  if (!evaluated_ || bound > best_bound_) {
    evaluated_ = true;
    best_bound_ = bound;
    best_prices_ = prices_;
  }
  const std::vector<double>& usage = usage_.Sum();
  double square = 0;
  for (size_t p = 0; p < instance_.pools.size(); ++p) {
    const PlanPool& pool = instance_.pools[p];
    if (!pool.limited) continue;
    for (int32_t k = 0; k < instance_.priced_slots; ++k) {
      const size_t i = p * slots + k;
      double slope = usage[i] - pool.room[k];
      // A price can't fall below zero.
      if (slope < 0 && prices_[i] <= 0) slope = 0;
      direction_[i] = slope + kDeflection * direction_[i];
      square += direction_[i] * direction_[i];
    }
  }
  if (square <= 0) return;
  const double step = kStep * std::max(0.0, target - bound) / square;
  for (size_t i = 0; i < prices_.size(); ++i) {
    prices_[i] = std::max(0.0, prices_[i] + step * direction_[i]);
  }
}

void Pricing::Ascend(const AscentOptions& options) {
  Begin(options);
  int64_t work = std::numeric_limits<int64_t>::max();
  Advance(work);
}

void Pricing::Begin(const AscentOptions& options) {
  ascent_ = {};
  ascent_.options = options;
  ascent_.hope = options.hope;
}

bool Pricing::Advance(int64_t& work) {
  Ascent& a = ascent_;
  while (a.round < a.options.rounds) {
    if (a.next == 0) {
      a.sum = 0;
      SetTable(prices_, a.sum);
    }
    for (; a.next < instance_.jobs.size(); ++a.next) {
      if (work <= 0) return false;
      work -= Looks(instance_.jobs[a.next]);
      Respond(a.next, a.sum);
    }
    a.next = 0;
    ++a.round;
    const bool fresh = !evaluated_;
    a.magnitude = std::max(std::abs(best_bound_), 1e-9);
    Step(a.sum, best_bound_ + a.hope * a.magnitude);
    if (!GoOn(fresh)) return true;
  }
  return true;
}

bool Pricing::GoOn(bool fresh) {
  Ascent& a = ascent_;
  if (fresh) {
    a.level = a.reference = best_bound_;
    return true;
  }
  ++a.since_level;
  if (best_bound_ - a.level > 0.5 * a.hope * a.magnitude) {
    // Risen by a fair part of what was hoped for: hope for more.
    if (a.since_level < kTrials) a.hope = std::min(1.5 * a.hope, 1.0);
    a.level = best_bound_;
    a.since_level = 0;
  } else if (a.since_level >= kTrials) {
    a.hope *= 0.6;
    a.level = best_bound_;
    a.since_level = 0;
    prices_ = best_prices_;
    std::fill(direction_.begin(), direction_.end(), 0.0);
  }
  if (a.hope < a.options.least_hope) return false;
  if (a.options.patience > 0 && ++a.since_reference >= a.options.patience) {
    if (best_bound_ - a.reference <= a.options.tolerance * a.magnitude) {
      return false;
    }
    a.reference = best_bound_;
    a.since_reference = 0;
  }
  return true;
}

}  // namespace ccsched
