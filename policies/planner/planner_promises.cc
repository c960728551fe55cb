// planner: makes room for what must run now, by suspending what can still wait.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "policies/dispatch.h"
#include "policies/planner/planner.h"

namespace ccsched {
namespace {

// Room is made so long before it is needed: time for a checkpoint of some
// minutes, and to try again if another took it.
constexpr absl::Duration kLead = absl::Minutes(30);
// Who makes room is not to be pressed itself before others may have ended.
constexpr absl::Duration kLeastSlack = absl::Hours(2);
// When to look again where there is room, which others may take.
constexpr absl::Duration kStillFree = absl::Minutes(5);
// When to look again where nobody can make room.
constexpr absl::Duration kLookAgain = absl::Minutes(15);

}  // namespace

absl::Time Planner::PromisedStart(const PolicyInput& in, JobRef ref) const {
  const absl::Time at_own =
      in.LatestStart(ref, [](const RuntimeBelief& belief) {
        return belief.known ? belief.p50 : belief.p90;
      });
  const auto planned = planned_.find(in.jobs[ref].spec.id);
  if (planned == planned_.end()) return at_own;
  const RollingPlan::Entry& entry = plan_->entry(planned->second.index);
  if (entry.own == nullptr) return at_own;
  return at_own + absl::Microseconds(entry.job.latest_start() -
                                     entry.own->latest_start());
}

// How long after its checkpoint a running job could wait and keep its promise.
absl::Duration Planner::SlackOf(const PolicyInput& in, const Run& run) {
  const Job& job = in.jobs[run.job];
  const JobShape& shape = in.shape(run.job);
  const absl::Duration done = job.executed + run.WorkDone(shape, in.now);
  absl::Time latest = job.spec.submitted + done + job.spec.max_delay;
  if (job.spec.finish_by < absl::InfiniteFuture()) {
    const RuntimeBelief belief = in.runtimes.Remaining(job, shape, done);
    latest = std::min(
        latest, job.spec.finish_by - (belief.known ? belief.p50 : belief.p90));
  }
  return latest - shape.restart - shape.checkpoint - in.now;
}

void Planner::Watch(const PolicyInput& in, JobRef ref) {
  const absl::Time promised = PromisedStart(in, ref);
  if (promised == absl::InfiniteFuture()) return;
  pressed_.insert({promised - kLead, in.jobs[ref].spec.id});
}

// A start after this may be too late. Where the ends of others are guesses,
// room at a later time is only believed in, and there must be time to make
// some.
absl::Time Planner::SafeStart(const PolicyInput& in, JobRef ref) const {
  const absl::Time promised = PromisedStart(in, ref);
  return unknown_running_ > 0 ? promised - kLead : promised;
}

void Planner::WatchIfPressed(const PolicyInput& in, JobRef ref,
                             absl::Time start) {
  if (start > SafeStart(in, ref)) Watch(in, ref);
}

void Planner::TakePromisedRoom(const PolicyInput& in, Actions& actions) {
  if (!in.capacity_freed) return;
  std::erase_if(promised_room_, [&](JobId id) {
    const auto found = planned_.find(id);
    const JobRef ref = in.jobs.Find(id);
    if (found == planned_.end() || ref == kNoJob || found->second.running) {
      return true;
    }
    return StartSomewhere(in, actions, ref, found->second);
  });
}

void Planner::KeepPromises(const PolicyInput& in, Actions& actions) {
  while (!pressed_.empty() && pressed_.begin()->first <= in.now) {
    const JobId id = pressed_.begin()->second;
    pressed_.erase(pressed_.begin());
    const auto found = planned_.find(id);
    if (found == planned_.end() || found->second.running) continue;
    const JobRef ref = in.jobs.Find(id);
    if (ref == kNoJob) continue;
    const absl::Time due = PromisedStart(in, ref) - kLead;
    if (due > in.now) {  // it has run since, or is believed to be shorter
      pressed_.insert({due, id});
      continue;
    }
    const RollingPlan::Entry& entry = plan_->entry(found->second.index);
    const absl::Time start = FromUs(entry.start);
    const bool placed = entry.pool >= 0 && start > in.now;
    if (placed && start <= SafeStart(in, ref)) continue;
    const PoolId pool(static_cast<uint16_t>(std::max(entry.pool, 0)));
    if (placed && start <= PromisedStart(in, ref) &&
        actions.Fits(ref, pool, entry.job.count)) {
      // There is room yet where it is to start, in time.
      pressed_.insert({std::min(start, in.now + kStillFree), id});
      continue;
    }
    if (StartSomewhere(in, actions, ref, found->second)) continue;
    const absl::Duration wait = MakeRoom(in, actions, ref);
    pressed_.insert({in.now + wait, id});
    if (std::find(promised_room_.begin(), promised_room_.end(), id) ==
        promised_room_.end()) {
      promised_room_.push_back(id);
    }
  }
  if (!pressed_.empty()) actions.WakeAt(pressed_.begin()->first);
}

// Those on one node that hold enough of it, the fewest accelerators in all and
// among these the ones with most slack; for a job wider than any node, those
// on the nodes that give most.
std::vector<JobRef> Planner::WhoCanWait(const PolicyInput& in,
                                        JobRef ref) const {
  struct Holder {
    absl::Duration slack;
    JobRef job;
    uint32_t count;  // all it would give, on any node
    uint32_t here;
  };
  const uint32_t needed = in.shape(ref).count;
  std::vector<JobRef> best;
  uint32_t least = 0;
  for (const PoolId pool : in.placement(ref)) {
    std::map<NodeId, std::vector<Holder>> nodes;
    for (const RunRef r : in.running[pool.value()]) {
      const Run& run = in.runs[r];
      const Job& job = in.jobs[run.job];
      const auto planned = planned_.find(job.spec.id);
      const bool runs =
          job.state == JobState::kStarting || job.state == JobState::kRunning;
      if (!runs || !in.shape(run.job).suspendable ||
          planned == planned_.end() ||
          plan_->entry(planned->second.index).leaving) {
        continue;
      }
      const absl::Duration slack = SlackOf(in, run);
      if (slack < kLeastSlack) continue;
      for (const NodeShare& share : run.nodes) {
        nodes[share.node].push_back({slack, run.job, run.count, share.count});
      }
    }
    for (auto& [node, holders] : nodes) {
      std::sort(holders.begin(), holders.end(),
                [&in](const Holder& a, const Holder& b) {
                  if (a.slack != b.slack) return a.slack > b.slack;
                  return in.jobs[a.job].spec.id < in.jobs[b.job].spec.id;
                });
      uint32_t here = 0;
      uint32_t count = 0;
      std::vector<JobRef> jobs;
      for (const Holder& holder : holders) {
        if (here >= needed) break;
        here += holder.here;
        count += holder.count;
        jobs.push_back(holder.job);
      }
      // A job wider than a node gets what is wide itself.
      if (here < needed && count < needed) continue;
      if (best.empty() || count < least) {
        best = std::move(jobs);
        least = count;
      }
    }
  }
  return best;
}

absl::Duration Planner::MakeRoom(const PolicyInput& in, Actions& actions,
                                 JobRef ref) {
  absl::Duration longest = absl::ZeroDuration();
  for (const JobRef job : WhoCanWait(in, ref)) {
    planned_.at(in.jobs[ref].spec.id).given_way = true;
    Reason reason =
        Explain(in, job, in.runs[in.jobs[job].run].pool.value(), ToUs(in.now));
    reason.code = ReasonCode::kCapacity;
    actions.Suspend(job, reason);
    plan_->GiveWay(ToUs(in.now), planned_.at(in.jobs[job].spec.id).index);
    leaving_.push_back(in.jobs[job].spec.id);
    longest = std::max(longest, in.shape(job).checkpoint);
  }
  return longest == absl::ZeroDuration() ? kLookAgain
                                         : longest + absl::Minutes(1);
}

}  // namespace ccsched
