// planner: what is believed of a job, as the plan is told of it.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "policies/dispatch.h"
#include "policies/planner/planner.h"
#include "scheduler/carbon/forecast_correction.h"

namespace ccsched {
namespace {

// Weighing a start over a spread costs some 40 times as much as at one length;
// where more jobs than this wait, capacity is what matters.
constexpr size_t kMostSpread = 3000;

// Each width tried is about so many times the one before.
constexpr double kWidthStep = 1.4142;
constexpr int kMostWidths = 12;  // on either side of its own

// Widths from the least to the most, the job's own first; none that would not
// divide among its nodes, or do no more than a narrower one. Nor is a job run
// slower than at its own width if its length has no known end, but its promise
// counts from that: the longer it lasted, the later it would be.
std::shared_ptr<const PlanWidths> WidthsOf(const Job& job,
                                           const JobShape& shape,
                                           const RuntimeBelief& belief,
                                           absl::Duration careful) {
  const bool limited = job.spec.time_limit < absl::InfiniteDuration();
  const bool promised = job.spec.max_delay < absl::InfiniteDuration() ||
                        job.spec.finish_by < absl::InfiniteFuture();
  const bool slower = belief.known || limited || !promised;
  std::set<uint32_t> counts = {shape.min_count, shape.max_count};
  for (const double step : {1 / kWidthStep, kWidthStep}) {
    double width = shape.count;
    for (int i = 0; i < kMostWidths; ++i, width *= step) {
      if (width < shape.min_count || width > shape.max_count) break;
      counts.insert(static_cast<uint32_t>(std::lround(width)));
    }
  }
  auto all = std::make_shared<PlanWidths>();
  if (!belief.known) {
    if (limited) careful = absl::Duration(job.spec.time_limit) - job.executed;
    all->longest =
        ToUs(std::clamp(careful, absl::Microseconds(1), kLongestPlanned));
  }
  all->widths.push_back({shape.count, 1});
  double most = 0;
  for (const uint32_t n : counts) {
    const double speed = shape.SpeedAt(n);
    const bool divides = shape.nodes == 0 || n % shape.nodes == 0;
    if (n != shape.count && divides && speed > most && (slower || speed > 1)) {
      all->widths.push_back({n, speed});
    }
    most = std::max(most, speed);
  }
  return all;
}

}  // namespace

void Planner::Correct(const PolicyInput& in) {
  const size_t regions = in.topology.regions.size();
  corrected_.assign(regions, std::nullopt);
  for (size_t r = 0; r < regions; ++r) {
    const Forecast* const issued =
        in.grid.forecast(RegionId(static_cast<uint16_t>(r)));
    const bool told =
        r < in.grid.observed.size() && in.grid.observed[r] != nullptr;
    if (issued == nullptr || !told || !settings_.correct) continue;
    corrected_[r] = CorrectForecast(*issued, *in.grid.observed[r], in.now);
  }
  std::array<double, kDaySlots> grams;
  usual_.assign(in.topology.pools.size(), 0);
  for (size_t p = 0; p < usual_.size(); ++p) {
    const PoolId pool(static_cast<uint16_t>(p));
    if (in.forecast(pool) == nullptr) continue;
    Goal(in).Fill(pool, ToUs(in.now) / kSlotUs * kSlotUs, kDaySlots,
                  grams.data());
    usual_[p] = std::accumulate(grams.begin(), grams.end(), 0.0) / kDaySlots;
  }
}

double Planner::UsualGrams(const PolicyInput& in,
                           const Placement& allowed) const {
  double sum = 0;
  int known = 0;
  for (const PoolId pool : allowed) {
    if (in.forecast(pool) == nullptr || pool.value() >= usual_.size()) continue;
    sum += usual_[pool.value()];
    ++known;
  }
  return known == 0 ? 0 : sum / known;
}

bool Planner::HasData(const PolicyInput& in, const Placement& allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [&in](PoolId pool) {
    return in.forecast(pool) != nullptr;
  });
}

double Planner::Rush(const Placement& allowed) const {
  constexpr double kScarce = 0.01;  // measured
  if (plan_ == nullptr || allowed.empty()) return 0;
  double sum = 0;
  for (const PoolId pool : allowed) sum += plan_->scarcity(pool.value());
  return std::min(1.0, sum / static_cast<double>(allowed.size()) / kScarce);
}

std::shared_ptr<const LengthSpread> Planner::SpreadOf(
    const PolicyInput& in, const Job& job, const JobShape& shape) const {
  in.runtimes.Spread(job, shape, job.executed, shares_);
  if (shares_.size() < 2) return nullptr;
  auto spread = std::make_shared<LengthSpread>();
  spread->shares.reserve(shares_.size());
  for (const RuntimeShare& s : shares_) {
    const absl::Duration left = std::min(s.left, kLongestPlanned);
    spread->shares.push_back({ToUs(left), s.share});
  }
  return spread;
}

PlanJob Planner::Describe(const PolicyInput& in, const Job& job,
                          const JobShape& shape) const {
  const RuntimeBelief belief = in.runtimes.Remaining(job, shape, job.executed);
  PlanJob plan;
  plan.release = ToUs(job.spec.submitted);
  plan.count = shape.count;
  plan.priority = shape.priority;
  plan.account = shape.account.value();
  plan.pools = shape.placement.value();
  plan.suspendable = shape.suspendable;
  plan.checkpoint = ToUs(shape.checkpoint);
  plan.restart = ToUs(shape.restart);
  absl::Duration length = belief.known ? belief.p50 : belief.mean;
  absl::Duration careful = belief.known ? belief.p50 : belief.p90;
  const bool resumes = job.executed > absl::ZeroDuration();
  if (resumes) careful += shape.restart;
  length = std::min(length, kLongestPlanned);
  careful = std::min(careful, kLongestPlanned);
  plan.duration = ToUs(absl::Ceil(length, absl::Microseconds(1)));
  if (shape.elastic()) plan.widths = WidthsOf(job, shape, belief, careful);
  absl::Time latest =
      std::min(job.spec.submitted + job.executed + job.spec.max_delay,
               job.spec.finish_by - careful);
  // Room at a later time is only believed in where ends are guesses.
  const Placement& allowed = in.placements[shape.placement];
  const bool crowded =
      std::none_of(allowed.begin(), allowed.end(), [&in](PoolId pool) {
        return in.pools[pool.value()].total >= kUnlimited / 2;
      });
  if (!belief.known && crowded) {
    latest -= std::min(absl::Hours(1) * settings_.margin_hours,
                       absl::Duration(job.spec.max_delay) / 6);
  }
  double wait = settings_.wait;
  wait += (belief.known ? settings_.haste : settings_.haste_unsure) *
          Rush(allowed) * UsualGrams(in, allowed);
  plan.wait = static_cast<float>(wait);
  const bool promised = latest < absl::InfiniteFuture();
  if (!promised) {
    // Without data no hour is known to be better than another. Whoever was
    // promised something waits for data as long as is safe (see Objective);
    // nobody waits for it without end.
    latest =
        !HasData(in, allowed)
            ? absl::Time(job.spec.submitted)
            : job.spec.submitted + absl::Hours(1) * settings_.patience_hours;
  }
  latest = std::min(latest, in.now + kLongestDeferral);
  if (in.grid.horizon.has_value()) {
    latest = std::min(latest, *in.grid.horizon - length);
  }
  latest = std::max<absl::Time>(latest, job.spec.submitted);
  plan.latest_end = ToUs(latest) + plan.duration;
  const bool pausable =
      shape.suspendable &&
      plan.duration >= settings_.rolling.least_pausable_hours * kSlotUs;
  // One that can't be paused again holds its place through its restart.
  if (resumes && !pausable) plan.duration += plan.restart;
  if (!belief.known && !pausable && settings_.spread &&
      planned_.size() <= kMostSpread) {
    plan.spread = SpreadOf(in, job, shape);
  }
  return plan;
}

PlanJob Planner::DescribeAsPlanned(const PolicyInput& in, JobRef ref) const {
  PlanJob own = Describe(in, in.jobs[ref], in.shape(ref));
  const auto planned = planned_.find(in.jobs[ref].spec.id);
  if (own.widths == nullptr || planned == planned_.end()) return own;
  const PlanJob& as = plan_->entry(planned->second.index).job;
  return AtWidth(own, {as.count, as.speed});
}

}  // namespace ccsched
