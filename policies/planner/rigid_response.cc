// The cheapest start of a job that runs without a pause, under given prices.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/rigid_response.h"

namespace ccsched {

namespace {

void BestSpreadStart(const PriceTable& prices, int pool, int64_t earliest,
                     int64_t latest, const RunLength& length,
                     StartChoice& best) {
  const auto offer = [&](int64_t start) {
    const double cost = RunCost(prices, pool, start, length);
    if (cost < best.cost) best = {pool, start, cost};
  };
  offer(earliest);
  int64_t edge = (earliest / kSlotUs + 1) * kSlotUs;
  for (; edge < latest; edge += kSlotUs) offer(edge);
  if (latest > earliest) offer(latest);
}

}  // namespace

double RunCost(const PriceTable& prices, int pool, int64_t start,
               const RunLength& length) {
  if (length.spread == nullptr) {
    return prices.Between(pool, start, start + length.expected) +
           length.Wait(start);
  }
  double until = 0;
  for (const LengthSpread::Share& s : length.spread->shares) {
    until += s.share * prices.Until(pool, start + s.length);
  }
  return until - prices.Until(pool, start) + length.Wait(start);
}

void BestStart(const PriceTable& prices, int pool, int64_t earliest,
               int64_t latest, const RunLength& length, StartChoice& best) {
  if (length.spread != nullptr) {
    return BestSpreadStart(prices, pool, earliest, latest, length, best);
  }
  const int64_t duration = length.expected;
  const auto offer = [&](int64_t start, double cost) {
    if (cost < best.cost) best = {pool, start, cost};
  };
  offer(earliest, RunCost(prices, pool, earliest, length));
  if (latest == earliest) return;
  offer(latest, RunCost(prices, pool, latest, length));

  const double* prefix = prices.prefix(pool);
  const double* rate = prices.rate(pool);
  const int64_t whole = duration / kSlotUs;
  const int64_t rest_us = duration - whole * kSlotUs;
  const double rest = rest_us * (1.0 / kSlotUs);
  const double wait = length.wait;
  double least = best.cost;
  // Starts at the edge of slot k.
  const int64_t first = (earliest + kSlotUs - 1) / kSlotUs;
  const int64_t last = latest / kSlotUs;
  int64_t best_k = -1;
  for (int64_t k = first; k <= last; ++k) {
    const double cost =
        prefix[k + whole] + rest * rate[k + whole] - prefix[k] + wait * k;
    if (cost < least) {
      least = cost;
      best_k = k;
    }
  }
  if (best_k >= 0) offer(best_k * kSlotUs, least);
  if (rest_us == 0) return;
  // Ends at the edge of slot m; the start is in slot m - whole - 1.
  const int64_t first_end = (earliest + duration + kSlotUs - 1) / kSlotUs;
  const int64_t last_end = (latest + duration) / kSlotUs;
  int64_t best_m = -1;
  for (int64_t m = first_end; m <= last_end; ++m) {
    const double cost = prefix[m] - prefix[m - whole] +
                        rest * rate[m - whole - 1] + wait * (m - whole - rest);
    if (cost < least) {
      least = cost;
      best_m = m;
    }
  }
  if (best_m >= 0) offer(best_m * kSlotUs - duration, least);
}

StartChoice BestStart(const PlanInstance& instance, const PriceTable& prices,
                      const PlanJob& job) {
  StartChoice best;
  for (const uint16_t pool : instance.placements[job.pools]) {
    BestStart(prices, pool, job.release, job.latest_start(), RunLength::Of(job),
              best);
  }
  return best;
}

}  // namespace ccsched
