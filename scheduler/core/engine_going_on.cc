// The engine: jobs that go on after a loss, a suspension, or at another width.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {
namespace {

// A broken node or job must not become a storm of starts: from the third loss
// in a row on, a job waits before its next start, for times that double.
constexpr int kLossesFree = 2;
constexpr absl::Duration kPauseMin = absl::Seconds(1);
constexpr absl::Duration kPauseMax = absl::Minutes(5);
// A loss after so long a run begins a new row.
constexpr absl::Duration kSettled = kPauseMax;

absl::Duration PauseAfter(int losses) {
  if (losses <= kLossesFree) return absl::ZeroDuration();
  return std::min(kPauseMin * (1 << (losses - kLossesFree - 1)), kPauseMax);
}

// A job that did not suspend when asked is not asked again before this.
constexpr absl::Duration kAskAgain = absl::Minutes(10);

}  // namespace

void Engine::State::RequeueLost(JobRef ref, PoolId pool, absl::Duration ran) {
  Job& job = jobs_[ref];
  if (ran >= kSettled) job.losses = 0;
  if (job.losses < kLossesMax) ++job.losses;
  Requeue(ref);
  const absl::Duration pause = PauseAfter(job.losses);
  if (job.state != JobState::kQueued || pause <= absl::ZeroDuration()) return;
  SetAside(ref);
  Move(ref, Trigger::kDefer);
  job.wake = now_ + pause;
  job.planned_pool = pool;
  timers_.Push({job.wake.us(), job.spec.id.value(), ref});
  Record(ref, DecisionKind::kDefer, {.code = ReasonCode::kLosses}, job.wake);
}

// Its state is saved: it waits to be taken up, or is held, if that was wanted.
void Engine::State::Suspended(JobRef ref) {
  Move(ref, Trigger::kSuspended);
  if (HoldIfWanted(ref)) {
    gone_.push_back(jobs_[ref].spec.id);
    return;
  }
  suspended_.insert(std::lower_bound(suspended_.begin(), suspended_.end(), ref,
                                     [this](JobRef a, JobRef b) {
                                       return jobs_[a].spec.id <
                                              jobs_[b].spec.id;
                                     }),
                    ref);
}

void Engine::State::QueueSuspended(JobRef ref) {
  Unlink(ref);
  Requeue(ref);
}

// Rounded up to a power of two, so that jobs go on sharing shapes. REQUIRES:
// the job is in no queue, where its shape says which.
void Engine::State::LearnCheckpoint(Job& job, absl::Duration cost) {
  if (cost <= absl::ZeroDuration()) return;
  absl::Duration rounded = absl::Seconds(1);
  while (rounded < cost) rounded *= 2;
  JobShape shape = shapes_[job.shape];
  shape.checkpoint = rounded;
  job.shape = shapes_.Intern(shape);
}

absl::Status Engine::State::Apply(const SuspendDeclined& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindAttempt(e.job, e.epoch));
  Job& job = jobs_[ref];
  RETURN_IF_ERROR(TryMove(ref, Trigger::kGoOn));
  job.hold_wanted = false;
  Run& run = runs_[job.run];
  run.resize_to = 0;
  run.ask_again = now_ + kAskAgain;
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const ResizeAsked& e) {
  ASSIGN_OR_RETURN(const JobRef ref, FindJob(e.job));
  const Job& job = jobs_[ref];
  const JobShape& shape = shapes_[job.shape];
  if (e.count < shape.min_count || e.count > shape.max_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", e.job.value(), " can't have ", e.count,
                     " accelerators: it is elastic from ", shape.min_count,
                     " to ", shape.max_count));
  }
  if (job.state != JobState::kRunning) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", e.job.value(), " is ", ToAbsl(ToString(job.state)),
                     ": only a running one can be resized"));
  }
  Run& run = runs_[job.run];
  if (run.count == e.count) return absl::OkStatus();
  run.ask_again = absl::InfinitePast();  // who asks here means it
  Resize(ref, e.count, {.code = ReasonCode::kOperator});
  return absl::OkStatus();
}

// A suspended job starts anew where it ran: as wide as it was asked to be, or
// as near to that as there is room; as wide as before there is.
void Engine::State::GoOnResized(JobRef ref, const Run& before) {
  if (jobs_[ref].state != JobState::kSuspended) return;  // held
  const Reason reason = {.code = before.resize_to == before.count
                                     ? ReasonCode::kOperator
                                     : ReasonCode::kResized};
  const int step = before.resize_to > before.count ? -1 : 1;
  for (uint32_t count = before.resize_to;; count += step) {
    if (Start(ref, before.pool, reason, count)) return;
    if (count == before.count) break;
  }
  // Its nodes were drained or fell silent meanwhile. Its policy did not suspend
  // it and would not look for it among those that it did.
  QueueSuspended(ref);
}

}  // namespace ccsched
