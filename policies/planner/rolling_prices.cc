// The plan of a live cluster: its grid and its prices.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/planner/pricing.h"
#include "policies/planner/rolling_plan.h"
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
    return std::max(1e-3,
                    static_cast<double>(job.duration) * job.count / kSlotUs);
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

void RollingPlan::Rebase(int64_t now) {
  const int64_t old_origin = origin_;
  const int32_t old_slots = work_.slots;
  origin_ = now / kSlotUs * kSlotUs;
  int64_t end = origin_ + (options_.horizon_slots + 1) * kSlotUs;
  for (const Entry& entry : entries_) {
    if (!entry.used) continue;
    end = std::max(end, entry.running ? entry.end
                                      : std::max(entry.job.latest_end,
                                                 now + entry.job.duration));
    if (entry.pausable) {
      end = std::max(end,
                     std::max(entry.job.latest_end, now + entry.job.duration));
      for (const Stretch& s : entry.stretches) end = std::max(end, s.end);
    }
  }
  // Room for arrivals until the next time, and for jobs that start late.
  const int32_t slots =
      static_cast<int32_t>((end - origin_) / kSlotUs) + 2 * 24 + 2;
  const size_t pools = work_.pools.size();
  std::vector<double> prices(pools * slots, 0.0);
  const int64_t shift = (origin_ - old_origin) / kSlotUs;
  for (size_t p = 0; p < pools && based_; ++p) {
    for (int32_t k = 0; k < slots; ++k) {
      const int64_t old = std::min<int64_t>(k + shift, old_slots - 1);
      prices[p * slots + k] = prices_[p * old_slots + old];
    }
  }
  prices_ = std::move(prices);
  work_.slots = slots;
  work_.priced_slots = std::min(slots, options_.horizon_slots);
  for (size_t p = 0; p < pools; ++p) {
    work_.pools[p].grams.resize(slots);
    grams_(static_cast<int>(p), origin_, slots, work_.pools[p].grams.data());
  }
  carbon_ = PriceTable(work_);
  priced_ = carbon_;
  settled_ = carbon_;
  based_ = true;
}

void RollingPlan::SetTables() {
  std::vector<double> believed(work_.slots);
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    const int pool = static_cast<int>(p);
    for (int32_t k = 0; k < work_.slots; ++k) {
      const double unsure = std::max(0.0, k - options_.sure_hours);
      believed[k] = prices_[p * work_.slots + k] *
                    std::exp(-unsure / options_.trust_hours);
    }
    priced_.SetPrices(work_, pool, believed.data());
    for (int32_t k = 0; k < work_.slots && k < options_.settle_hours; ++k) {
      believed[k] *= std::min(1.0, (k + 0.5) / options_.settle_hours);
    }
    settled_.SetPrices(work_, pool, believed.data());
  }
}

void RollingPlan::SeekPrices(int64_t now, int rounds) {
  PlanInstance priced = work_;
  priced.jobs.clear();
  std::vector<double> worths;
  SlotUsage held(work_.pools.size(), work_.slots);
  for (const Entry& entry : entries_) {
    if (!entry.used) continue;
    if (!entry.running || (entry.pausable && !entry.leaving)) {
      priced.jobs.push_back(Relative(entry.job, now));
      priced.jobs.back().suspendable = entry.pausable;
      priced.jobs.back().spread = nullptr;  // near enough, and much cheaper
      worths.push_back(entry.worth);
      continue;
    }
    const int64_t from = std::max(entry.start - origin_, int64_t{0});
    const int64_t to = std::min(entry.end - origin_, work_.end());
    held.Add(entry.pool, from, std::max(from, to),
             Occupied(entry.job.count, work_.pools[entry.pool].node_size));
  }
  // Of the current slot only what is left counts.
  const double left = 1 - (now - origin_) * (1.0 / kSlotUs);
  const std::vector<double>& usage = held.Sum();
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    priced.pools[p].room.resize(work_.slots);
    for (int32_t k = 0; k < work_.slots; ++k) {
      double room = work_.pools[p].capacity - usage[p * work_.slots + k];
      if (k == 0) room -= (1 - left) * work_.pools[p].capacity;
      priced.pools[p].room[k] = std::max(0.0, room);
    }
  }
  Thin(priced.jobs, worths);
  const size_t known = priced.jobs.size();
  demand_.Expect(now, options_.horizon_slots * kSlotUs, priced.jobs);
  for (size_t j = known; j < priced.jobs.size(); ++j) {
    PlanJob& job = priced.jobs[j];
    job.suspendable = false;  // near enough, and much cheaper
    job.release -= origin_;
    job.latest_end -= origin_;
    // What would reach beyond the grid is cut: it is only expected.
    const int64_t over = job.latest_end - work_.end();
    if (over > 0) {
      job.duration = std::max<int64_t>(0, job.duration - over);
      job.latest_end = std::max(work_.end(), job.release + job.duration);
    }
  }
  if (priced.jobs.empty()) return;
  Pricing pricing(priced);
  pricing.Warm(prices_, std::move(worths));
  pricing.Ascend({.rounds = rounds, .hope = 0.02});
  prices_ = pricing.best_prices();
  const int32_t tail = std::min(kTailSlots, work_.priced_slots);
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    double* price = &prices_[p * work_.slots];
    double sum = 0;
    for (int32_t k = work_.priced_slots - tail; k < work_.priced_slots; ++k) {
      sum += price[k];
    }
    std::fill(price + work_.priced_slots, price + work_.slots,
              options_.tail * sum / tail);
  }
}

}  // namespace ccsched
