// The driver: acts of operators and users, on record and in the log.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "scheduler/daemon/driver.h"

namespace ccsched {

// With what it changed, in one commit.
void Driver::RecordAct(const AuditAct& act, std::optional<JobId> job) {
  if (act.by.empty()) return;
  ActRow& row = work_.batch.acts.emplace_back();
  row.at = work_.now;
  row.by = act.by;
  row.what = act.what;
  row.job = job;
  if (!job) row.target = act.target;
  row.detail = act.detail;
}

// Of what is not done with jobs: `answer` goes out after the commit, and only
// then is it told as done in the log.
void Driver::SettleAct(AuditAct act, const absl::Status& outcome,
                       std::function<void()> answer) {
  if (outcome.ok()) RecordAct(act, std::nullopt);
  work_.outbox.answers.push_back(
      [act = std::move(act), outcome, answer = std::move(answer)] {
        LogAct(act, outcome);
        answer();
      });
}

}  // namespace ccsched
