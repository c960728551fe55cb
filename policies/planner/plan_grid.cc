// A plan as it stands: its grid and its tables of prices.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "policies/planner/plan_book.h"

namespace ccsched {
namespace {

// Room for arrivals until the next time, and for jobs that start late.
constexpr int32_t kSpareSlots = 2 * 24 + 2;
// Measured, as settle_hours is.
constexpr double kSoonHours = 2;

}  // namespace

void PlanBook::LayGrid(int64_t now, const PlanBook* old) {
  origin_ = now / kSlotUs * kSlotUs;
  int64_t end = origin_ + (options_.horizon_slots + 1) * kSlotUs;
  for (const PlanEntry& entry : entries) {
    if (!entry.used) continue;
    if (entry.running) end = std::max(end, entry.end);
    if (!entry.running || entry.pausable) {
      end = std::max(end, LastEnd(entry, now));
    }
    if (!entry.pausable) continue;
    for (const Stretch& s : entry.stretches) end = std::max(end, s.end);
  }
  const int32_t slots =
      static_cast<int32_t>((end - origin_) / kSlotUs) + kSpareSlots;
  const size_t pools = work_.pools.size();
  prices_.assign(pools * slots, 0.0);
  if (old != nullptr && old->based_) {
    const int32_t old_slots = old->work_.slots;
    const int64_t shift = (origin_ - old->origin_) / kSlotUs;
    for (size_t p = 0; p < pools; ++p) {
      for (int32_t k = 0; k < slots; ++k) {
        const int64_t before = std::min<int64_t>(k + shift, old_slots - 1);
        prices_[p * slots + k] = old->prices_[p * old_slots + before];
      }
    }
  }
  work_.slots = slots;
  work_.priced_slots = std::min(slots, options_.horizon_slots);
  FillGrams();
  based_ = true;
}

void PlanBook::FillGrams() {
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    work_.pools[p].grams.resize(work_.slots);
    (*grams_)(static_cast<int>(p), origin_, work_.slots,
              work_.pools[p].grams.data());
  }
  carbon_ = PriceTable(work_);
  priced_ = carbon_;
  settled_ = carbon_;
  soon_ = carbon_;
  scarcity_.assign(work_.pools.size(), 0.0);
}

void PlanBook::SetPrices(std::vector<double> prices) {
  prices_ = std::move(prices);
  SetTables();
}

void PlanBook::SetTables() {
  std::vector<double> believed(work_.slots);
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    const int pool = static_cast<int>(p);
    const double* const price = &prices_[p * work_.slots];
    for (int32_t k = 0; k < work_.slots; ++k) {
      const double unsure = std::max(0.0, k - options_.sure_hours);
      believed[k] = price[k] * std::exp(-unsure / options_.trust_hours);
    }
    priced_.SetPrices(work_, pool, believed.data());
    Settle(pool, believed, options_.settle_hours, settled_);
    Settle(pool, believed, std::min(options_.settle_hours, kSoonHours), soon_);
    const double* const grams = work_.pools[p].grams.data();
    const int32_t day = std::min(kDaySlots, work_.slots);
    const double emits = std::accumulate(grams, grams + day, 0.0);
    scarcity_[p] =
        emits > 0 ? std::accumulate(price, price + day, 0.0) / emits : 0;
  }
}

void PlanBook::Settle(int pool, std::vector<double> believed, double hours,
                      PriceTable& table) const {
  for (int32_t k = 0; k < work_.slots && k < hours; ++k) {
    believed[k] *= std::min(1.0, (k + 0.5) / hours);
  }
  table.SetPrices(work_, pool, believed.data());
}

void PlanBook::ClearPlaces() {
  work_.jobs.clear();
  schedule_ = std::make_unique<Schedule>(work_);
}

int64_t PlanBook::LastEnd(const PlanEntry& entry, int64_t now) {
  const auto last = [now](const PlanJob& job) {
    return std::max(job.latest_end, std::max(job.release, now) + job.duration);
  };
  return entry.own == nullptr ? last(entry.job)
                              : std::max(last(entry.job), last(*entry.own));
}

bool PlanBook::Reach(int64_t end) {
  const int32_t before = work_.slots;
  if (end <= origin_ + work_.end()) return false;
  const int64_t needed = (end - origin_ + kSlotUs - 1) / kSlotUs;
  // By a good part, so that it is seldom done.
  const int32_t slots =
      std::max(static_cast<int32_t>(needed) + kSpareSlots, before / 4 * 5);
  std::vector<double> prices(work_.pools.size() * slots);
  for (size_t p = 0; p < work_.pools.size(); ++p) {
    for (int32_t k = 0; k < slots; ++k) {
      prices[p * slots + k] = prices_[p * before + std::min(k, before - 1)];
    }
  }
  work_.slots = slots;
  FillGrams();
  SetPrices(std::move(prices));
  schedule_->Lengthen();
  return true;
}

}  // namespace ccsched
