// Where so much must be done soon that nobody should pause.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/crowding.h"

#include <algorithm>
#include <limits>

#include "absl/algorithm/container.h"

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// They are crowded for so long after they were last found so.
constexpr int64_t kLasts = 24 * kSlotUs;
// The time to come that is looked at.
constexpr int64_t kWindow = 48 * kSlotUs;
// The share of the capacity in that time from which on it is crowded: jobs yet
// to come want room too. Measured at 150 accelerators a site of philly-4zones.
constexpr double kFull = 0.5;

// What a job must do within the window to keep its promise, in accelerator
// microseconds.
double LeastWork(const PlanEntry& entry, int64_t now) {
  const bool stays = entry.running && !entry.pausable;
  const int64_t left =
      std::max<int64_t>(stays ? entry.end - now : entry.job.duration, 0);
  const int64_t slack =
      stays ? 0 : std::max<int64_t>(entry.job.latest_start() - now, 0);
  return entry.job.count *
         static_cast<double>(std::clamp<int64_t>(kWindow - slack, 0, left));
}

// Whether all pools of the one are among those of the other.
bool Within(const std::vector<uint16_t>& some,
            const std::vector<uint16_t>& all) {
  return absl::c_all_of(
      some, [&](uint16_t p) { return absl::c_linear_search(all, p); });
}

}  // namespace

void Crowding::Look(const PlanBook& plan, int64_t now) {
  const PlanInstance& work = plan.work();
  const size_t n = work.placements.size();
  std::vector<double> least(n);
  for (const PlanEntry& entry : plan.entries) {
    if (entry.used) least[entry.job.pools] += LeastWork(entry, now);
  }
  until_.resize(n);
  for (size_t q = 0; q < n; ++q) {
    const std::vector<uint16_t>& pools = work.placements[q];
    double capacity = 0;
    for (const uint16_t p : pools) {
      capacity += work.pools[p].limited ? work.pools[p].capacity : kInfinity;
    }
    double needed = 0;
    for (size_t other = 0; other < n; ++other) {
      if (least[other] > 0 && Within(work.placements[other], pools)) {
        needed += least[other];
      }
    }
    if (needed >= kFull * capacity * kWindow) until_[q] = now + kLasts;
  }
}

bool Crowding::MayPause(uint32_t placement, int64_t now) const {
  return placement >= until_.size() || until_[placement] <= now;
}

}  // namespace ccsched
