// The scheduler as a pure state machine: nodes that come, fall silent and go.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {
namespace {

absl::Status UnknownNode(NodeId node) {
  return absl::NotFoundError(
      absl::StrCat("node ", node.value(), " has never joined"));
}

}  // namespace

absl::Status Engine::State::Apply(const NodeJoined& e) {
  if (e.pool.value() >= packers_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no pool ", e.pool.value()));
  }
  const auto [known, is_new] = node_pools_.try_emplace(e.node, e.pool);
  if (!is_new && known->second != e.pool) {
    return absl::FailedPreconditionError(absl::StrCat(
        "node ", e.node.value(), " is of pool ", known->second.value(),
        ": it can't join pool ", e.pool.value()));
  }
  packers_[e.pool.value()].Join(e.node, e.count, e.containers,
                                pools_[e.pool.value()]);
  capacity_freed_ = true;
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const NodeSilent& e) {
  const auto found = node_pools_.find(e.node);
  if (found == node_pools_.end()) return UnknownNode(e.node);
  const uint32_t pool = found->second.value();
  packers_[pool].SetSilent(e.node, true, pools_[pool]);
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const NodeLost& e) {
  const auto found = node_pools_.find(e.node);
  if (found == node_pools_.end()) return UnknownNode(e.node);
  const uint32_t pool = found->second.value();
  packers_[pool].SetSilent(e.node, true, pools_[pool]);
  std::vector<JobRef> here;
  for (const RunRef run : running_[pool]) {
    for (const NodeShare& share : runs_[run].nodes) {
      if (share.node == e.node) here.push_back(runs_[run].job);
    }
  }
  std::sort(here.begin(), here.end(), [this](JobRef a, JobRef b) {
    return jobs_[a].spec.id < jobs_[b].spec.id;
  });
  for (const JobRef ref : here) {
    Job& job = jobs_[ref];
    if (runs_[job.run].nodes.size() == 1) {
      const Run run = ReleaseRun(ref);
      beliefs_->Paused(job, shapes_[job.shape]);
      RequeueLost(ref, run.pool, run.TimeAtWork(now_));
    } else if (job.state != JobState::kStopping) {
      // The rest of the gang has to stop before the job can run again.
      Move(ref, Trigger::kAskStop);
      effects_.stops.push_back({job.spec.id, job.epoch, StopWhy::kMove});
    }
  }
  return absl::OkStatus();
}

absl::Status Engine::State::Apply(const NodeDrained& e) {
  const auto found = node_pools_.find(e.node);
  if (found == node_pools_.end()) return UnknownNode(e.node);
  const uint32_t pool = found->second.value();
  packers_[pool].SetDrained(e.node, e.drained, pools_[pool]);
  if (!e.drained) capacity_freed_ = true;
  return absl::OkStatus();
}

}  // namespace ccsched
