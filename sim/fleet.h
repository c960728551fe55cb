// Plays the agents: starts, ends, suspends and resizes attempts on time.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_FLEET_H_
#define CCSCHED_SIM_FLEET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "scheduler/base/due_heap.h"
#include "scheduler/core/engine.h"
#include "scheduler/model/effect.h"
#include "scheduler/model/event.h"
#include "scheduler/model/job_table.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"
#include "sim/tally.h"
#include "sim/workload.h"

namespace ccsched {

// What few jobs have.
struct ProgressExtra {
  double move_g = 0;  // of the bytes that came before this stretch
  double load = 1;    // its power over that of an accelerator at work
  uint32_t losses = 0;
  Outcome outcome = Outcome::kSucceeded;  // how it will end
  std::vector<NodeShare> nodes;           // if they are asked for
  std::optional<JobShape> shape;          // of a scripted job
};

// How far a job has come that has started, or of which more is known.
struct Progress {
  uint64_t job = 0;         // its number
  int64_t executed_us = 0;  // useful work of earlier attempts
  int64_t attempt_us = 0;   // useful work of earlier stretches of this one
  int64_t start_us = 0;     // of this stretch
  int64_t end_us = 0;       // of this attempt, as it stands
  int64_t restart_us = 0;   // overhead at the beginning of this stretch
  int64_t closing_us = 0;   // overhead at its end: a checkpoint
  double co2e_g = 0;
  std::unique_ptr<ProgressExtra> extra;
  uint32_t in_use = 0;  // accelerators now
  uint32_t epoch = 0;
  uint32_t segment = 0;
  PoolId pool;
  SiteId last_site;
  bool running = false;
  bool stopping = false;
  bool lost = false;       // stopping, because a node of it is gone
  bool cancelled = false;  // stopping for good

  ProgressExtra& Extra() {
    if (extra == nullptr) extra = std::make_unique<ProgressExtra>();
    return *extra;
  }
};

// A job from its submission to its end: what only the simulation knows. Small,
// as millions may wait at once.
struct LiveJob {
  static constexpr uint32_t kNoProgress = 0xffffffff;

  int64_t submit_us = 0;
  int64_t duration_us = 0;
  int64_t deadline_us = 0;
  uint32_t count = 0;  // its own; 0: there is no such job
  uint32_t progress = kNoProgress;
};

// Live jobs by their number. A number is given out in order, so that a block
// of them goes when its last one has ended.
class LiveJobs {
 public:
  // REQUIRES: numbers grow by one from call to call.
  LiveJob& Insert(uint64_t number, std::string_view id);
  LiveJob& operator[](uint64_t number) {
    return blocks_[number / kBlock]->jobs[number % kBlock];
  }
  // Brings it near, for whoever needs it soon. REQUIRES: there is such a job.
  void Prefetch(uint64_t number) const {
    __builtin_prefetch(&blocks_[number / kBlock]->jobs[number % kBlock]);
  }
  // In its trace. Valid until the job is erased or another one inserted.
  std::string_view Id(uint64_t number) const {
    const Block& block = *blocks_[number / kBlock];
    const uint64_t i = number % kBlock;
    const uint32_t begin = i == 0 ? 0 : block.id_ends[i - 1];
    return std::string_view(block.ids).substr(begin, block.id_ends[i] - begin);
  }
  void Erase(uint64_t number);
  bool Has(uint64_t number) const {
    const Block* block = blocks_[number / kBlock].get();
    return block != nullptr && block->jobs[number % kBlock].count > 0;
  }
  size_t size() const { return size_; }
  // visit(number, LiveJob&), in the order of their numbers.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (uint64_t b = 0; b < blocks_.size(); ++b) {
      if (blocks_[b] == nullptr) continue;
      for (uint64_t i = 0; i < kBlock; ++i) {
        LiveJob& job = blocks_[b]->jobs[i];
        if (job.count > 0) visit(b * kBlock + i, job);
      }
    }
  }

 private:
  static constexpr uint64_t kBlock = 32;
  struct Block {
    uint32_t live = 0;
    uint32_t id_ends[kBlock] = {};  // of each id in `ids`
    std::string ids;
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
  // The job that it is of. REQUIRES: NextEnd() named a time just now.
  JobId NextToEnd() const { return JobId(progress_[ends_.top().slot()].job); }
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
  void Halt(Progress& p, int64_t now_us);
  // The halted attempt ends when its state is saved; at once if it is lost.
  void EndAfterClosing(Progress& p, int64_t now_us);
  // The halted attempt is lost.
  absl::Status CloseLost(Progress& p, int64_t now_us);
  // It goes on with other accelerators, or, where that costs it a checkpoint
  // and a restart, begins with the checkpoint.
  absl::Status Resize(int64_t now_us, const ResizeAttempt& resize);
  // The stretch is over; `overhead_us` of it was no useful work.
  absl::Status Close(Progress& p, int64_t end_us, int64_t overhead_us,
                     int64_t lost_us = 0);
  // The attempt whose end is due ends.
  absl::Status End(Progress& p, int64_t now_us, std::vector<Event>& events);
  void Schedule(Progress& p);
  // Whether the attempt still runs, and is to end then.
  bool Stands(const DueHeap::Entry& end) const;
  double Speed(const Progress& p, uint32_t count) const;
  // Useful work done in this stretch up to `now_us`.
  int64_t Work(const Progress& p, int64_t now_us);
  int64_t RestartUs(const Progress& p, bool moved);
  int64_t CheckpointUs(const Progress& p) const;
  // Its progress; a new one if it has none yet.
  Progress& ProgressOf(uint64_t number);
  // Of a job that has started and is live; null if there is none.
  Progress* Find(uint64_t number);
  JobEnd EndOf(uint64_t number, const LiveJob& job, int64_t end_us);
  void Erase(uint64_t number);

  const Scenario& scenario_;
  Tally& tally_;
  StretchSink* const sink_;
  const bool keep_nodes_;
  const int64_t checkpoint_us_;
  const int64_t restart_us_;
  LiveJobs jobs_;
  Slab<Progress> progress_;
  DueHeap ends_;
  size_t running_ = 0;
  uint64_t lost_attempts_ = 0;
  double lost_hours_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_FLEET_H_
