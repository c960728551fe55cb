// The driver: what a step's effects put on record and set going.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/log.h"
#include "scheduler/daemon/driver.h"

namespace ccsched {
namespace {

v1::StopAttempt::Why ToProto(StopWhy why) {
  switch (why) {
    case StopWhy::kCancel:
      return v1::StopAttempt::CANCEL;
    case StopWhy::kSuspend:
      return v1::StopAttempt::SUSPEND;
    case StopWhy::kMove:
      return v1::StopAttempt::MOVE;
  }
  return v1::StopAttempt::WHY_UNSPECIFIED;
}

// What a blocked job waits for.
std::string BlockedNote(const Engine& engine, JobId id) {
  if (const std::optional<ArrayLimit> limit = engine.waits_for(id)) {
    return absl::StrCat("at most ", limit->at_most, " of array ",
                        limit->array.value(), " at once");
  }
  const std::vector<JobId> unmet = engine.dependencies(id);
  if (unmet.empty()) return "";
  std::string note = absl::StrCat("waits for job ", unmet.front().value());
  if (unmet.size() > 1) {
    absl::StrAppend(&note, " and ", unmet.size() - 1, " more");
  }
  return note;
}

// Which of the jobs that it waited for has just ended, and not well.
std::string LostDependencyNote(const Engine& engine, JobId id) {
  for (const JobId parent : engine.dependencies(id)) {
    const Job* const job = engine.job(parent);
    if (job == nullptr || !IsTerminal(job->state)) continue;
    return absl::StrCat("dependency ", parent.value(), " did not succeed");
  }
  return "";
}

}  // namespace

OfferContext Driver::ContextOf(const Job& job, const JobShape& shape) const {
  const RuntimeBelief belief =
      engine_->runtimes().Remaining(job, shape, job.executed);
  return {.topology = topology(),
          .count = shape.count,
          .runtime = belief.mean,
          .runtime_p50 = belief.p50,
          .runtime_p90 = belief.p90,
          .slip_p50 = slips_.p50(),
          .slip_p90 = slips_.p90(),
          .decided = work_.now,
          .prices = engine_->grid().prices,
          .forecasts = engine_->grid().forecasts,
          .promised_end = std::min<absl::Time>(
              job.spec.finish_by, job.spec.submitted + job.executed +
                                      job.spec.max_delay + belief.mean)};
}

// How planned starts turn out, for the predictions of those to come.
void Driver::LearnSlips(const Effects& effects) {
  for (const StartAttempt& start : effects.starts) {
    const auto found = notes_.find(start.job);
    if (found == notes_.end() || !found->second.first_planned) continue;
    slips_.Add(work_.now - *found->second.first_planned);
    found->second.first_planned.reset();
  }
  for (const DecisionRecord& decision : effects.decisions) {
    if (decision.kind != DecisionKind::kDefer) continue;
    const auto found = notes_.find(decision.job);
    if (found == notes_.end() || found->second.first_planned) continue;
    found->second.first_planned = decision.until;
  }
}

void Driver::RecordEffects(const Effects& effects) {
  LearnSlips(effects);
  StartAttempts(effects);
  StopAttempts(effects);
  for (const DecisionRecord& decision : effects.decisions) {
    const Job* const job = engine_->job(decision.job);
    if (job == nullptr) continue;
    const JobShape& shape = engine_->shape(*job);
    const OfferContext context = ContextOf(*job, shape);
    DecisionRow& row = work_.batch.decisions.emplace_back();
    row.job = decision.job;
    row.at = work_.now;
    row.policy = policy_name_;
    v1::Reason reason =
        ccsched::ToProto(decision, policy_name_, work_.now, context);
    // One that is there has taken the room itself.
    if (decision.kind == DecisionKind::kDefer ||
        decision.kind == DecisionKind::kWait ||
        (decision.kind == DecisionKind::kStart &&
         decision.reason.chosen.pool != decision.reason.now.pool)) {
      NoteRoom(decision.reason.now, shape, reason);
    }
    row.payload = reason.SerializeAsString();
  }
  for (const JobId id : effects.changed) RecordState(id);
  work_.outbox.changed.insert(work_.outbox.changed.end(),
                              effects.changed.begin(), effects.changed.end());
}

void Driver::RecordState(JobId id) {
  const Job* const job = engine_->job(id);
  if (job == nullptr) return;
  JobStateRow& row = work_.batch.states.emplace_back();
  row.id = id;
  row.state = static_cast<uint8_t>(job->state);
  row.epoch = job->epoch.value();
  row.queue_key = job->queue_key;
  row.changed = work_.now;
  if (job->state == JobState::kDeferred) {
    row.wake = job->wake;
    row.planned_site = topology().site(job->planned_pool).name;
    row.planned_accelerator =
        topology().accelerators
            [topology().pools[job->planned_pool.value()].accelerator.value()];
  }
  row.executed = job->executed;
  row.hold_wanted = job->hold_wanted;
  row.cancel_wanted = job->cancel_wanted;
  row.losses = job->losses;
  row.budget_held = job->budget_held;
  row.checkpoint = engine_->shape(*job).checkpoint;
  const auto found = notes_.find(id);
  if (found != notes_.end()) {
    JobNotes& notes = found->second;
    CountJob(notes, job->state);
    row.started = notes.first_started;
    row.note = job->budget_held ? HeldText(*job) : notes.note;
    if (IsTerminal(job->state)) {
      row.ended = notes.ended.value_or(work_.now);
      row.exit_code = notes.exit_code;
      RecordBaseline(*job, notes);
    }
    if (job->state == JobState::kRunning) {
      row.note = notes.went_on ? "asked to save its state, it went on" : "";
    }
  }
  if (job->state == JobState::kBlocked) {
    row.note = BlockedNote(*engine_, id);
  }
  if (!IsTerminal(job->state)) return;
  if (!row.ended) row.ended = work_.now;
  if (job->state == JobState::kCancelled && row.note.empty()) {
    row.note = LostDependencyNote(*engine_, id);
  }
  notes_.erase(id);
}

void Driver::StartAttempts(const Effects& effects) {
  for (const StartAttempt& start : effects.starts) {
    auto attempt = std::make_unique<LiveAttempt>();
    attempt->job = start.job;
    attempt->epoch = start.epoch;
    attempt->pool = start.pool;
    attempt->resume = start.resume;
    AttemptRow& row = attempt->row;
    row.job = start.job;
    row.epoch = start.epoch.value();
    row.site = topology().site(start.pool).name;
    row.accelerator =
        topology().accelerators
            [topology().pools[start.pool.value()].accelerator.value()];
    row.count = start.count;
    row.sent = work_.now;
    for (const NodeShare& share : start.nodes) {
      AttemptPart& part = attempt->parts.emplace_back();
      part.node = share.node;
      part.count = share.count;
      absl::StrAppend(&row.nodes, row.nodes.empty() ? "" : ",",
                      nodes_.Find(share.node)->name, ":", share.count);
    }
    attempt->energy = NewEnergy(*attempt, work_.now);
    work_.batch.attempts.push_back(row);
    const LiveAttempt& added = attempts_.Add(std::move(attempt));
    for (const AttemptPart& part : added.parts) SendStart(added, part);
  }
}

// Once a step, whatever has changed in it: when a gang of hundreds starts, most
// of its parts say so at once. An attempt that ended went on record with its
// end.
void Driver::RecordAttempts() {
  for (const auto& [job, epoch] : work_.rows_changed) {
    LiveAttempt* const attempt = attempts_.Find(job, epoch);
    if (attempt != nullptr) {
      work_.batch.attempts.push_back(attempt->CurrentRow());
    }
  }
}

void Driver::StopAttempts(const Effects& effects) {
  for (const ResizeAttempt& resize : effects.resizes) {
    LiveAttempt* const attempt = attempts_.Find(resize.job, resize.epoch);
    if (attempt == nullptr) continue;
    attempt->stop = v1::StopAttempt::RESIZE;
    AskParts(*attempt);
  }
  for (const StopAttempt& stop : effects.stops) {
    LiveAttempt* const attempt = attempts_.Find(stop.job, stop.epoch);
    if (attempt == nullptr) continue;
    attempt->stop = ToProto(stop.why);
    AskParts(*attempt);
  }
}

}  // namespace ccsched
