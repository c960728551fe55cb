// The common part of published policies that pick one start for each job.
// SPDX-License-Identifier: Apache-2.0
#include "policies/start_once.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

// Longer runs are weighed as if they lasted so long.
constexpr int64_t kLongestUs = kHourUs * 24 * 366;

double Kilowatts(const PolicyInput& in, PoolId pool) {
  return in.topology.GridPower(pool, 1).value() / 1000;
}

}  // namespace

StartOnce::StartOnce(const PolicyParameters& parameters)
    : max_wait_us_(static_cast<int64_t>(parameters.at("max_wait_h") *
                                        static_cast<double>(kHourUs))) {}

ParameterSpec StartOnce::WaitParameter() {
  return {.name = "max_wait_h",
          .unit = "h",
          .default_value = 24,
          .min = 0,
          .max = 24 * 366,
          .doc =
              "how long a job may be deferred that has neither a longest "
              "delay nor a time to finish by",
          .source = "the wait of long jobs in GAIA (ASPLOS'24)"};
}

StartOnce::Query StartOnce::QueryOf(const PolicyInput& in, absl::Time latest,
                                    absl::Duration length) const {
  Query query;
  query.now_us = ToUs(in.now);
  query.length_us = std::clamp<int64_t>(ToUs(length), 1, kLongestUs);
  query.latest_us = latest == absl::InfiniteFuture()
                        ? query.now_us + max_wait_us_
                        : std::min(ToUs(latest), query.now_us + kLongestUs);
  query.latest_us = std::max(query.latest_us, query.now_us);
  query.horizon_us = in.grid.horizon ? ToUs(*in.grid.horizon) : kNeverUs;
  return query;
}

int StartOnce::HourlyStarts(const Query& query) {
  return StartsAllowed(query.now_us, query.latest_us, query.length_us,
                       query.horizon_us, kHourUs);
}

StartOnce::Picks StartOnce::PickOf(const PolicyInput& in, Curves& curves,
                                   std::vector<double>& grams,
                                   const JobShape& shape, Query& query) const {
  const Placement& pools = in.placements[shape.placement];
  if (ComparesWithNow()) {
    query.now_grams = std::numeric_limits<double>::infinity();
    for (const PoolId pool : pools) {
      Curve* const curve = curves.of(in, pool);
      if (curve == nullptr) continue;
      query.now_grams = std::min(
          query.now_grams,
          Kilowatts(in, pool) *
              curve->Grams(query.now_us, query.now_us + query.length_us));
    }
  }
  Picks picks;
  for (const PoolId pool : pools) {
    Curve* const curve = curves.of(in, pool);
    if (curve == nullptr) continue;
    const Pick pick = {pool, Best(query, *curve, Kilowatts(in, pool), grams)};
    ++picks.known;
    if (picks.known == 1) {
      picks.best = pick;
    } else if (pick.start.score > picks.best.start.score) {
      picks.next = std::exchange(picks.best, pick);
    } else if (picks.known == 2 || pick.start.score > picks.next.start.score) {
      picks.next = pick;
    }
  }
  return picks;
}

void StartOnce::Decide(const PolicyInput& in, Actions& actions) {
  curves_.Refresh(in);
  if (in.queue.empty()) return;
  due_.clear();
  for (const JobRef job : arrivals_.Of(in)) {
    if (!arrivals_.Woken(job)) Plan(in, actions, job);
    if (in.jobs[job].state == JobState::kQueued) due_.push_back(job);
  }
  queue_.Run(
      in, due_, in.capacity_freed,
      [&](JobRef job) { return TryStart(in, actions, job); },
      [&](JobRef job) {
        return ToUs(in.LatestStart(job, &RuntimeBelief::mean));
      });
  for (const JobRef job : due_) {
    if (in.jobs[job].state != JobState::kQueued) continue;
    actions.Wait(job, {.code = ReasonCode::kCapacity});
  }
}

// A choice with its emission.
static Choice Weighed(const PolicyInput& in, Curves& curves, PoolId pool,
                      int64_t start_us, int64_t length_us, uint32_t count) {
  Choice choice = {.pool = pool, .start = FromUs(start_us)};
  if (Curve* const curve = curves.of(in, pool)) {
    choice.carbon = GramsCo2e(curve->Grams(start_us, start_us + length_us) *
                              Kilowatts(in, pool) * count);
    choice.valid = true;
  }
  return choice;
}

void StartOnce::Plan(const PolicyInput& in, Actions& actions, JobRef job) {
  const absl::Duration length = in.remaining(job).mean;
  Query query = QueryOf(in, in.LatestStart(job, length), length);
  if (query.latest_us == query.now_us) return;
  const JobShape& shape = in.shape(job);
  const Picks picks = PickOf(in, curves_, grams_, shape, query);
  if (picks.known == 0) return;
  const Start& start = picks.best.start;
  if (start.start_us <= query.now_us) return;
  const PoolId pool = picks.best.pool;
  Reason reason;
  reason.code = ReasonCode::kCleanerHour;
  if (actions.Explains()) {
    const auto weighed = [&](PoolId at, int64_t start_us) {
      return Weighed(in, curves_, at, start_us, query.length_us, shape.count);
    };
    reason.chosen = weighed(pool, start.start_us);
    reason.now = weighed(in.placement(job).front(), query.now_us);
    reason.next = picks.known == 1
                      ? reason.now
                      : weighed(picks.next.pool, picks.next.start.start_us);
  }
  actions.Defer(job, FromUs(start.start_us), pool, reason);
}

bool StartOnce::TryStart(const PolicyInput& in, Actions& actions, JobRef job) {
  const absl::Duration length = in.remaining(job).mean;
  const absl::Time latest = in.LatestStart(job, length);
  const Query query = QueryOf(in, latest, length);
  bool known = false;
  PoolId pool;
  // Pools of unknown intensity come last.
  const bool fits = CheapestFit(
      in, actions, queue_, job,
      [&](PoolId p) {
        Curve* const curve = curves_.of(in, p);
        if (curve == nullptr) return std::numeric_limits<double>::infinity();
        known = true;
        return -ScoreNow(query, *curve, Kilowatts(in, p));
      },
      pool);
  if (!fits) return false;
  Reason reason;
  reason.code = !known             ? ReasonCode::kNoData
                : latest <= in.now ? ReasonCode::kPromise
                                   : ReasonCode::kBestIsNow;
  if (actions.Explains()) {
    const auto weighed = [&](PoolId at) {
      return Weighed(in, curves_, at, query.now_us, query.length_us,
                     in.shape(job).count);
    };
    const PoolId first = in.placement(job).front();
    reason.chosen = weighed(pool);
    reason.now = first == pool ? reason.chosen : weighed(first);
  }
  return actions.Start(job, pool, reason);
}

std::vector<Choice> StartOnce::Offers(const PolicyInput& in, const Job& job,
                                      const JobShape& shape) const {
  Curves curves;
  curves.Refresh(in);
  std::vector<double> grams;
  const absl::Duration length =
      in.runtimes.Remaining(job, shape, job.executed).mean;
  Query query = QueryOf(in,
                        std::min(job.spec.submitted + job.spec.max_delay,
                                 job.spec.finish_by - length),
                        length);
  PickOf(in, curves, grams, shape, query);  // fills query.now_grams
  std::vector<std::pair<double, Choice>> scored;
  for (const PoolId pool : in.placements[shape.placement]) {
    Start start = {query.now_us, -std::numeric_limits<double>::infinity()};
    if (Curve* const curve = curves.of(in, pool)) {
      start = Best(query, *curve, Kilowatts(in, pool), grams);
    }
    scored.emplace_back(start.score, Weighed(in, curves, pool, start.start_us,
                                             query.length_us, shape.count));
  }
  std::stable_sort(
      scored.begin(), scored.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Choice> offers;
  offers.reserve(scored.size());
  for (const auto& [score, choice] : scored) offers.push_back(choice);
  return offers;
}

}  // namespace ccsched
