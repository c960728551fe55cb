// Runtimes as learnt from the jobs that have ended.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/survival.h"

#include <algorithm>
#include <cmath>

namespace ccsched {
namespace {

// Jobs remembered of each kind; the older ones are forgotten.
constexpr size_t kMostMembers = 400;
// The next wider kind counts as much as so many jobs of the kind itself.
constexpr double kBackOff = 2;
// So much weight of own kinds, or an estimate, is more than a mere default.
constexpr double kInformed = 2;
// Beyond the longest seen, the curve falls at these multiples of it: the thirds
// of a Pareto tail of kPriorPower.
constexpr double kTail[] = {1.12, 1.54, 3.06};
constexpr double kFreshSeconds = 60;
constexpr size_t kMostFresh = 1000;  // curves kept, of some KiB each
// Of the prior: a log-logistic curve, whose tail falls as this power of the
// length, by so many points. A power of 1.6 has its P90 at four times its
// median. Source: so do the two classes of Alibaba PAI's jobs in GAIA's trace
// (3.1 and 3.7 times).
constexpr double kPriorPower = 1.6;
// The same around a user's estimate: its P90 is 1.7 times the estimate.
constexpr double kEstimatePower = 4;
constexpr int kPriorPoints = 10;
// Its median where nothing was said: a share of the delay allowed (who may wait
// a day has longer jobs than who may wait an hour), within these.
constexpr double kShareOfDelay = 1.0 / 6;
constexpr double kLeastPriorSeconds = 600;
constexpr double kMostPriorSeconds = 4 * 3600;
constexpr double kUnknownSeconds = 3600;
// Spread() gives so many groups of equal share, each smeared into three.
constexpr int kGroups = 12;
constexpr double kMostSmear = 0.3;  // of the logarithm
constexpr double kGap = 2;          // between lengths of different groups

uint64_t Mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 29);
}

// What lengths are counted in: a user's own estimate, where there is one, so
// that it is learnt how estimates turn out; else the second.
double UnitOf(const Job& job) {
  if (!job.spec.runtime.has_value()) return 1;
  return std::max(1.0, absl::ToDoubleSeconds(*job.spec.runtime));
}

double PriorMedian(const Job& job) {
  if (job.spec.runtime.has_value()) return UnitOf(job);
  const double by_limit =
      std::max(1.0, absl::ToDoubleSeconds(job.spec.time_limit) / 2);
  if (job.spec.max_delay == absl::InfiniteDuration()) {
    return std::min(kUnknownSeconds, by_limit);
  }
  const double by_delay =
      std::clamp(kShareOfDelay * absl::ToDoubleSeconds(job.spec.max_delay),
                 kLeastPriorSeconds, kMostPriorSeconds);
  return std::min(by_delay, by_limit);
}

bool IsExact(const Job& job) {
  return job.spec.runtime_known && job.spec.runtime.has_value();
}

}  // namespace

LearnedBeliefs::Keys LearnedBeliefs::KeysOf(const Job& job,
                                            const JobShape& shape) {
  // With and without an estimate, lengths are counted in different units.
  const uint64_t estimated = job.spec.runtime.has_value() ? 1 : 0;
  const uint64_t project = Mix(1 + 100 * estimated, job.spec.project.value());
  const uint64_t user = Mix(project, job.spec.user.value() + 1);
  const uint64_t name = Mix(user, job.spec.name.value() + 1);
  // Classes of jobs (queues) differ in the delay that they allow.
  const uint64_t delay =
      static_cast<uint64_t>(absl::ToInt64Seconds(job.spec.max_delay));
  const uint64_t kind = Mix(shape.count, delay);
  return {Mix(Mix(2, name), kind),         Mix(Mix(3, user), kind),
          Mix(Mix(4, project), kind),      Mix(5 + 100 * estimated, kind),
          Mix(6 + 100 * estimated, delay), 7 + 100 * estimated};
}

void LearnedBeliefs::Gather(const Job& job, const Keys& keys, double seconds,
                            Curve& curve) const {
  curve.falls.clear();
  curve.spread.clear();
  curve.own = 0;
  const double unit = UnitOf(job);
  double share = 1;  // of all weight, for this kind and those wider
  size_t before = 0;
  for (const uint64_t key : keys) {
    const auto found = kinds_.find(key);
    if (found == kinds_.end()) continue;
    const size_t first = curve.falls.size();
    for (const Member& m : found->second) {
      double length = m.seconds;
      if (m.state == State::kRuns) length += std::max(0.0, now_ - m.since);
      length *= unit / m.unit;
      if (length <= seconds || (m.id == job.spec.id && Live(m))) continue;
      curve.falls.push_back({length, 0, m.state == State::kCompleted});
    }
    const size_t n = curve.falls.size() - first;
    // A wider kind of no more jobs is the same again.
    if (n == before) curve.falls.resize(first);
    if (n == 0 || n == before) continue;
    before = n;
    const double all = static_cast<double>(n) + kBackOff;
    for (size_t i = first; i < first + n; ++i) {
      curve.falls[i].weight = share / all;
    }
    if (curve.own < kInformed) curve.own += static_cast<double>(n);
    share *= kBackOff / all;
  }
  const double median = PriorMedian(job);
  const double power =
      job.spec.runtime.has_value() ? kEstimatePower : kPriorPower;
  const double survived = 1 / (1 + std::pow(seconds / median, power));
  for (int i = 0; i < kPriorPoints; ++i) {
    const double left = survived * (i + 0.5) / kPriorPoints;
    curve.falls.push_back({median * std::pow(1 / left - 1, 1 / power),
                           share / kPriorPoints, true});
  }
}

// Kaplan and Meier: at each end the curve falls by the share that the end has
// of all that had lasted as long.
void LearnedBeliefs::Curve::FallAtEnds() {
  std::sort(falls.begin(), falls.end(),
            [](const Weighted& a, const Weighted& b) {
              if (a.seconds != b.seconds) return a.seconds < b.seconds;
              if (a.completed != b.completed) return a.completed;
              return a.weight < b.weight;
            });
  double sum = 0;
  double squares = 0;
  for (const Weighted& w : falls) {
    sum += w.weight;
    squares += w.weight * w.weight;
  }
  effective = sum * sum / squares;
  const double last = falls.back().seconds;
  double there = sum;
  double survived = 1;
  size_t kept = 0;
  for (size_t i = 0; i < falls.size(); ++i) {
    const Weighted w = falls[i];
    if (w.completed) {
      const double fall =
          there > w.weight ? survived * (w.weight / there) : survived;
      falls[kept++] = {w.seconds, fall, true};
      survived -= fall;
    }
    there -= w.weight;
  }
  falls.resize(kept);
  if (survived < 1e-9) return;
  for (const double tail : kTail) {
    falls.push_back({last * tail, survived / std::size(kTail), true});
  }
}

double LearnedBeliefs::Curve::Quantile(double share) const {
  double fallen = 0;
  for (const Weighted& w : falls) {
    fallen += w.weight;
    if (fallen >= share) return w.seconds;
  }
  return falls.back().seconds * kTail[1];
}

void LearnedBeliefs::Curve::Summarise() {
  mean = 0;
  for (const Weighted& w : falls) mean += w.weight * w.seconds;
  p50 = Quantile(0.5);
  // Leaves room for one end more than was seen.
  p90 = Quantile(0.9 * (1 + 1 / effective));
}

// Groups of equal share, each drawn out by a kernel of Silverman's width in
// the logarithm: what was not seen lies between and beside what was.
void LearnedBeliefs::Curve::Smear() {
  double mean_log = 0;
  double square = 0;
  for (const Weighted& w : falls) {
    const double log = std::log(std::max(1.0, w.seconds));
    mean_log += w.weight * log;
    square += w.weight * log * log;
  }
  const double deviation =
      std::sqrt(std::max(0.0, square - mean_log * mean_log));
  const double width =
      std::min(kMostSmear, 1.06 * deviation * std::pow(effective, -0.2));
  const double by = std::exp(std::sqrt(1.5) * width);
  double weight = 0;
  double sum = 0;
  for (size_t i = 0; i < falls.size(); ++i) {
    weight += falls[i].weight;
    sum += falls[i].weight * falls[i].seconds;
    // No group reaches over a gap: its mean would be a length that none has.
    const bool closed = i + 1 == falls.size() || weight >= 1.0 / kGroups ||
                        falls[i + 1].seconds > kGap * falls[i].seconds;
    if (!closed || weight <= 0) continue;
    const double group = sum / weight;
    for (const double length : {group / by, group, group * by}) {
      spread.push_back({length, weight / 3, true});
    }
    weight = sum = 0;
  }
}

LearnedBeliefs::Curve& LearnedBeliefs::Fit(const Job& job,
                                           const JobShape& shape,
                                           double seconds) const {
  const Keys keys = KeysOf(job, shape);
  if (seconds > 0) {
    if (scratch_key_ == Mix(keys[0], job.spec.id.value()) &&
        scratch_seconds_ == seconds && scratch_now_ == now_) {
      return scratch_;
    }
    scratch_key_ = Mix(keys[0], job.spec.id.value());
    scratch_seconds_ = seconds;
    scratch_now_ = now_;
    Gather(job, keys, seconds, scratch_);
    scratch_.FallAtEnds();
    scratch_.Summarise();
    return scratch_;
  }
  // The prior is all that tells jobs of one kind apart.
  if (fresh_.size() >= kMostFresh) fresh_.clear();
  const auto [it, is_new] = fresh_.try_emplace(
      Mix(keys[0], static_cast<uint64_t>(std::llround(PriorMedian(job)))));
  if (is_new) {
    Gather(job, keys, seconds, it->second);
    it->second.FallAtEnds();
    it->second.Summarise();
  }
  return it->second;
}

RuntimeBelief LearnedBeliefs::Remaining(const Job& job, const JobShape& shape,
                                        absl::Duration executed) const {
  RuntimeBelief belief;
  const absl::Duration limit =
      std::max(job.spec.time_limit - executed, absl::ZeroDuration());
  if (IsExact(job)) {
    belief.mean = belief.p50 = belief.p90 =
        std::max(*job.spec.runtime - executed, absl::ZeroDuration());
    belief.known = belief.informed = true;
    return belief;
  }
  const double ran = absl::ToDoubleSeconds(executed);
  const Curve& curve = Fit(job, shape, ran);
  const auto left = [&](double total) {
    return std::min(absl::Seconds(std::max(1.0, total - ran)), limit);
  };
  belief.informed = curve.own >= kInformed || job.spec.runtime.has_value();
  belief.mean = left(curve.mean);
  belief.p50 = left(curve.p50);
  belief.p90 = left(curve.p90);
  return belief;
}

void LearnedBeliefs::Spread(const Job& job, const JobShape& shape,
                            absl::Duration executed,
                            std::vector<RuntimeShare>& shares) const {
  if (IsExact(job)) return RuntimeBeliefs::Spread(job, shape, executed, shares);
  shares.clear();
  const double ran = absl::ToDoubleSeconds(executed);
  Curve& curve = Fit(job, shape, ran);
  if (curve.spread.empty()) curve.Smear();
  const double limit = absl::ToDoubleSeconds(job.spec.time_limit - executed);
  for (const Weighted& w : curve.spread) {
    const double left = std::min(std::max(1.0, w.seconds - ran), limit);
    shares.push_back({absl::Seconds(left), w.weight});
  }
}

void LearnedBeliefs::Set(const Job& job, const JobShape& shape,
                         const Member& member) {
  for (const uint64_t key : KeysOf(job, shape)) {
    std::vector<Member>& kind = kinds_[key];
    const auto known = std::find_if(
        kind.rbegin(), kind.rend(),
        [&member](const Member& m) { return m.id == member.id && Live(m); });
    if (known != kind.rend()) {
      *known = member;
      continue;
    }
    if (kind.size() == kMostMembers) {
      kind.erase(kind.begin(), kind.begin() + kMostMembers / 4);
    }
    kind.push_back(member);
  }
}

void LearnedBeliefs::Began(const Job& job, const JobShape& shape,
                           absl::Time at) {
  if (IsExact(job)) return;
  Set(job, shape,
      {job.spec.id, UnitOf(job), absl::ToDoubleSeconds(job.executed),
       absl::ToDoubleSeconds(at - absl::UnixEpoch()), State::kRuns});
}

void LearnedBeliefs::Paused(const Job& job, const JobShape& shape) {
  if (IsExact(job)) return;
  Set(job, shape,
      {job.spec.id, UnitOf(job), absl::ToDoubleSeconds(job.executed), 0,
       State::kPaused});
}

void LearnedBeliefs::Observe(const Job& job, const JobShape& shape,
                             absl::Duration runtime, bool completed) {
  if (IsExact(job)) return;
  const double seconds = absl::ToDoubleSeconds(runtime);
  if (!std::isfinite(seconds) || seconds < 0) return;
  fresh_.clear();
  scratch_seconds_ = -1;
  Set(job, shape,
      {job.spec.id, UnitOf(job), seconds, 0,
       completed ? State::kCompleted : State::kCutShort});
}

void LearnedBeliefs::Advance(absl::Time now) {
  now_ = absl::ToDoubleSeconds(now - absl::UnixEpoch());
  if (now_ - fresh_since_ < kFreshSeconds) return;
  fresh_since_ = now_;
  fresh_.clear();
}

}  // namespace ccsched
