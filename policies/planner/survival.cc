// Runtimes as learnt from the jobs that have ended.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/survival.h"

#include <algorithm>
#include <cmath>

namespace ccsched {
namespace {

// Ends remembered of each kind; older ones are forgotten.
constexpr size_t kMostEnds = 200;
// So much weight is gathered, from ever wider kinds.
constexpr double kEnough = 40;
// The weight of an end of each level, from the narrowest kind to all jobs.
constexpr double kLevelWeight[] = {1, 0.5, 0.25, 0.1, 0.07, 0.05};
// Below this weight a user's estimate is believed rather.
constexpr double kInformed = 2;
// A run that was cut short is taken to have lasted so many times as long.
constexpr double kCutShort = 1.5;
constexpr double kUnknownSeconds = 3600;

uint64_t Mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 29);
}

}  // namespace

LearnedBeliefs::Keys LearnedBeliefs::KeysOf(const Job& job,
                                            const JobShape& shape) {
  const uint64_t project = Mix(1, job.spec.project.value());
  const uint64_t user = Mix(project, job.spec.user.value() + 1);
  const uint64_t name = Mix(user, job.spec.name.value() + 1);
  // Classes of jobs (queues) differ in the delay that they allow.
  const uint64_t delay =
      static_cast<uint64_t>(absl::ToInt64Seconds(job.spec.max_delay));
  const uint64_t kind = Mix(shape.count, delay);
  return {Mix(Mix(2, name), kind),
          Mix(Mix(3, user), kind),
          Mix(Mix(4, project), kind),
          Mix(5, kind),
          Mix(6, delay),
          7};
}

double LearnedBeliefs::Gather(const Keys& keys, double seconds) const {
  sample_.clear();
  double sum = 0;
  for (int level = 0; level < kLevels && sum < kEnough; ++level) {
    const auto found = ends_.find(keys[level]);
    if (found == ends_.end()) continue;
    // The newest first; no level fills more than what is still missing.
    const double missing = kEnough - sum;
    double added = 0;
    for (auto it = found->second.rbegin();
         it != found->second.rend() && added < missing; ++it) {
      const double length =
          it->completed ? it->seconds : it->seconds * kCutShort;
      if (length <= seconds) continue;
      sample_.push_back({length, kLevelWeight[level]});
      added += kLevelWeight[level];
    }
    sum += added;
  }
  std::sort(sample_.begin(), sample_.end(),
            [](const Weighted& a, const Weighted& b) {
              return a.seconds != b.seconds ? a.seconds < b.seconds
                                            : a.weight < b.weight;
            });
  return sum;
}

RuntimeBelief LearnedBeliefs::Remaining(const Job& job, const JobShape& shape,
                                        absl::Duration executed) const {
  RuntimeBelief belief;
  const double ran = absl::ToDoubleSeconds(executed);
  const absl::Duration limit =
      std::max(job.spec.time_limit - executed, absl::ZeroDuration());
  const auto left = [&](double total) {
    return std::min(absl::Seconds(std::max(1.0, total - ran)), limit);
  };
  if (job.spec.runtime_known && job.spec.runtime.has_value()) {
    belief.mean = belief.p50 = belief.p90 =
        std::max(*job.spec.runtime - executed, absl::ZeroDuration());
    belief.known = belief.informed = true;
    return belief;
  }
  const double sum = Gather(KeysOf(job, shape), ran);
  if (sum < kInformed) {
    // Little is known: what the user says; else as long again as it has run.
    double total = std::max(kUnknownSeconds, 2 * ran);
    if (job.spec.runtime.has_value()) {
      const double said = absl::ToDoubleSeconds(*job.spec.runtime);
      total = said > ran ? said : 1.5 * ran;
      belief.informed = true;
    }
    belief.mean = belief.p50 = left(total);
    belief.p90 = left(ran + 2.5 * (total - ran));
    return belief;
  }
  belief.informed = true;
  // Quantiles leave room for one end more than was seen.
  const double p50_at = 0.5 * sum;
  const double p90_at = 0.9 * (sum + sample_.back().weight);
  double seen = 0;
  double weighted = 0;
  double p50 = sample_.back().seconds;
  double p90 = -1;
  bool has_p50 = false;
  for (const Weighted& w : sample_) {
    seen += w.weight;
    weighted += w.weight * w.seconds;
    if (!has_p50 && seen >= p50_at) {
      p50 = w.seconds;
      has_p50 = true;
    }
    if (p90 < 0 && seen >= p90_at) p90 = w.seconds;
  }
  // Beyond what was seen: a tail as long again.
  if (p90 < 0) p90 = sample_.back().seconds * 1.5;
  belief.p50 = left(p50);
  belief.p90 = left(p90);
  belief.mean = left(weighted / sum);
  return belief;
}

void LearnedBeliefs::Observe(const Job& job, const JobShape& shape,
                             absl::Duration runtime, bool completed) {
  const double seconds = absl::ToDoubleSeconds(runtime);
  if (!std::isfinite(seconds) || seconds < 0) return;
  for (const uint64_t key : KeysOf(job, shape)) {
    std::deque<End>& ends = ends_[key];
    ends.push_back({seconds, completed});
    if (ends.size() > kMostEnds) ends.pop_front();
  }
}

}  // namespace ccsched
