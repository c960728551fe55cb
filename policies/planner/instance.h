// What is planned: jobs with windows, pools with capacity, an hourly grid.
// SPDX-License-Identifier: Apache-2.0
//
// All times are microseconds after the instance's origin, which is an edge of
// the grid; all costs are grams of CO2-equivalent, or what weighs as much.
#ifndef CCSCHED_POLICIES_PLANNER_INSTANCE_H_
#define CCSCHED_POLICIES_PLANNER_INSTANCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ccsched {

// The time step of prices and of planning.
inline constexpr int64_t kSlotUs = 3'600'000'000;
inline constexpr int32_t kDaySlots = 24;

struct PlanPool {
  bool limited = true;  // false: as many accelerators as one asks for
  double capacity = 0;
  uint32_t node_size = 0;  // 0: not packed on nodes
  // What one accelerator at work emits in each slot.
  std::vector<double> grams;
  // Accelerators free in each slot, on average over it; what is being planned
  // shares them. Unused if unlimited.
  std::vector<double> room;
};

// How long a run may last, where that is not known: lengths and how likely they
// are; shares sum to one.
struct LengthSpread {
  struct Share {
    int64_t length;
    double share;
  };
  std::vector<Share> shares;
};

// The widths at which an elastic job may run, its own first, and how much it
// does in an hour there, in hours at its own.
struct PlanWidths {
  struct Width {
    uint32_t count;
    double speed;
  };
  std::vector<Width> widths;
  // How long it lasts at its own width at most. 0: just its duration, and its
  // promise is about its end, whatever the width. Else it might turn out
  // shorter, and its promise with it, or longer: where it runs faster it may
  // not start later, where it runs slower it starts sooner.
  int64_t longest = 0;
};

// The corners of a polygon that holds each width that an elastic job may have,
// with its speed there: what it does in an hour, in hours at its own width.
// Widths grow. For a job that may pause, (0, 0) may be one more corner: a
// stretch can be left out.
struct WidthCorners {
  struct Corner {
    double count;
    double speed;
  };
  std::vector<Corner> corners;
};

struct PlanJob {
  int64_t release = 0;
  int64_t duration = 0;    // useful work at `count`
  int64_t latest_end = 0;  // of its promise; at least release + duration
  uint32_t count = 1;
  uint32_t pools = 0;  // index into PlanInstance::placements
  bool suspendable = false;
  int64_t checkpoint = 0;  // overhead when suspended
  int64_t restart = 0;     // overhead when resumed
  float weight = 1;        // so many of them are expected
  float wait = 0;          // what an hour of waiting costs each accelerator
  // Null: it lasts just `duration`. Else that is what it is expected to take,
  // and a start is weighed by what it emits on average over the spread.
  std::shared_ptr<const LengthSpread> spread;
  // Null: it runs at `count` only. In a rolling plan.
  std::shared_ptr<const PlanWidths> widths;
  // Null but in the bound, and there for an elastic job: it takes another width
  // at any time, for a checkpoint and a restart.
  std::shared_ptr<const WidthCorners> corners;
  double speed = 1;  // what it does in an hour at `count`, for its own width
  int32_t priority = 0;  // higher ones choose first
  uint32_t account = 0;  // whose load counts, where projects have shares

  int64_t latest_start() const { return latest_end - duration; }
  // Whether its promise does not allow so late a start. `now` is never too
  // late: nobody can start before it.
  bool IsLateAt(int64_t start, int64_t now) const {
    return start > std::max(now, latest_start());
  }
  // Of all its accelerators, in microseconds.
  double Work() const { return static_cast<double>(duration) * count; }
  bool elastic() const { return corners != nullptr; }
};

// What there is of a slot within a job's window.
struct SlotPart {
  int64_t index;
  int64_t begin;
  int64_t end;
  double slots() const { return (end - begin) * (1.0 / kSlotUs); }
};
inline SlotPart PartOf(const PlanJob& job, int64_t slot) {
  return {slot, std::max(job.release, slot * kSlotUs),
          std::min(job.latest_end, (slot + 1) * kSlotUs)};
}

struct PlanInstance {
  int32_t slots = 0;
  // Prices of slots from here on are given, not sought; at most `slots`.
  int32_t priced_slots = 0;
  std::vector<PlanPool> pools;
  std::vector<std::vector<uint16_t>> placements;  // allowed pools
  std::vector<PlanJob> jobs;

  int64_t end() const { return slots * kSlotUs; }
};

// What a job of `count` takes of a pool: whole nodes if wider than one.
inline uint32_t Occupied(uint32_t count, uint32_t node_size) {
  if (node_size == 0 || count <= node_size) return count;
  return (count + node_size - 1) / node_size * node_size;
}

// How much others may hold of a limited pool beside a job of `count`.
inline int32_t LevelBeside(const PlanPool& pool, uint32_t count) {
  return static_cast<int32_t>(pool.capacity) -
         static_cast<int32_t>(Occupied(count, pool.node_size));
}

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_INSTANCE_H_
