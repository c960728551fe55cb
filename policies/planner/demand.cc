// The jobs that are still to come, as learnt from those that came.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/demand.h"

#include <algorithm>
#include <cmath>

namespace ccsched {
namespace {

constexpr int64_t kDayUs = 24 * kSlotUs;
constexpr int64_t kWeekUs = 7 * kDayUs;
// Expected jobs are bundled further so that about so many are left.
constexpr double kMostExpected = 3000;
// Silence tells nothing before so many jobs have come.
constexpr int64_t kFewArrivals = 20;

double Size(const PlanJob& job) { return std::max(1e-3, job.Work() / kSlotUs); }

}  // namespace

int64_t DemandHistory::Record(const PlanJob& job) {
  if (first_ < 0) first_ = job.release;
  if (!jobs_.empty()) {
    longest_silence_ =
        std::max(longest_silence_, job.release - jobs_.back().release);
  }
  jobs_.push_back(job);
  const int64_t oldest = job.release - (options_.weeks + 1) * kWeekUs;
  while (jobs_.front().release < oldest) jobs_.pop_front();
  return count_++;
}

void DemandHistory::Amend(int64_t number, int64_t duration) {
  const int64_t first = count_ - static_cast<int64_t>(jobs_.size());
  if (number < first || number >= count_) return;
  PlanJob& job = jobs_[number - first];
  job.latest_end += duration - job.duration;
  job.duration = duration;
}

double DemandHistory::Going(int64_t now) const {
  const int64_t silence = now - jobs_.back().release;
  if (count_ < kFewArrivals || silence <= longest_silence_) return 1;
  const double ratio = static_cast<double>(longest_silence_) / silence;
  return ratio * ratio;
}

void DemandHistory::Expect(int64_t now, int64_t horizon,
                           std::vector<PlanJob>& jobs) const {
  if (jobs_.empty() || options_.scale <= 0) return;
  const int64_t age = now - first_;
  int64_t period = kWeekUs;
  int64_t periods = std::min<int64_t>(age / kWeekUs, options_.weeks);
  if (periods == 0) {
    period = kDayUs;
    periods = age / kDayUs;
  }
  double weight = options_.scale * Going(now);
  if (periods == 0) {
    // Less than a day: the rate so far, as if it went on.
    period = std::max(age, kSlotUs);
    periods = 1;
  }
  weight /= static_cast<double>(periods);
  double work = 0;
  for (const PlanJob& job : jobs_) {
    if (job.release >= now - periods * period) work += Size(job);
  }
  work *= static_cast<double>(horizon) / static_cast<double>(period);
  const double least_size = std::max(options_.least_size, work / kMostExpected);
  std::vector<PlanJob> bundles;
  for (int64_t back = 1; back <= periods; ++back) {
    const int64_t from = now - back * period;
    const int64_t first = back * period;
    // What came just a period ago comes now, no later.
    Bundle(from + 1, from + period, weight, least_size, bundles);
    for (int64_t shift = first; from + shift < now + horizon; shift += period) {
      if (shift == first + period) {
        Bundle(from, from + period, weight, least_size, bundles);
      }
      for (const PlanJob& bundle : bundles) {
        if (bundle.release + shift > now + horizon) break;
        PlanJob& job = jobs.emplace_back(bundle);
        job.release += shift;
        job.latest_end += shift;
      }
    }
  }
}

void DemandHistory::Bundle(int64_t from, int64_t to, double weight,
                           double least_size,
                           std::vector<PlanJob>& bundles) const {
  const auto before = [](const PlanJob& job, int64_t t) {
    return job.release < t;
  };
  bundles.clear();
  auto it = std::lower_bound(jobs_.begin(), jobs_.end(), from, before);
  double bundled = 0;  // work of small jobs not yet spoken for
  for (; it != jobs_.end() && it->release < to; ++it) {
    const double size = Size(*it);
    double copies = 1;
    if (size < least_size) {
      bundled += size;
      if (bundled < least_size) continue;
      copies = bundled / size;
      bundled = 0;
    }
    bundles.push_back(*it);
    bundles.back().weight = static_cast<float>(weight * copies);
  }
}

}  // namespace ccsched
