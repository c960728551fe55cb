// The driver: nodes fit for jobs, attempts that decline to suspend, their use.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "scheduler/base/log.h"
#include "scheduler/daemon/driver.h"

namespace ccsched {

// An unfit node takes no new jobs, as if it were drained, until it is fit.
void Driver::OnHealth(NodeEntry& node, const std::string& unfit) {
  if (unfit == node.unfit) return;
  node.unfit = unfit;
  work_.events.emplace_back(
      NodeDrained{node.id, node.drained || !unfit.empty()});
  Log(LogLevel::kWarning, unfit.empty() ? "node is fit again" : "node is unfit",
      {{"node", node.name}, {"reason", unfit}});
}

// Asks all that still run for what `attempt.stop` says.
void Driver::AskParts(LiveAttempt& attempt) {
  for (AttemptPart& part : attempt.parts) {
    part.declined = false;
    if (!part.ended) SendStop(attempt, part, *attempt.stop);
  }
}

// Once all that still run have declined to suspend: the job goes on, or, if a
// part of its gang is suspended already, starts again from its checkpoint.
void Driver::JudgeDeclined(LiveAttempt& attempt) {
  bool whole = true;
  for (const AttemptPart& part : attempt.parts) {
    if (part.ended) whole = false;
    if (!part.ended && !part.declined) return;
  }
  if (whole) {
    attempt.stop.reset();
    notes_[attempt.job].went_on = true;
    work_.events.emplace_back(SuspendDeclined{attempt.job, attempt.epoch});
    return;
  }
  attempt.stop = v1::StopAttempt::MOVE;
  AskParts(attempt);
}

// On record each time that a step of the history is over: ever more seldom.
void Driver::TakeUse(LiveAttempt& attempt, const v1::EnergySample& sample) {
  if (!attempt.row.started) return;
  const bool accelerators = sample.has_accelerator_utilisation();
  const auto since = [&](const google::protobuf::Timestamp& t) {
    return std::max(FromProto(t) - *attempt.row.started, absl::ZeroDuration());
  };
  attempt.use.Add(
      since(sample.start()), since(sample.end()),
      accelerators ? sample.accelerator_utilisation() : sample.utilisation(),
      accelerators);
  std::string text = attempt.use.Text();
  if (text.size() == attempt.row.use.size()) return;
  attempt.row.use = std::move(text);
  work_.rows_changed.insert({attempt.job, attempt.epoch});
}

}  // namespace ccsched
