// A plan in stretches for a job that may be suspended, where there is room.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/pause_plan.h"

#include <algorithm>
#include <limits>

#include "absl/algorithm/container.h"
#include "policies/planner/room_search.h"

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A stretch does at least so much useful work.
constexpr int64_t kLeastUsefulUs = 10 * int64_t{60'000'000};
constexpr int kLooks = 10;

// Whether the job goes on where it runs, without a gap.
bool GoesOn(const PlanJob& job, const StretchOrigin& origin,
            const std::vector<Stretch>& stretches) {
  return origin.state == StretchOrigin::kRunning && !stretches.empty() &&
         stretches[0].start == job.release && stretches[0].pool == origin.pool;
}

// Whether the first of them takes up what has run before.
bool ResumesAtFirst(const PlanJob& job, const StretchOrigin& origin,
                    const std::vector<Stretch>& stretches) {
  return origin.state != StretchOrigin::kNew && !GoesOn(job, origin, stretches);
}

int64_t Overhead(const PlanJob& job, const StretchOrigin& origin,
                 const std::vector<Stretch>& stretches, size_t i) {
  const bool restarts = i > 0 || ResumesAtFirst(job, origin, stretches);
  const bool pauses = i + 1 < stretches.size();
  return (restarts ? job.restart : 0) + (pauses ? job.checkpoint : 0);
}

// What all the time costs that the job holds accelerators.
double SumOf(const PriceTable& table, const PlanJob& job,
             const StretchOrigin& origin,
             const std::vector<Stretch>& stretches) {
  double sum = 0;
  for (const Stretch& s : stretches) {
    sum += table.Between(s.pool, s.start, s.end);
  }
  if (origin.state == StretchOrigin::kRunning &&
      !GoesOn(job, origin, stretches)) {
    sum +=
        table.Between(origin.pool, job.release, job.release + job.checkpoint);
  }
  return sum;
}

// How often it is taken up again.
size_t Resumptions(const PlanJob& job, const StretchOrigin& origin,
                   const std::vector<Stretch>& stretches) {
  return stretches.size() - (ResumesAtFirst(job, origin, stretches) ? 0 : 1);
}

// How much more than the job's work they do.
int64_t Excess(const PlanJob& job, const StretchOrigin& origin,
               const std::vector<Stretch>& stretches) {
  int64_t excess = -job.duration;
  for (size_t i = 0; i < stretches.size(); ++i) {
    excess += stretches[i].end - stretches[i].start -
              Overhead(job, origin, stretches, i);
  }
  return excess;
}

// Leaves out a stretch of which no part is cheaper than `rate`, if the others
// do all the work and one of them costs as much: where hours cost the same, as
// of days that are forecast alike, the search finds all of them.
bool LeaveOut(const PriceTable& prices, const PlanJob& job,
              const StretchOrigin& origin, double rate, size_t which,
              std::vector<Stretch>& stretches) {
  if (which == 0 && GoesOn(job, origin, stretches)) return false;
  const Stretch& s = stretches[which];
  for (int64_t k = s.start / kSlotUs; k * kSlotUs < s.end; ++k) {
    if (prices.rate(s.pool)[k] < rate) return false;
  }
  const bool alike = absl::c_any_of(stretches, [&](const Stretch& other) {
    return &other != &s &&
           prices.rate(other.pool)[(other.end - 1) / kSlotUs] == rate;
  });
  if (!alike) return false;
  std::vector<Stretch> left = stretches;
  left.erase(left.begin() + which);
  if (Excess(job, origin, left) < 0) return false;
  stretches.swap(left);
  return true;
}

}  // namespace

bool TrimStretches(const PriceTable& prices, const PlanJob& job,
                   const StretchOrigin& origin,
                   std::vector<Stretch>& stretches) {
  int64_t excess = Excess(job, origin, stretches);
  if (excess < 0) return false;
  while (excess > 0) {
    // The dearest end of a stretch, and how much of its slot may be cut.
    double dearest = -kInfinity;
    size_t which = 0;
    bool at_end = false;
    int64_t most = 0;
    for (size_t i = 0; i < stretches.size(); ++i) {
      const Stretch& s = stretches[i];
      const int64_t spare = s.end - s.start - kLeastUsefulUs -
                            Overhead(job, origin, stretches, i);
      if (spare <= 0) continue;
      const int64_t last = (s.end - 1) / kSlotUs;
      const double end_rate = prices.rate(s.pool)[last];
      if (end_rate >= dearest) {
        dearest = end_rate;
        which = i;
        at_end = true;
        most = std::min(spare, s.end - std::max(s.start, last * kSlotUs));
      }
      if (i == 0 && GoesOn(job, origin, stretches)) continue;
      const int64_t first = s.start / kSlotUs;
      const double start_rate = prices.rate(s.pool)[first];
      if (start_rate > dearest) {
        dearest = start_rate;
        which = i;
        at_end = false;
        most =
            std::min(spare, std::min(s.end, (first + 1) * kSlotUs) - s.start);
      }
    }
    if (most <= 0) return false;
    if (LeaveOut(prices, job, origin, dearest, which, stretches)) {
      excess = Excess(job, origin, stretches);
      continue;
    }
    const int64_t cut = std::min(most, excess);
    (at_end ? stretches[which].end : stretches[which].start) +=
        at_end ? -cut : cut;
    excess -= cut;
  }
  return true;
}

void PausePlanner::FindOpen(const PlanInstance& instance,
                            const Schedule& schedule, const PlanJob& job) {
  open_.Resize(instance.pools.size(), instance.slots);
  const int32_t first = static_cast<int32_t>(job.release / kSlotUs);
  const int32_t last = static_cast<int32_t>((job.latest_end - 1) / kSlotUs);
  for (const uint16_t p : instance.placements[job.pools]) {
    const PlanPool& pool = instance.pools[p];
    const int32_t limit = LevelBeside(pool, job.count);
    const Timeline& timeline = schedule.timeline(p);
    for (int32_t k = first; k <= last; ++k) {
      const auto [slot, begin, end] = PartOf(job, k);
      OpenSlots::Part& part = open_.at(p, slot);
      if (!pool.limited || timeline.peak(k) <= limit) {
        part = {end, begin};
      } else if (timeline.low(k) > limit) {
        part = {begin, end};
      } else {
        part = {timeline.FirstAbove(begin, end, limit),
                std::max(begin, timeline.LastAbove(begin, end, limit))};
      }
    }
  }
}

double PausePlanner::Unbroken(const PlanInstance& instance,
                              const PriceTable& prices,
                              const Schedule& schedule, const PlanJob& job,
                              const StretchOrigin& origin,
                              Stretch& stretch) const {
  if (origin.state == StretchOrigin::kRunning) {
    const PlanPool& pool = instance.pools[origin.pool];
    const int64_t end = job.release + job.duration;
    const int32_t limit = LevelBeside(pool, job.count);
    if (pool.limited &&
        schedule.timeline(origin.pool).Peak(job.release, end) > limit) {
      return kInfinity;
    }
    stretch = {origin.pool, job.release, end, job.count};
    return RunCost(prices, origin.pool, job.release,
                   {.expected = job.duration, .wait = job.wait});
  }
  PlanJob whole = job;
  if (origin.state == StretchOrigin::kSuspended) whole.duration += job.restart;
  if (whole.latest_start() < whole.release) return kInfinity;
  const StartChoice best = schedule.Cheapest(prices, whole);
  if (best.pool < 0) return kInfinity;
  stretch = {best.pool, best.start, best.start + whole.duration, job.count};
  return best.cost;
}

double PausePlanner::Plan(const PlanInstance& instance,
                          const PriceTable& prices, const PriceTable& carbon,
                          const Schedule& schedule, const PlanJob& job,
                          const StretchOrigin& origin,
                          const PauseOptions& options, double& worth,
                          std::vector<Stretch>& stretches) {
  stretches.clear();
  Stretch whole;
  const double unbroken =
      Unbroken(instance, prices, schedule, job, origin, whole);
  FindOpen(instance, schedule, job);
  const std::vector<uint16_t>& pools = instance.placements[job.pools];
  const double guess =
      worth > 0 ? worth : 1.2 * prices.rate(pools[0])[job.release / kSlotUs];
  search_.set_reluctance(options.reluctance);
  search_.Best(prices, pools, job, guess, kLooks, &open_, origin);
  const StretchSearch::Result enough = search_.enough();
  double cost = kInfinity;
  if (enough.useful >= 0) {
    worth = enough.worth;
    search_.At(prices, pools, job, worth, &open_, &stretches, origin);
    for (Stretch& s : stretches) s.count = job.count;
    if (TrimStretches(prices, job, origin, stretches)) {
      const double again = worth * options.reluctance *
                           (job.checkpoint + job.restart) * (1.0 / kSlotUs);
      cost = SumOf(prices, job, origin, stretches) +
             again * static_cast<double>(Resumptions(job, origin, stretches)) +
             RunLength::Of(job).Wait(stretches.back().end - job.duration);
    }
  }
  const auto saves = [&] {
    return SumOf(carbon, job, origin, stretches) <
           (1 - options.least_gain) *
               carbon.Between(whole.pool, whole.start, whole.end);
  };
  if (unbroken < kInfinity &&
      (cost >= unbroken * (1 - options.least_gain) || !saves())) {
    stretches = {whole};
    return unbroken;
  }
  if (cost == kInfinity) stretches.clear();
  return cost;
}

}  // namespace ccsched
