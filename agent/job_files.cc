// What the files of attempts wait for: made for a start, removed after an end.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/boot_clock.h"
#include "agent/job_runner.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"

namespace ccsched {
namespace {

// More at once would keep the next start waiting.
constexpr size_t kRemovalsMax = 32;

}  // namespace

// One thing at a time, starts first: what still waits can be stopped.
void JobRunner::NextFiles() {
  if (files_) return;  // its end brings us here again
  while (!on_record_.empty()) {
    const Accepted next = std::move(on_record_.front());
    on_record_.pop_front();
    if (next.over) {
      EndAtOnce(next.id, *next.over, "ended before it was started here");
    } else if (no_starts_) {
      RefuseToStart(next.id);
    } else {
      return BeginSpawn(next);
    }
  }
  if (!to_remove_.empty()) BeginRemoval();
}

void JobRunner::BeginSpawn(const Accepted& accepted) {
  running_[accepted.id] = {};  // its process is not known yet
  files_.emplace();
  files_->start = accepted.id;
  files_worker_.Begin([this, accepted] {
    files_->started = SpawnSupervisor(
        options_.supervisor, accepted.id, accepted.spec, accepted.script,
        PathsOf(options_.launch.state, accepted.id), run_files_, tmps_);
    loop_.Post([this] { OnFiles(); });
  });
}

void JobRunner::BeginRemoval() {
  files_.emplace();
  while (!to_remove_.empty() && files_->removals.size() < kRemovalsMax) {
    const AttemptId id = *to_remove_.begin();
    to_remove_.erase(to_remove_.begin());
    const KnownAttempt* const known = store_.book().Find(id);
    if (known == nullptr) continue;  // forgotten already
    // One that ended before its start has no tag, and no folder.
    files_->removals.push_back(
        {.id = id,
         .tmp = known->tag.empty() ? "" : TmpOf(options_.launch, known->tag),
         .done = false});
  }
  files_worker_.Begin([this] {
    for (Removal& removal : files_->removals) {
      const AttemptPaths paths = PathsOf(options_.launch.state, removal.id);
      removal.done = NoteGapLeft(paths);
      if (removal.done) {
        RemoveTraces(paths, removal.tmp, run_files_, tmps_, trash_);
      }
    }
    loop_.Post([this] { OnFiles(); });
  });
}

void JobRunner::OnFiles() {
  if (!files_) return;  // it was waited for
  files_worker_.Wait();
  FileWork done = *std::exchange(files_, std::nullopt);
  if (done.start) OnSpawned(*done.start, std::move(done.started));
  for (const Removal& removal : done.removals) OnRemoved(removal);
  NextFiles();
}

void JobRunner::OnSpawned(AttemptId id, absl::StatusOr<Supervised> supervised) {
  Running& running = running_.at(id);
  if (!supervised.ok()) {
    if (running.suspend_look) loop_.Cancel(*running.suspend_look);
    running_.erase(id);
    Log(LogLevel::kError, "job not started",
        {{"attempt", id.ToString()}, {"status", supervised.status()}});
    // A full disk, no processes left: the next start would fare no better.
    const std::string why(supervised.status().message());
    const bool node_at_fault = absl::IsUnavailable(supervised.status());
    if (node_at_fault) OnStartFailed(why);
    EndAtOnce(id, v1::OUTCOME_REFUSED, why, node_at_fault);
    return;
  }
  Failpoint("agent.spawned");
  const KnownAttempt& known = *store_.book().Find(id);
  running.supervised = *std::move(supervised);
  running.use = meter_.Begin(known, BootNanos());
  if (running.use.counters) {
    v1::AttemptSampled begun;
    *begun.mutable_key() = ToProto(id);
    *begun.mutable_until() = ToProto(known.started);
    *begun.mutable_counters() = *running.use.counters;
    store_.MarkSampled(begun);
  }
  Follow(id, running);
  Report(StatusOf(id, known));
}

void JobRunner::OnRemoved(const Removal& removal) {
  const AttemptId id = removal.id;
  if (!removal.done) {
    // Its run file knows. To be acknowledged again, once there is room.
    loop_.At(BootNanos() + kNanosPerSecond, [this, id] { ReportFinished(id); });
    return;
  }
  Failpoint("agent.acknowledged");
  store_.Acknowledge(id);
}

}  // namespace ccsched
