// A plan as it stands: jobs that may run at several widths.
// SPDX-License-Identifier: Apache-2.0
//
// A width is chosen with the place, by what all of the run costs there, and
// kept for as long as the job runs. Where pausing it, to go on at another
// width, saves more than that costs, it is suspended like any other.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "policies/planner/plan_book.h"

namespace ccsched {

PlanJob AtWidth(const PlanJob& own, const PlanWidths::Width& width) {
  if (width.count == own.count) return own;
  PlanJob job = own;
  const auto scaled = [&width](int64_t us) {
    return std::max<int64_t>(
        1, std::llround(std::ceil(static_cast<double>(us) / width.speed)));
  };
  job.count = width.count;
  job.speed = width.speed;
  job.duration = scaled(own.duration);
  if (const int64_t longest = own.widths->longest; longest > 0) {
    // No later than at its own width all the same: it may be below the mean.
    job.latest_end = std::min(
        own.latest_end, own.latest_start() + job.duration -
                            std::max<int64_t>(0, scaled(longest) - longest));
  }
  // An hour's wait costs the job as much at any width.
  job.wait = own.wait * static_cast<float>(own.count) /
             static_cast<float>(width.count);
  if (own.spread != nullptr) {
    auto spread = std::make_shared<LengthSpread>(*own.spread);
    for (LengthSpread::Share& s : spread->shares) s.length = scaled(s.length);
    job.spread = std::move(spread);
  }
  return job;
}

std::vector<PlanJob> UsableWidths(const PlanJob& own, int64_t from) {
  if (own.widths == nullptr) return {own};
  std::vector<PlanJob> jobs;
  const PlanWidths::Width* fastest = own.widths->widths.data();
  for (const PlanWidths::Width& width : own.widths->widths) {
    if (width.speed > fastest->speed) fastest = &width;
    PlanJob job = AtWidth(own, width);
    if (job.latest_start() >= from) jobs.push_back(std::move(job));
  }
  if (jobs.empty()) jobs.push_back(AtWidth(own, *fastest));
  return jobs;
}

StretchOrigin OriginOf(const PlanEntry& entry) {
  if (entry.running) return {StretchOrigin::kRunning, entry.pool};
  return {entry.paused ? StretchOrigin::kSuspended : StretchOrigin::kNew};
}

double PlanBook::Emitted(const std::vector<Stretch>& stretches) const {
  double sum = 0;
  for (const Stretch& s : stretches) {
    sum +=
        s.count * carbon_.Between(s.pool, s.start - origin_, s.end - origin_);
  }
  return sum;
}

void PlanBook::PutElastic(int64_t now, PlanEntry& entry,
                          const PriceTable& table) {
  double least = std::numeric_limits<double>::infinity();
  StartChoice best;
  std::vector<PlanJob> widths = UsableWidths(*entry.own, now);
  size_t chosen = 0;
  for (size_t w = 0; w < widths.size(); ++w) {
    const StartChoice choice =
        schedule_->Cheapest(table, Relative(widths[w], now));
    const double cost = choice.cost * widths[w].count;
    if (choice.pool < 0 || cost >= least) continue;
    least = cost;
    best = choice;
    chosen = w;
  }
  entry.job = std::move(widths[chosen]);
  AddJob(entry, Relative(entry.job, now));
  if (best.pool >= 0) {
    schedule_->Put(entry.work, best.pool, best.start);
  } else {
    schedule_->PutCheapest(table, entry.work);
  }
  TakePlace(entry);
}

void PlanBook::PlanElastic(int64_t now, PlanEntry& entry,
                           const PriceTable& table,
                           std::vector<Stretch>& stretches) {
  double least = std::numeric_limits<double>::infinity();
  double most_carbon = least;
  // One that runs on at its width does so unless another saves enough.
  const double enough = entry.running ? 1 - options_.pauses.least_gain : 1;
  double worth = entry.worth;
  int64_t from = now;
  double leaving = 0;
  double leaving_carbon = 0;
  StretchOrigin origin = OriginOf(entry);
  if (entry.running) {
    least = PlanPauses(now, entry.job, origin, table, worth, stretches);
    most_carbon = stretches.empty() ? least : Emitted(stretches);
    origin = {StretchOrigin::kSuspended};
    from = now + entry.job.checkpoint;
    const auto checkpoint = [&](const PriceTable& by) {
      return entry.job.count *
             by.Between(entry.pool, now - origin_, from - origin_);
    };
    leaving = checkpoint(table);
    leaving_carbon = checkpoint(carbon_);
  }
  std::vector<Stretch> draft;
  for (PlanJob& job : UsableWidths(*entry.own, from)) {
    if (entry.running && job.count == entry.job.count) continue;
    double guess = entry.worth;
    const double cost =
        leaving + PlanPauses(from, job, origin, table, guess, draft);
    if (draft.empty() || cost >= enough * least) continue;
    if (entry.running) {
      const double emitted = leaving_carbon + Emitted(draft);
      if (emitted >= enough * most_carbon) continue;
      most_carbon = emitted;
    } else {
      entry.job = std::move(job);
    }
    least = cost;
    worth = guess;
    stretches.swap(draft);
  }
  entry.worth = worth;
}

}  // namespace ccsched
