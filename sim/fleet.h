// Plays the agents: starts, ends, suspends and resizes attempts on time.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_FLEET_H_
#define CCSCHED_SIM_FLEET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "scheduler/core/engine.h"
#include "scheduler/model/effect.h"
#include "scheduler/model/event.h"
#include "sim/end_heap.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"
#include "sim/tally.h"
#include "sim/workload.h"

namespace ccsched {

// What few jobs have.
struct LiveJobExtra {
  double move_g = 0;  // of the bytes that came before this stretch
  double load = 1;    // its power over that of an accelerator at work
  uint32_t losses = 0;
  Outcome outcome = Outcome::kSucceeded;  // how it will end
  std::vector<NodeShare> nodes;           // if they are asked for
  std::optional<JobShape> shape;          // of a scripted job
};

// A job from its submission to its end. What only the simulation knows: its
// true runtime, and when its attempt will end.
struct LiveJob {
  std::string id;
  int64_t submit_us = 0;
  int64_t duration_us = 0;
  int64_t deadline_us = kForeverUs;
  int64_t executed_us = 0;  // useful work of earlier attempts
  int64_t attempt_us = 0;   // useful work of earlier stretches of this one
  int64_t start_us = 0;     // of this stretch
  int64_t end_us = 0;       // of this attempt, as it stands
  int64_t restart_us = 0;   // overhead at the beginning of this stretch
  int64_t closing_us = 0;   // overhead at its end: a checkpoint
  double co2e_g = 0;
  std::unique_ptr<LiveJobExtra> extra;
  uint32_t count = 1;   // its own
  uint32_t in_use = 0;  // now
  uint32_t epoch = 0;
  uint32_t segment = 0;
  PoolId pool;
  SiteId last_site;
  bool live = false;
  bool running = false;
  bool stopping = false;
  bool lost = false;       // stopping, because a node of it is gone
  bool cancelled = false;  // stopping for good

  LiveJobExtra& Extra() {
    if (extra == nullptr) extra = std::make_unique<LiveJobExtra>();
    return *extra;
  }
};

// Live jobs by their number. A number is given out in order, so that a block
// of them goes when its last one has ended.
class LiveJobs {
 public:
  LiveJob& Insert(uint64_t id);
  LiveJob& operator[](uint64_t id) {
    return blocks_[id / kBlock]->jobs[id % kBlock];
  }
  void Erase(uint64_t id);
  // Whether the job runs in this epoch and ends then.
  bool Stands(uint64_t id, uint32_t epoch, int64_t end_us) const {
    const Block* block = blocks_[id / kBlock].get();
    if (block == nullptr) return false;
    const LiveJob& job = block->jobs[id % kBlock];
    return job.running && job.epoch == epoch && job.end_us == end_us;
  }
  bool Has(uint64_t id) const {
    const Block* block = blocks_[id / kBlock].get();
    return block != nullptr && block->jobs[id % kBlock].live;
  }
  size_t size() const { return size_; }
  // In the order of their numbers.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (const auto& block : blocks_) {
      if (block == nullptr) continue;
      for (LiveJob& job : block->jobs) {
        if (job.live) visit(job);
      }
    }
  }

 private:
  static constexpr uint64_t kBlock = 32;
  struct Block {
    uint32_t live = 0;
    LiveJob jobs[kBlock];
  };
  std::vector<std::unique_ptr<Block>> blocks_;
  std::unique_ptr<Block> spare_;
  size_t size_ = 0;
};

class Fleet {
 public:
  // `sink` may be null. `keep_nodes`: stretches name their nodes.
  Fleet(const Scenario& scenario, Tally& tally, StretchSink* sink,
        bool keep_nodes);

  void Submit(uint64_t id, const SimJob& job);
  // What a scripted job is like, where that is not the scenario's default.
  void Describe(uint64_t id, const JobShape& shape, Outcome outcome,
                double load);
  // The job has ended without running; nothing if it is gone or runs.
  void Forget(uint64_t id, int64_t now_us);
  // Carries out what a step wants.
  absl::Status Carry(int64_t now_us, const Effects& effects, SimResult& result);
  // When the next attempt ends; kForeverUs if none runs.
  int64_t NextEnd();
  // Ends the attempts that end at `now_us`, and says so.
  absl::Status EndDue(int64_t now_us, std::vector<Event>& events);
  // The node is gone, and all that ran there; the engine is told by NodeLost.
  // Attempts that have other nodes too end when the engine asks them to stop.
  absl::Status Fail(int64_t now_us, NodeId node, SimResult& result);
  // The run stops: whatever still runs is cut there. Returns how many jobs
  // were live.
  absl::StatusOr<uint64_t> CutOff(int64_t now_us);

  void AddLosses(SimResult& result) const;

  size_t live() const { return jobs_.size(); }
  size_t running() const { return running_; }

 private:
  absl::Status Start(int64_t now_us, const StartAttempt& start,
                     SimResult& result);
  void Stop(int64_t now_us, const StopAttempt& stop, SimResult& result);
  // What the attempt does is stopped at `now_us`; its work is kept in
  // `attempt_us`, its overhead in `restart_us`.
  void Halt(LiveJob& job, int64_t now_us);
  // The halted attempt is lost.
  absl::Status CloseLost(LiveJob& job, int64_t now_us);
  absl::Status Resize(int64_t now_us, const ResizeAttempt& resize);
  // The stretch is over; `overhead_us` of it was no useful work.
  absl::Status Close(LiveJob& job, int64_t end_us, int64_t overhead_us,
                     int64_t lost_us = 0);
  void Schedule(uint64_t id, LiveJob& job);
  double Speed(const LiveJob& job) const;
  // Useful work done in this stretch up to `now_us`.
  int64_t Work(const LiveJob& job, int64_t now_us) const;
  int64_t RestartUs(const LiveJob& job, bool moved) const;
  int64_t CheckpointUs(const LiveJob& job) const;

  const Scenario& scenario_;
  Tally& tally_;
  StretchSink* const sink_;
  const bool keep_nodes_;
  const int64_t checkpoint_us_;
  const int64_t restart_us_;
  LiveJobs jobs_;
  EndHeap ends_;
  size_t running_ = 0;
  uint64_t lost_attempts_ = 0;
  double lost_hours_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_FLEET_H_
