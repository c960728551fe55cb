// Attempts that run now, node by node: what a gang's parts have reported.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/attempt_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/rpc/job_view.h"

namespace ccsched {

AttemptPart* LiveAttempt::Part(NodeId node) {
  for (AttemptPart& part : parts) {
    if (part.node == node) return &part;
  }
  return nullptr;
}

bool LiveAttempt::AllStarted() const {
  return std::all_of(parts.begin(), parts.end(), [](const AttemptPart& p) {
    return p.started.has_value();
  });
}

const AttemptRow& LiveAttempt::CurrentRow() {
  // Of one part, `started` says all.
  if (parts.size() == 1) return row;
  std::vector<std::optional<absl::Time>> starts;
  for (const AttemptPart& part : parts) starts.push_back(part.started);
  row.part_starts = PartStartsText(starts);
  return row;
}

bool LiveAttempt::AllEnded() const {
  return std::all_of(parts.begin(), parts.end(),
                     [](const AttemptPart& p) { return p.ended.has_value(); });
}

namespace {

constexpr char kCheckpoint[] = "checkpoint ";

// Which of two parts' ends decides: what went wrong by itself before what was
// stopped for it, then the earlier.
bool Decides(const AttemptPart& a, const AttemptPart& b) {
  const auto rank = [](const AttemptPart& part) {
    switch (part.outcome) {
      case Outcome::kFailed:
      case Outcome::kTimedOut:
      case Outcome::kLost:
      case Outcome::kRefused:
        return 0;
      case Outcome::kStopped:
        return 1;
      case Outcome::kSuspended:
        return 2;
      case Outcome::kSucceeded:
        return 3;
    }
    return 3;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  return *a.ended < *b.ended;
}

// What was no fault of the job does not count: a node that is at fault is unfit
// and gets no others, and one that is gone took its supervisors along.
bool Blames(const AttemptPart& part) {
  return (part.outcome == Outcome::kRefused && !part.node_at_fault) ||
         (part.outcome == Outcome::kLost && part.supervisor_died);
}

}  // namespace

AttemptEnd EndOf(const LiveAttempt& attempt) {
  const AttemptPart* decisive = &attempt.parts[0];
  AttemptEnd end;
  std::string checkpoint;  // of the lowest rank that has one
  end.at = *decisive->ended;
  for (const AttemptPart& part : attempt.parts) {
    if (Decides(part, *decisive)) decisive = &part;
    end.at = std::max(end.at, *part.ended);
    end.checkpoint_cost = std::max(end.checkpoint_cost, part.checkpoint_cost);
    if (checkpoint.empty()) checkpoint = part.checkpoint;
  }
  end.outcome = decisive->outcome;
  end.message = decisive->message;
  end.blamed = Blames(*decisive);
  if (!checkpoint.empty()) {
    absl::StrAppend(&end.message, end.message.empty() ? "" : "; ", kCheckpoint,
                    checkpoint);
  }
  if (decisive->signal != 0) {
    end.signal = decisive->signal;
  } else if (end.outcome == Outcome::kSucceeded ||
             end.outcome == Outcome::kFailed || decisive->exit_code != 0) {
    end.exit_code = decisive->exit_code;
  }
  return end;
}

std::string CheckpointIn(const std::string& message) {
  const size_t at = message.rfind(kCheckpoint);
  if (at == std::string::npos) return "";
  return message.substr(at + sizeof(kCheckpoint) - 1);
}

std::optional<Outcome> ToModel(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_SUCCEEDED:
      return Outcome::kSucceeded;
    case v1::OUTCOME_FAILED:
      return Outcome::kFailed;
    case v1::OUTCOME_TIMED_OUT:
      return Outcome::kTimedOut;
    case v1::OUTCOME_STOPPED:
      return Outcome::kStopped;
    case v1::OUTCOME_SUSPENDED:
      return Outcome::kSuspended;
    case v1::OUTCOME_LOST:
      return Outcome::kLost;
    case v1::OUTCOME_REFUSED:
      return Outcome::kRefused;
    default:
      return std::nullopt;
  }
}

std::string OutcomeName(Outcome outcome,
                        std::optional<v1::StopAttempt::Why> why) {
  if (outcome == Outcome::kStopped && why == v1::StopAttempt::CANCEL) {
    return "cancelled";
  }
  return std::string(ToString(outcome));
}

LiveAttempt& AttemptTable::Add(std::unique_ptr<LiveAttempt> attempt) {
  LiveAttempt& added = *attempt;
  for (const AttemptPart& part : added.parts) {
    by_node_[part.node].insert(added.job);
  }
  attempts_[added.job] = std::move(attempt);
  return added;
}

LiveAttempt* AttemptTable::Find(JobId job) {
  const auto found = attempts_.find(job);
  return found == attempts_.end() ? nullptr : found->second.get();
}

LiveAttempt* AttemptTable::Find(JobId job, Epoch epoch) {
  LiveAttempt* const attempt = Find(job);
  return attempt != nullptr && attempt->epoch == epoch ? attempt : nullptr;
}

void AttemptTable::Remove(JobId job) {
  const auto found = attempts_.find(job);
  if (found == attempts_.end()) return;
  for (const AttemptPart& part : found->second->parts) {
    by_node_[part.node].erase(job);
  }
  attempts_.erase(found);
}

std::vector<JobId> AttemptTable::JobsOn(NodeId node) const {
  std::vector<JobId> jobs;
  const auto found = by_node_.find(node);
  if (found != by_node_.end()) {
    jobs.assign(found->second.begin(), found->second.end());
  }
  std::sort(jobs.begin(), jobs.end());
  return jobs;
}

std::vector<LiveAttempt*> AttemptTable::All() {
  std::vector<LiveAttempt*> all;
  for (auto& [id, attempt] : attempts_) all.push_back(attempt.get());
  std::sort(all.begin(), all.end(),
            [](const LiveAttempt* a, const LiveAttempt* b) {
              return a->job < b->job;
            });
  return all;
}

}  // namespace ccsched
