// Planning anew: the prices.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/planner/pricing.h"
#include "policies/planner/replanning.h"
#include "policies/planner/slot_usage.h"

namespace ccsched {
namespace {

// The last hours of the horizon whose mean price is taken for all beyond it.
constexpr int32_t kTailSlots = 72;
// Prices are sought for about so many of the waiting jobs; small ones beyond
// stand for others of their size.
constexpr double kMostPriced = 3000;

// Bundles small rigid jobs, in their order, so that about kMostPriced are left.
void Thin(std::vector<PlanJob>& jobs, std::vector<double>& worths) {
  if (jobs.size() <= kMostPriced) return;
  const auto size = [](const PlanJob& job) {
    return std::max(1e-3, job.Work() / kSlotUs);
  };
  double work = 0;
  for (const PlanJob& job : jobs) work += size(job);
  const double least = 2 * work / kMostPriced;
  double bundled = 0;
  size_t kept = 0;
  for (size_t j = 0; j < jobs.size(); ++j) {
    double copies = 1;
    if (!jobs[j].suspendable && size(jobs[j]) < least) {
      bundled += size(jobs[j]);
      if (bundled < least) continue;
      copies = bundled / size(jobs[j]);
      bundled = 0;
    }
    jobs[kept] = jobs[j];
    jobs[kept].weight = static_cast<float>(copies);
    worths[kept++] = worths[j];
  }
  jobs.resize(kept);
  worths.resize(kept);
}

}  // namespace

void Replanning::BeginPricing() {
  book_->LayGrid(now_, &old_);
  const PlanInstance& grid = book_->work();
  const int64_t origin = book_->origin();
  PlanInstance& priced = priced_;
  priced = grid;
  priced.jobs.clear();
  std::vector<double> worths;
  SlotUsage held(grid.pools.size(), grid.slots);
  for (const PlanEntry& entry : book_->entries) {
    if (!entry.used) continue;
    if (!entry.running || (entry.pausable && !entry.leaving)) {
      priced.jobs.push_back(book_->Relative(entry.job, now_));
      priced.jobs.back().suspendable = entry.pausable;
      priced.jobs.back().spread = nullptr;  // near enough, and much cheaper
      worths.push_back(entry.worth);
      continue;
    }
    const int64_t from = std::max(entry.start - origin, int64_t{0});
    const int64_t to = std::min(entry.end - origin, grid.end());
    held.Add(entry.pool, from, std::max(from, to),
             Occupied(entry.job.count, grid.pools[entry.pool].node_size));
  }
  // Of the current slot only what is left counts.
  const double left = 1 - (now_ - origin) * (1.0 / kSlotUs);
  const std::vector<double>& usage = held.Sum();
  for (size_t p = 0; p < grid.pools.size(); ++p) {
    priced.pools[p].room.resize(grid.slots);
    for (int32_t k = 0; k < grid.slots; ++k) {
      double room = grid.pools[p].capacity - usage[p * grid.slots + k];
      if (k == 0) room -= (1 - left) * grid.pools[p].capacity;
      priced.pools[p].room[k] = std::max(0.0, room);
    }
  }
  Thin(priced.jobs, worths);
  const size_t known = priced.jobs.size();
  demand_.Expect(now_, grid.priced_slots * kSlotUs, priced.jobs);
  for (size_t j = known; j < priced.jobs.size(); ++j) {
    PlanJob& job = priced.jobs[j];
    job.suspendable = false;
    job.release -= origin;
    job.latest_end -= origin;
    // What would reach beyond the grid is cut: it is only expected.
    const int64_t over = job.latest_end - grid.end();
    if (over > 0) {
      job.duration = std::max<int64_t>(0, job.duration - over);
      job.latest_end = std::max(grid.end(), job.release + job.duration);
    }
  }
  if (priced.jobs.empty()) return;
  pricing_.emplace(priced);
  pricing_->Warm(book_->prices(), std::move(worths));
  pricing_->Begin({.rounds = options_.rounds, .hope = 0.02});
}

void Replanning::EndPricing() {
  if (!pricing_) {
    book_->SetPrices(book_->prices());
    return;
  }
  const PlanInstance& grid = book_->work();
  std::vector<double> prices = pricing_->best_prices();
  const int32_t tail = std::min(kTailSlots, grid.priced_slots);
  for (size_t p = 0; p < grid.pools.size(); ++p) {
    double* price = &prices[p * grid.slots];
    double sum = 0;
    for (int32_t k = grid.priced_slots - tail; k < grid.priced_slots; ++k) {
      sum += price[k];
    }
    std::fill(price + grid.priced_slots, price + grid.slots,
              options_.tail * sum / tail);
  }
  book_->SetPrices(std::move(prices));
  pricing_.reset();
  priced_ = {};
}

}  // namespace ccsched
