// Plays the agents: starts, ends, suspends and resizes attempts on time.
// SPDX-License-Identifier: Apache-2.0
#include "sim/fleet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {

namespace {

// The shape of a scripted job, else null: it is as the scenario's jobs are.
const JobShape* Scripted(const LiveJob& job) {
  return job.extra != nullptr && job.extra->shape ? &*job.extra->shape
                                                  : nullptr;
}

}  // namespace

LiveJob& LiveJobs::Insert(uint64_t id) {
  const uint64_t block = id / kBlock;
  if (block >= blocks_.size()) {
    // The last one may have drained while it was still being filled.
    if (!blocks_.empty() && blocks_.back() != nullptr &&
        blocks_.back()->live == 0) {
      spare_ = std::move(blocks_.back());
    }
    blocks_.resize(block + 1);
  }
  if (blocks_[block] == nullptr) {
    blocks_[block] =
        spare_ != nullptr ? std::move(spare_) : std::make_unique<Block>();
  }
  ++blocks_[block]->live;
  ++size_;
  LiveJob& job = blocks_[block]->jobs[id % kBlock];
  job.live = true;
  return job;
}

void LiveJobs::Erase(uint64_t id) {
  std::unique_ptr<Block>& block = blocks_[id / kBlock];
  block->jobs[id % kBlock] = LiveJob();
  --size_;
  if (--block->live > 0) return;
  // The block that is still being filled stays where it is.
  if (id / kBlock + 1 == blocks_.size()) return;
  spare_ = std::move(block);
}

Fleet::Fleet(const Scenario& scenario, Tally& tally, StretchSink* sink,
             bool keep_nodes)
    : scenario_(scenario),
      tally_(tally),
      sink_(sink),
      keep_nodes_(keep_nodes),
      checkpoint_us_(absl::ToInt64Microseconds(scenario.jobs.checkpoint)),
      restart_us_(absl::ToInt64Microseconds(scenario.jobs.restart)) {}

void Fleet::Submit(uint64_t id, const SimJob& from) {
  LiveJob& job = jobs_.Insert(id);
  job.id = from.id;
  job.submit_us = from.submit_us;
  job.duration_us = from.duration_us;
  job.deadline_us = from.deadline_us();
  job.count = from.count;
}

void Fleet::Describe(uint64_t id, const JobShape& shape, Outcome outcome,
                     double load) {
  LiveJobExtra& extra = jobs_[id].Extra();
  extra.shape = shape;
  extra.outcome = outcome;
  extra.load = load;
}

void Fleet::Forget(uint64_t id, int64_t now_us) {
  if (!jobs_.Has(id) || jobs_[id].running) return;
  tally_.JobCancelled(now_us);
  jobs_.Erase(id);
}

double Fleet::Speed(const LiveJob& job) const {
  if (job.in_use == job.count) return 1;
  const double k = static_cast<double>(job.in_use) / job.count;
  const double exponent = scenario_.jobs.elastic_exponent;
  return exponent == 1 ? k : std::pow(k, exponent);
}

int64_t Fleet::Work(const LiveJob& job, int64_t now_us) const {
  const int64_t ran =
      std::max<int64_t>(0, now_us - job.start_us - job.restart_us);
  if (job.in_use == job.count) return ran;
  return static_cast<int64_t>(static_cast<double>(ran) * Speed(job));
}

void Fleet::Schedule(uint64_t id, LiveJob& job) {
  int64_t left = job.duration_us - job.executed_us - job.attempt_us;
  if (job.in_use != job.count) {
    left =
        static_cast<int64_t>(std::ceil(static_cast<double>(left) / Speed(job)));
  }
  job.end_us = job.start_us + job.restart_us + std::max<int64_t>(0, left);
  ends_.Push({job.end_us, id, job.epoch});
}

// Restarting takes as long as it takes, and, at another site, as long as the
// state needs to get there.
int64_t Fleet::RestartUs(const LiveJob& job, bool moved) const {
  const int64_t restart_us =
      Scripted(job) == nullptr
          ? restart_us_
          : absl::ToInt64Microseconds(Scripted(job)->restart);
  if (!moved || scenario_.network_gbit_per_s <= 0) return restart_us;
  const double seconds =
      scenario_.jobs.state_gb * job.count * 8 / scenario_.network_gbit_per_s;
  return restart_us + std::llround(seconds * 1e6);
}

int64_t Fleet::CheckpointUs(const LiveJob& job) const {
  return Scripted(job) == nullptr
             ? checkpoint_us_
             : absl::ToInt64Microseconds(Scripted(job)->checkpoint);
}

absl::Status Fleet::Start(int64_t now_us, const StartAttempt& start,
                          SimResult& result) {
  LiveJob& job = jobs_[start.job.value()];
  const SiteId site = scenario_.topology.pools[start.pool.value()].site;
  const bool moved = job.segment > 0 && site != job.last_site;
  if (moved) ++result.moves;
  job.restart_us = 0;
  if (start.resume) {
    job.restart_us = RestartUs(job, moved);
    if (moved && scenario_.jobs.state_gb > 0) {
      const double gigabytes = scenario_.jobs.state_gb * job.count;
      GramsCo2e co2e;
      RETURN_IF_ERROR(tally_.ChargeMove(job.last_site, start.pool, gigabytes,
                                        now_us, &co2e));
      job.Extra().move_g = co2e.value();
      result.moved_gb += gigabytes;
    }
  }
  job.closing_us = 0;
  job.epoch = start.epoch.value();
  job.pool = start.pool;
  job.in_use = start.count;
  job.start_us = now_us;
  job.attempt_us = 0;
  job.running = true;
  job.stopping = false;
  job.lost = false;
  job.last_site = site;
  if (keep_nodes_) {
    job.Extra().nodes.assign(start.nodes.begin(), start.nodes.end());
  }
  ++running_;
  tally_.Occupy(job.pool, job.in_use);
  Schedule(start.job.value(), job);
  return absl::OkStatus();
}

void Fleet::Halt(LiveJob& job, int64_t now_us) {
  if (job.stopping) {  // while it saved its state
    job.closing_us = now_us - (job.end_us - job.closing_us);
    return;
  }
  job.stopping = true;
  job.attempt_us += Work(job, now_us);
  // A restart that was cut short is as long as it lasted.
  job.restart_us = std::min(job.restart_us, now_us - job.start_us);
  job.closing_us = 0;
}

// A job that is asked to suspend stops working at once and saves its state; one
// that lost a node has nothing to save.
void Fleet::Stop(int64_t now_us, const StopAttempt& stop, SimResult& result) {
  LiveJob& job = jobs_[stop.job.value()];
  if (!job.running || job.epoch != stop.epoch.value() || job.lost) return;
  const bool lost = stop.why == StopWhy::kMove;
  if (job.stopping && !lost) return;
  Halt(job, now_us);
  job.lost = lost;
  if (stop.why == StopWhy::kSuspend) {
    job.closing_us = CheckpointUs(job);
    ++result.suspensions;
  }
  job.cancelled = stop.why == StopWhy::kCancel;
  job.end_us = now_us + (lost ? 0 : job.closing_us);
  ends_.Push({job.end_us, stop.job.value(), job.epoch});
}

absl::Status Fleet::CloseLost(LiveJob& job, int64_t now_us) {
  ++job.Extra().losses;
  ++lost_attempts_;
  lost_hours_ += job.count * (static_cast<double>(job.attempt_us) / 3.6e9);
  RETURN_IF_ERROR(
      Close(job, now_us, job.restart_us + job.closing_us, job.attempt_us));
  job.running = false;
  --running_;
  return absl::OkStatus();
}

absl::Status Fleet::Fail(int64_t now_us, NodeId node, SimResult& result) {
  ++result.node_failures;
  absl::Status status;
  jobs_.ForEach([&](LiveJob& job) {
    if (!job.running || !status.ok()) return;
    for (const NodeShare& share : job.extra->nodes) {
      if (share.node != node) continue;
      if (job.extra->nodes.size() > 1)
        break;  // the engine will ask for the rest
      Halt(job, now_us);
      status = CloseLost(job, now_us);
      break;
    }
  });
  return status;
}

absl::Status Fleet::Resize(int64_t now_us, const ResizeAttempt& resize) {
  LiveJob& job = jobs_[resize.job.value()];
  if (!job.running || job.epoch != resize.epoch.value() || job.stopping) {
    return absl::OkStatus();
  }
  const int64_t restarting = std::min(job.restart_us, now_us - job.start_us);
  const int64_t left = job.restart_us - restarting;
  job.attempt_us += Work(job, now_us);
  RETURN_IF_ERROR(Close(job, now_us, restarting));
  job.restart_us = left;
  job.start_us = now_us;
  job.in_use = resize.count;
  if (keep_nodes_) {
    job.Extra().nodes.assign(resize.nodes.begin(), resize.nodes.end());
  }
  tally_.Occupy(job.pool, job.in_use);
  Schedule(resize.job.value(), job);
  return absl::OkStatus();
}

absl::Status Fleet::Carry(int64_t now_us, const Effects& effects,
                          SimResult& result) {
  for (const StartAttempt& start : effects.starts) {
    RETURN_IF_ERROR(Start(now_us, start, result));
  }
  for (const StopAttempt& stop : effects.stops) Stop(now_us, stop, result);
  for (const ResizeAttempt& resize : effects.resizes) {
    RETURN_IF_ERROR(Resize(now_us, resize));
    ++result.resizes;
  }
  return absl::OkStatus();
}

absl::Status Fleet::Close(LiveJob& job, int64_t end_us, int64_t overhead_us,
                          int64_t lost_us) {
  GramsCo2e co2e;
  const absl::Status charged =
      tally_.Charge(job.pool, job.in_use, job.start_us, end_us, &co2e,
                    job.extra != nullptr ? job.extra->load : 1);
  if (!charged.ok()) {
    return absl::Status(
        charged.code(),
        absl::StrCat("job ", job.id, ": ", std::string(charged.message())));
  }
  tally_.Vacate(job.pool, job.in_use);
  if (job.extra != nullptr) {
    co2e += GramsCo2e(job.extra->move_g);
    job.extra->move_g = 0;
  }
  job.co2e_g += co2e.value();
  if (sink_ != nullptr) {
    Stretch stretch{.job_id = job.id,
                    .segment = job.segment,
                    .pool = job.pool,
                    .count = job.in_use,
                    .start_us = job.start_us,
                    .end_us = end_us,
                    .overhead_us = overhead_us,
                    .lost_us = lost_us,
                    .co2e = co2e};
    if (job.extra != nullptr) stretch.nodes = job.extra->nodes;
    sink_->OnStretch(stretch);
  }
  ++job.segment;
  return absl::OkStatus();
}

int64_t Fleet::NextEnd() {
  while (!ends_.empty()) {
    const EndHeap::Entry& top = ends_.top();
    if (jobs_.Stands(top.job, top.epoch, top.at_us)) return top.at_us;
    ends_.Pop();
  }
  return kForeverUs;
}

absl::Status Fleet::EndDue(int64_t now_us, std::vector<Event>& events) {
  while (NextEnd() == now_us) {
    const EndHeap::Entry entry = ends_.top();
    ends_.Pop();
    LiveJob& job = jobs_[entry.job];
    if (job.lost) {
      RETURN_IF_ERROR(CloseLost(job, now_us));
      events.emplace_back(AttemptEnded{.job = JobId(entry.job),
                                       .epoch = Epoch(entry.epoch),
                                       .at = absl::FromUnixMicros(now_us),
                                       .outcome = Outcome::kLost});
      continue;
    }
    RETURN_IF_ERROR(Close(job, now_us, job.restart_us + job.closing_us));
    job.running = false;
    --running_;
    AttemptEnded ended{.job = JobId(entry.job),
                       .epoch = Epoch(entry.epoch),
                       .at = absl::FromUnixMicros(now_us)};
    if (job.cancelled) {
      ended.outcome = Outcome::kStopped;
      events.emplace_back(ended);
      tally_.JobCancelled(now_us);
      jobs_.Erase(entry.job);
      continue;
    }
    if (job.stopping) {
      ended.outcome = Outcome::kSuspended;
      ended.work = absl::Microseconds(job.attempt_us);
      job.executed_us += job.attempt_us;
      events.emplace_back(ended);
      continue;
    }
    if (job.extra != nullptr) ended.outcome = job.extra->outcome;
    events.emplace_back(ended);
    tally_.JobEnded(job.submit_us, job.duration_us, now_us, job.deadline_us);
    if (sink_ != nullptr) {
      sink_->OnJob({.job_id = job.id,
                    .submit_us = job.submit_us,
                    .duration_us = job.duration_us,
                    .end_us = now_us,
                    .count = job.count,
                    .stretches = job.segment,
                    .losses = job.extra != nullptr ? job.extra->losses : 0,
                    .pool = job.pool,
                    .deadline_us = job.deadline_us,
                    .promise_kept = now_us <= job.deadline_us,
                    .co2e = GramsCo2e(job.co2e_g)});
    }
    jobs_.Erase(entry.job);
  }
  return absl::OkStatus();
}

void Fleet::AddLosses(SimResult& result) const {
  result.lost_attempts = lost_attempts_;
  result.lost_hours = lost_hours_;
}

absl::StatusOr<uint64_t> Fleet::CutOff(int64_t now_us) {
  absl::Status status;
  uint64_t live = 0;
  jobs_.ForEach([&](LiveJob& job) {
    ++live;
    if (!status.ok()) return;
    if (job.running) {
      const int64_t restarting =
          std::min(job.restart_us, now_us - job.start_us);
      status = Close(job, now_us, restarting);
    }
    if (sink_ == nullptr) return;
    sink_->OnJob({.job_id = job.id,
                  .submit_us = job.submit_us,
                  .duration_us = job.duration_us,
                  .end_us = now_us,
                  .count = job.count,
                  .stretches = job.segment,
                  .losses = job.extra != nullptr ? job.extra->losses : 0,
                  .pool = job.pool,
                  .deadline_us = job.deadline_us,
                  .finished = false,
                  .promise_kept = now_us <= job.deadline_us,
                  .co2e = GramsCo2e(job.co2e_g)});
  });
  if (!status.ok()) return status;
  return live;
}

}  // namespace ccsched
