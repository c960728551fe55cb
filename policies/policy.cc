// What every policy can say of a job by default.
// SPDX-License-Identifier: Apache-2.0
#include "policies/policy.h"

#include <algorithm>
#include <cstdint>

namespace ccsched {
namespace {

// Jobs without a promise are offered starts up to so far ahead.
constexpr absl::Duration kOfferedAhead = absl::Hours(24);

// The start in [now, latest] of least emission: a rigid job's emission is
// linear in its start between those starts at which its start or its end
// meets the edge of a step.
absl::Time BestStart(const Forecast& forecast, absl::Time now,
                     absl::Time latest, absl::Duration length) {
  absl::Time best = now;
  GramsCo2e least = forecast.PerKilowatt(now, now + length);
  const absl::Duration step = forecast.series().step();
  for (const absl::Duration shift : {absl::ZeroDuration(), length}) {
    const absl::Time from = now + shift;
    const int64_t steps = (from - forecast.series().start()) / step;
    absl::Time edge = forecast.series().start() + step * (steps + 1);
    for (; edge - shift <= latest; edge += step) {
      const absl::Time start = edge - shift;
      if (start < now) continue;
      const GramsCo2e grams = forecast.PerKilowatt(start, start + length);
      if (grams < least || (grams == least && start < best)) {
        least = grams;
        best = start;
      }
    }
  }
  if (forecast.PerKilowatt(latest, latest + length) < least) best = latest;
  return best;
}

}  // namespace

absl::Time PolicyInput::LatestStart(JobRef job,
                                    absl::Duration remaining) const {
  const Job& j = jobs[job];
  const bool has_run = j.executed.us() > 0;
  absl::Time latest = j.spec.submitted + j.spec.max_delay;
  if (has_run) latest += j.executed;
  if (j.spec.finish_by != PackedTime::InfiniteFuture()) {
    latest = std::min(latest, j.spec.finish_by - remaining);
  }
  // Taking up a job again costs time that is not useful work.
  return has_run ? latest - shapes[j.shape].restart : latest;
}

std::vector<Choice> Policy::Offers(const PolicyInput& input, const Job& job,
                                   const JobShape& shape) const {
  const absl::Duration length =
      input.runtimes.Remaining(job, shape, job.executed).mean;
  absl::Time latest = std::min(job.spec.submitted + job.spec.max_delay,
                               job.spec.finish_by - length);
  if (latest == absl::InfiniteFuture()) latest = input.now + kOfferedAhead;
  if (input.grid.horizon)
    latest = std::min(latest, *input.grid.horizon - length);
  latest = std::max(latest, input.now);
  std::vector<Choice> offers;
  for (const PoolId pool : input.placements[shape.placement]) {
    Choice offer = {.pool = pool, .start = input.now};
    if (const Forecast* forecast = input.forecast(pool)) {
      offer.start = BestStart(*forecast, input.now, latest, length);
      offer.carbon =
          forecast->PerKilowatt(offer.start, offer.start + length) *
          (input.topology.GridPower(pool, shape.count).value() / 1000);
      offer.valid = true;
    }
    offers.push_back(offer);
  }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Choice& a, const Choice& b) {
                     if (a.valid != b.valid) return a.valid;
                     return a.valid && a.carbon < b.carbon;
                   });
  return offers;
}

}  // namespace ccsched
