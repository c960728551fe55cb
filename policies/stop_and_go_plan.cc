// What policies that pause and resume jobs know of a job, and its plan.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "policies/stop_and_go.h"

namespace ccsched {
namespace {

// Longer runs are planned as if they lasted so long.
constexpr int64_t kLongestUs = kHourUs * 24 * 366;
// A pause shorter than this is none, and a plan that misses less than this of
// a job's work still stands.
constexpr int64_t kSlackUs = 1'000'000;

}  // namespace

StopAndGo::Track& StopAndGo::TrackOf(const PolicyInput& in, JobRef job) {
  if (job >= tracks_.size()) tracks_.resize(job + job / 2 + 16);
  Track& track = tracks_[job];
  if (track.id != in.jobs[job].spec.id) {
    track.id = in.jobs[job].spec.id;
    track.planned = false;
    track.plan.clear();
    track.next_stint = 0;
    track.bars.clear();
    track.timer_us = kNeverUs;
    track.epoch = Epoch();
  }
  return track;
}

absl::Duration StopAndGo::Done(const PolicyInput& in, JobRef job,
                               Track& track) {
  const Job& j = in.jobs[job];
  if (j.run == kNoRun) return absl::ZeroDuration();
  const Run& run = in.runs[j.run];
  if (track.epoch != j.epoch) {
    track.epoch = j.epoch;
    track.width = run.count;
    track.counted_until_us = ToUs(run.start + run.overhead);
    track.done_us = 0;
  }
  const int64_t now_us = ToUs(in.now);
  if (now_us > track.counted_until_us) {
    track.done_us +=
        static_cast<double>(now_us - track.counted_until_us) *
        Speed(static_cast<double>(track.width) / in.shapes[j.shape].count);
    track.counted_until_us = now_us;
  }
  track.width = run.count;
  return absl::Microseconds(static_cast<int64_t>(track.done_us));
}

StopAndGo::Query StopAndGo::QueryOf(const PolicyInput& in, JobRef job,
                                    Track& track) {
  const Job& j = in.jobs[job];
  Query query = QueryOf(in, j, in.shapes[j.shape], Done(in, job, track));
  query.job = job;
  return query;
}

StopAndGo::Query StopAndGo::QueryOf(const PolicyInput& in, const Job& j,
                                    const JobShape& shape,
                                    absl::Duration done) const {
  Query query = {.shape = shape, .pools = in.placements[shape.placement]};
  query.now_us = ToUs(in.now);
  const absl::Duration executed = j.executed + done;
  const absl::Duration remaining =
      in.runtimes.Remaining(j, shape, executed).mean;
  query.remaining_us = std::clamp<int64_t>(ToUs(remaining), 1, kLongestUs);
  absl::Time latest = std::min(j.spec.submitted + executed + j.spec.max_delay,
                               j.spec.finish_by - remaining);
  if (latest == absl::InfiniteFuture()) {
    latest = j.spec.submitted + executed + absl::Microseconds(max_wait_us_);
  }
  const bool runs = j.run != kNoRun;
  if (runs || executed > absl::ZeroDuration()) latest -= shape.restart;
  query.latest_us =
      std::clamp(ToUs(latest), query.now_us, query.now_us + kLongestUs);
  if (in.grid.horizon) query.horizon_us = ToUs(*in.grid.horizon);
  query.may_pause = shape.suspendable;
  if (runs) {
    query.where = in.runs[j.run].pool;
    query.may_pause &=
        query.latest_us - query.now_us > ToUs(shape.checkpoint) + kSlackUs;
  }
  return query;
}

bool StopAndGo::Stands(const Query& query, const Track& track) const {
  if (!track.planned) return false;
  return !query.shape.suspendable || PlanCovers(query, track);
}

bool StopAndGo::PlanCovers(const Query& query, const Track& track) const {
  double left_us = 0;
  for (size_t i = track.next_stint; i < track.plan.size(); ++i) {
    const Stint& stint = track.plan[i];
    const int64_t from_us = std::max(stint.start_us, query.now_us);
    if (from_us >= stint.end_us) continue;
    left_us +=
        static_cast<double>(stint.end_us - from_us) *
        (stint.count == 0
             ? 1
             : Speed(static_cast<double>(stint.count) / query.shape.count));
  }
  return std::abs(left_us - static_cast<double>(query.remaining_us)) <=
         kSlackUs;
}

StopAndGo::Phase StopAndGo::Follow(const Query& query, Track& track) {
  size_t& next = track.next_stint;
  while (next < track.plan.size() && track.plan[next].end_us <= query.now_us) {
    ++next;
  }
  Phase phase = {.pool = query.where.value_or(track.pool)};
  // A plan that is over says no more: the job runs on.
  if (next == track.plan.size()) return phase;
  const Stint& stint = track.plan[next];
  phase.run = stint.start_us <= query.now_us;
  phase.count = stint.count;
  phase.until_us = phase.run ? stint.end_us : stint.start_us;
  if (!phase.run) phase.why = ReasonCode::kCleanerHour;
  return phase;
}

bool StopAndGo::PlanUnbroken(const PolicyInput& in, const Query& query,
                             Track& track) {
  const int n = StartsAllowed(query.now_us, query.latest_us, query.remaining_us,
                              query.horizon_us, kHourUs);
  double least = std::numeric_limits<double>::infinity();
  track.plan.clear();
  track.next_stint = 0;
  for (const PoolId pool : query.pools) {
    Curve* const c = curve(in, pool);
    if (c == nullptr) continue;
    const WindowStart best =
        BestWindow(*c, query.now_us, query.remaining_us, kHourUs, n, grams_);
    const double grams = best.grams * Kilowatts(in, pool);
    if (!(grams < least)) continue;
    least = grams;
    track.pool = pool;
    track.plan = {{best.start_us, best.start_us + query.remaining_us, 0}};
  }
  return !track.plan.empty();
}

// What the job emits: as planned, if it keeps to its plan, else if it runs
// straight on from the start of the choice.
void StopAndGo::Explain(const PolicyInput& in, const Query& query,
                        const Track& track, Reason& reason) {
  const uint32_t own = query.shape.count;
  const auto straight = [&](Choice& choice) {
    Curve* const c = curve(in, choice.pool);
    if (c == nullptr) return;
    const int64_t from_us = ToUs(choice.start);
    choice.carbon = GramsCo2e(c->Grams(from_us, from_us + query.remaining_us) *
                              Kilowatts(in, choice.pool) * own);
    choice.valid = true;
  };
  reason.now = {.pool = query.pools.front(), .start = in.now};
  straight(reason.now);
  Curve* const c = curve(in, reason.chosen.pool);
  if (reason.chosen.pool != track.pool || c == nullptr ||
      !PlanCovers(query, track)) {
    straight(reason.chosen);
    return;
  }
  double grams = 0;
  for (size_t i = track.next_stint; i < track.plan.size(); ++i) {
    const Stint& stint = track.plan[i];
    const int64_t from_us = std::max(stint.start_us, query.now_us);
    grams += c->Grams(from_us, stint.end_us) *
             (stint.count == 0 ? own : stint.count);
  }
  reason.chosen.carbon = GramsCo2e(grams * Kilowatts(in, track.pool));
  reason.chosen.valid = true;
}

// A job as it is would be treated by a policy that knows of no other.
std::vector<Choice> StopAndGo::Offers(const PolicyInput& in, const Job& job,
                                      const JobShape& shape) const {
  const std::unique_ptr<StopAndGo> fresh = Fresh();
  fresh->curves_.Refresh(in);
  std::vector<Choice> offers;
  for (const PoolId pool : in.placements[shape.placement]) {
    const Placement alone = {pool};
    const Query all = fresh->QueryOf(in, job, shape, absl::ZeroDuration());
    Query query = {.shape = shape,
                   .pools = alone,
                   .now_us = all.now_us,
                   .remaining_us = all.remaining_us,
                   .latest_us = all.latest_us,
                   .horizon_us = all.horizon_us,
                   .may_pause = shape.suspendable};
    Track track;
    track.pool = pool;
    const Phase phase = fresh->Consult(in, query, track);
    Reason reason;
    reason.chosen = {.pool = pool,
                     .start = phase.run ? in.now : FromUs(phase.until_us)};
    fresh->Explain(in, query, track, reason);
    offers.push_back(reason.chosen);
  }
  std::stable_sort(offers.begin(), offers.end(),
                   [this](const Choice& a, const Choice& b) {
                     if (a.valid != b.valid) return a.valid;
                     if (TakesFirstChance() && a.start != b.start) {
                       return a.start < b.start;
                     }
                     return a.carbon < b.carbon;
                   });
  return offers;
}

}  // namespace ccsched
