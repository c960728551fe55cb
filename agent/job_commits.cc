// What waits for the disk: starts until they are on record, ends until theirs.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/job_runner.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"

namespace ccsched {
namespace {

// Starts of one write: more would keep what else happened waiting.
constexpr size_t kStartsMax = 64;

}  // namespace

void JobRunner::AcceptStarts() {
  // Taken out first: an ending may add to starts_.
  const size_t room = kStartsMax - std::min(kStartsMax, batch_.accepted.size());
  const auto first = starts_.begin();
  const auto last =
      first + static_cast<std::ptrdiff_t>(std::min(starts_.size(), room));
  const std::vector<Wanted> taken(std::make_move_iterator(first),
                                  std::make_move_iterator(last));
  starts_.erase(first, last);
  for (const Wanted& wanted : taken) Accept(wanted);
}

void JobRunner::Settle() {
  AcceptStarts();
  if (store_.committing()) return;  // its end brings us here again
  // What could not be written is tried again each second, and with a start,
  // which has to be answered.
  const bool due = !retry_armed_ || !batch_.accepted.empty();
  if (store_.dirty() && due) {
    committing_ = std::exchange(batch_, {});
    store_.BeginCommit([this] { loop_.Post([this] { OnCommitted(); }); });
  } else if (!starts_.empty()) {
    loop_.Post([] {});
  }
}

void JobRunner::OnCommitted() {
  if (!store_.committing()) return;  // it was waited for
  const absl::Status done = store_.EndCommit();
  Batch batch = std::exchange(committing_, {});
  if (!done.ok()) return OnCommitFailed(done, std::move(batch));
  if (std::exchange(journal_fails_, false)) SetUnfit(Obstacle::kJournal, "");
  if (!batch.finished.empty()) Failpoint("agent.recorded");
  for (const AttemptId id : batch.finished) ReportFinished(id);
  if (!batch.accepted.empty()) Failpoint("agent.accepted");
  std::move(batch.accepted.begin(), batch.accepted.end(),
            std::back_inserter(on_record_));
  NextFiles();
}

void JobRunner::OnCommitFailed(const absl::Status& status, Batch batch) {
  Log(LogLevel::kError, "journal not written", {{"status", status}});
  // Before the refusals: so the jobs are not sent here again.
  if (!std::exchange(journal_fails_, true)) {
    SetUnfit(Obstacle::kJournal, absl::StrCat("its journal can't be written: ",
                                              std::string(status.message())));
  }
  for (const Accepted& accepted : batch.accepted) {
    const KnownAttempt& known = *store_.book().Find(accepted.id);
    v1::AttemptStatus refusal = StatusOf(accepted.id, known);
    store_.Drop(accepted.id);
    *refusal.mutable_ended() = refusal.started();
    refusal.set_outcome(v1::OUTCOME_REFUSED);
    refusal.set_message(std::string(status.message()));
    refusal.set_node_at_fault(true);
    Report(refusal);
    LetNext(accepted.id.job);
  }
  // What never ran may be told of at once: read back as lost, it would be no
  // more than another end of the same attempt. The rest is of the next write.
  batch_.finished.insert(batch_.finished.begin(), batch.finished.begin(),
                         batch.finished.end());
  std::erase_if(batch_.finished, [this](AttemptId id) {
    const KnownAttempt& known = *store_.book().Find(id);
    if (known.ended->outcome() != v1::OUTCOME_REFUSED) return false;
    ReportFinished(id);
    return true;
  });
  if (retry_armed_) return;
  retry_armed_ = true;
  loop_.At(BootNanos() + kNanosPerSecond, [this] { retry_armed_ = false; });
}

void JobRunner::Leave() {
  no_starts_ = true;
  to_remove_.clear();  // what ended is told of, and acknowledged, again
  if (store_.committing()) OnCommitted();
  samples_.CloseAll();
  bool written = true;
  while (files_ || (store_.dirty() && written)) {
    if (files_) {
      OnFiles();
      continue;
    }
    committing_ = std::exchange(batch_, {});
    store_.BeginCommit(nullptr);
    OnCommitted();
    written = !journal_fails_;
  }
}

void JobRunner::LetNext(uint64_t job) {
  const auto waiting = waiting_.find(job);
  if (waiting == waiting_.end()) return;
  starts_.push_back(std::move(waiting->second));
  waiting_.erase(waiting);
}

const JobRunner::Accepted* JobRunner::FindAccepted(AttemptId id) const {
  for (const auto* const all :
       {&batch_.accepted, &committing_.accepted, &on_record_}) {
    for (const Accepted& accepted : *all) {
      if (accepted.id == id) return &accepted;
    }
  }
  return nullptr;
}

JobRunner::Accepted* JobRunner::FindAccepted(AttemptId id) {
  return const_cast<Accepted*>(std::as_const(*this).FindAccepted(id));
}

bool JobRunner::IsRunning(AttemptId id) const {
  if (running_.contains(id) || asked_.contains(id) ||
      FindAccepted(id) != nullptr) {
    return true;
  }
  const auto is_its = [id](const Wanted& wanted) {
    return FromProto(wanted.start.key()) == id;
  };
  const auto waiting = waiting_.find(id.job);
  if (waiting != waiting_.end() && is_its(waiting->second)) return true;
  return std::any_of(starts_.begin(), starts_.end(), is_its);
}

bool JobRunner::IsRecorded(AttemptId id) const {
  const auto in = [id](const Batch& batch) {
    return std::find(batch.finished.begin(), batch.finished.end(), id) !=
           batch.finished.end();
  };
  return !in(batch_) && !in(committing_);
}

bool JobRunner::idle() const {
  const auto none = [](const Batch& batch) {
    return batch.accepted.empty() && batch.finished.empty();
  };
  return running_.empty() && asked_.empty() && starts_.empty() &&
         on_record_.empty() && none(batch_) && none(committing_);
}

}  // namespace ccsched
