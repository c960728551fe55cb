// The scheduler as a pure state machine: taking up recorded state.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/core/engine_state.h"

namespace ccsched {

absl::Status Engine::State::RestoreNode(const RestoredNode& n) {
  // Whether it runs images is known when it joins again; until then nothing
  // starts there.
  RETURN_IF_ERROR(
      Apply(NodeJoined{n.node, n.pool, n.count, /*containers=*/true}));
  if (n.drained) RETURN_IF_ERROR(Apply(NodeDrained{n.node, true}));
  return absl::OkStatus();
}

absl::Status Engine::State::RestoreJob(RestoredJob r) {
  const uint64_t id = r.spec.id.value();
  if (jobs_.Find(r.spec.id) != kNoJob || IsTerminal(r.state)) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", id, " is recorded twice or has ended"));
  }
  Job job;
  job.spec = std::move(r.spec);
  if (shares_) r.shape.account = shares_->Account(job.spec.project);
  job.shape = shapes_.Intern(r.shape);
  job.state = r.state;
  job.epoch = r.epoch;
  job.wake = r.wake;
  job.planned_pool = r.planned_pool;
  job.executed = r.executed;
  job.hold_wanted = r.hold_wanted;
  job.cancel_wanted = r.cancel_wanted;
  job.losses = r.losses;
  job.budget_held = r.budget_held;
  const JobRef ref = jobs_.Insert(std::move(job));
  for (const JobId parent : r.after) dependants_[parent].push_back(JobId(id));
  if (!r.after.empty()) after_.emplace(JobId(id), std::move(r.after));
  if (r.limit.at_most > 0) RestoreInArray(ref, r.limit);
  switch (r.state) {
    case JobState::kQueued:
      queue_.KeysAbove(r.queue_key);
      Enqueue(ref, r.queue_key);
      break;
    case JobState::kHeld:
      jobs_[ref].queue_key = r.queue_key;
      break;
    case JobState::kDeferred:
      jobs_[ref].queue_key = r.queue_key;
      timers_.Push({jobs_[ref].wake.us(), id, ref});
      break;
    case JobState::kSuspended:
      jobs_[ref].queue_key = r.queue_key;
      suspended_.push_back(ref);  // jobs come by id
      break;
    default:
      break;
  }
  if (!HoldsCapacity(r.state)) return absl::OkStatus();
  jobs_[ref].queue_key = r.queue_key;
  const NodeShares nodes(r.nodes.begin(), r.nodes.end());
  if (r.pool.value() >= packers_.size() || nodes.empty() ||
      !packers_[r.pool.value()].TakeExactly(DemandOf(r.shape, r.count), nodes,
                                            pools_[r.pool.value()])) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", id, " runs on nodes that can't hold it"));
  }
  beliefs_->Began(jobs_[ref], r.shape, r.start);
  AttachRun(ref, runs_.Insert({.pool = r.pool,
                               .count = r.count,
                               .start = r.start,
                               .confirmed = r.confirmed,
                               .nodes = nodes}));
  return absl::OkStatus();
}

std::vector<RestoredJob> Engine::LiveJobs() const {
  const State& s = *state_;
  std::vector<RestoredJob> jobs;
  s.jobs_.ForEach([&](JobRef, const Job& job) {
    if (IsTerminal(job.state)) return;
    RestoredJob& r = jobs.emplace_back();
    r.spec = job.spec;
    r.shape = s.shapes_[job.shape];
    r.state = job.state;
    r.epoch = job.epoch;
    r.queue_key = job.queue_key;
    r.wake = job.wake;
    r.planned_pool = job.planned_pool;
    r.executed = job.executed;
    r.hold_wanted = job.hold_wanted;
    r.cancel_wanted = job.cancel_wanted;
    r.losses = job.losses;
    r.budget_held = job.budget_held;
    r.after = dependencies(job.spec.id);
    const auto member = s.in_array_.find(job.spec.id);
    if (member != s.in_array_.end()) {
      const JobId array = member->second.array;
      r.limit = {array, s.arrays_.at(array).at_most};
    }
    const Run* const run = this->run(job);
    if (run == nullptr) return;
    r.pool = run->pool;
    r.count = run->count;
    r.start = run->start;
    r.confirmed = run->confirmed;
    r.nodes.assign(run->nodes.begin(), run->nodes.end());
  });
  std::sort(jobs.begin(), jobs.end(),
            [](const RestoredJob& a, const RestoredJob& b) {
              return a.spec.id < b.spec.id;
            });
  return jobs;
}

std::vector<Placement> Engine::Placements(size_t from) const {
  std::vector<Placement> placements;
  for (size_t i = from; i < state_->placements_.size(); ++i) {
    placements.push_back(
        state_->placements_[PlacementId(static_cast<uint32_t>(i))]);
  }
  return placements;
}

absl::Status Engine::Restore(absl::Span<const RestoredNode> nodes,
                             std::vector<RestoredJob> jobs) {
  State& s = *state_;
  if (s.stepped_) {
    return absl::FailedPreconditionError("the engine has stepped already");
  }
  for (const RestoredNode& node : nodes) RETURN_IF_ERROR(s.RestoreNode(node));
  std::sort(jobs.begin(), jobs.end(),
            [](const RestoredJob& a, const RestoredJob& b) {
              return a.spec.id < b.spec.id;
            });
  for (RestoredJob& job : jobs) RETURN_IF_ERROR(s.RestoreJob(std::move(job)));
  // Nothing is known of a node until it joins again.
  for (const RestoredNode& node : nodes) {
    RETURN_IF_ERROR(s.Apply(NodeSilent{node.node}));
  }
  s.effects_.Clear();
  return absl::OkStatus();
}

}  // namespace ccsched
