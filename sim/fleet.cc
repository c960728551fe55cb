// Plays the agents: starts, ends, suspends and resizes attempts on time.
// SPDX-License-Identifier: Apache-2.0
#include "sim/fleet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {

namespace {

// 30,000 years: what takes longer ends beyond every series, and sums of a few
// such times are still numbers.
constexpr double kLongestUs = 1e18;

// The shape of a scripted job, else null: it is as the scenario's jobs are.
const JobShape* Scripted(const Progress& p) {
  return p.extra != nullptr && p.extra->shape ? &*p.extra->shape : nullptr;
}

}  // namespace

LiveJob& LiveJobs::Insert(uint64_t number, std::string_view id) {
  const uint64_t b = number / kBlock;
  if (b >= blocks_.size()) {
    // The last one may have drained while it was still being filled.
    if (!blocks_.empty() && blocks_.back() != nullptr &&
        blocks_.back()->live == 0) {
      spare_ = std::move(blocks_.back());
    }
    blocks_.resize(b + 1);
  }
  if (blocks_[b] == nullptr) {
    blocks_[b] =
        spare_ != nullptr ? std::move(spare_) : std::make_unique<Block>();
    blocks_[b]->ids.clear();
  }
  Block& block = *blocks_[b];
  ++block.live;
  ++size_;
  const uint64_t i = number % kBlock;
  block.ids.append(id);
  block.id_ends[i] = static_cast<uint32_t>(block.ids.size());
  return block.jobs[i];
}

void LiveJobs::Erase(uint64_t number) {
  std::unique_ptr<Block>& block = blocks_[number / kBlock];
  block->jobs[number % kBlock] = LiveJob();
  --size_;
  if (--block->live > 0) return;
  // The block that is still being filled stays where it is.
  if (number / kBlock + 1 == blocks_.size()) return;
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

void Fleet::Submit(uint64_t number, const SimJob& from) {
  LiveJob& job = jobs_.Insert(number, from.id);
  job.submit_us = from.submit_us;
  job.duration_us = from.duration_us;
  job.deadline_us = from.deadline_us();
  job.count = from.count;
}

Progress& Fleet::ProgressOf(uint64_t number) {
  LiveJob& job = jobs_[number];
  if (job.progress == LiveJob::kNoProgress) {
    job.progress = progress_.Add();
    progress_[job.progress].job = number;
  }
  return progress_[job.progress];
}

Progress* Fleet::Find(uint64_t number) {
  if (!jobs_.Has(number)) return nullptr;
  const uint32_t slot = jobs_[number].progress;
  return slot == LiveJob::kNoProgress ? nullptr : &progress_[slot];
}

void Fleet::Erase(uint64_t number) {
  const uint32_t slot = jobs_[number].progress;
  if (slot != LiveJob::kNoProgress) progress_.Erase(slot);
  jobs_.Erase(number);
}

void Fleet::Describe(uint64_t number, const JobShape& shape, Outcome outcome,
                     double load) {
  ProgressExtra& extra = ProgressOf(number).Extra();
  extra.shape = shape;
  extra.outcome = outcome;
  extra.load = load;
}

void Fleet::Forget(uint64_t number, int64_t now_us) {
  if (!jobs_.Has(number)) return;
  if (const Progress* const p = Find(number); p != nullptr && p->running) {
    return;
  }
  tally_.JobCancelled(now_us);
  Erase(number);
}

double Fleet::Speed(const Progress& p, uint32_t count) const {
  return scenario_.jobs.speedup.At(static_cast<double>(p.in_use) / count);
}

int64_t Fleet::Work(const Progress& p, int64_t now_us) {
  const int64_t ran = std::max<int64_t>(0, now_us - p.start_us - p.restart_us);
  const uint32_t count = jobs_[p.job].count;
  if (p.in_use == count) return ran;
  return static_cast<int64_t>(static_cast<double>(ran) * Speed(p, count));
}

void Fleet::Schedule(Progress& p) {
  const LiveJob& job = jobs_[p.job];
  int64_t left = job.duration_us - p.executed_us - p.attempt_us;
  if (p.in_use != job.count) {
    left = static_cast<int64_t>(
        std::min(std::ceil(static_cast<double>(left) / Speed(p, job.count)),
                 kLongestUs));
  }
  p.end_us = p.start_us + p.restart_us + std::max<int64_t>(0, left);
  ends_.Push({p.end_us, p.job, job.progress});
}

// Restarting takes as long as it takes, and, at another site, as long as the
// state needs to get there.
int64_t Fleet::RestartUs(const Progress& p, bool moved) {
  const int64_t restart_us =
      Scripted(p) == nullptr ? restart_us_
                             : absl::ToInt64Microseconds(Scripted(p)->restart);
  if (!moved || scenario_.network_gbit_per_s <= 0) return restart_us;
  const double seconds = scenario_.jobs.state_gb * jobs_[p.job].count * 8 /
                         scenario_.network_gbit_per_s;
  return restart_us + std::llround(std::min(seconds * 1e6, kLongestUs));
}

int64_t Fleet::CheckpointUs(const Progress& p) const {
  return Scripted(p) == nullptr
             ? checkpoint_us_
             : absl::ToInt64Microseconds(Scripted(p)->checkpoint);
}

absl::Status Fleet::Start(int64_t now_us, const StartAttempt& start,
                          SimResult& result) {
  Progress& p = ProgressOf(start.job.value());
  const SiteId site = scenario_.topology.pools[start.pool.value()].site;
  const bool moved = p.segment > 0 && site != p.last_site;
  if (moved) ++result.moves;
  p.restart_us = 0;
  if (start.resume) {
    p.restart_us = RestartUs(p, moved);
    if (moved && scenario_.jobs.state_gb > 0) {
      const double gigabytes = scenario_.jobs.state_gb * jobs_[p.job].count;
      GramsCo2e co2e;
      RETURN_IF_ERROR(
          tally_.ChargeMove(p.last_site, start.pool, gigabytes, now_us, &co2e));
      p.Extra().move_g = co2e.value();
      result.moved_gb += gigabytes;
    }
  }
  p.closing_us = 0;
  p.epoch = start.epoch.value();
  p.pool = start.pool;
  p.in_use = start.count;
  p.start_us = now_us;
  p.attempt_us = 0;
  p.running = true;
  p.stopping = false;
  p.lost = false;
  p.last_site = site;
  if (keep_nodes_) {
    p.Extra().nodes.assign(start.nodes.begin(), start.nodes.end());
  }
  ++running_;
  tally_.Occupy(p.pool, p.in_use);
  Schedule(p);
  return absl::OkStatus();
}

void Fleet::Halt(Progress& p, int64_t now_us) {
  if (p.stopping) {  // while it saved its state
    p.closing_us = now_us - (p.end_us - p.closing_us);
    return;
  }
  p.stopping = true;
  p.attempt_us += Work(p, now_us);
  // A restart that was cut short is as long as it lasted.
  p.restart_us = std::min(p.restart_us, now_us - p.start_us);
  p.closing_us = 0;
}

// A job that is asked to suspend stops working at once and saves its state; one
// that lost a node has nothing to save.
void Fleet::Stop(int64_t now_us, const StopAttempt& stop, SimResult& result) {
  Progress* const p = Find(stop.job.value());
  if (p == nullptr || !p->running || p->epoch != stop.epoch.value() ||
      p->lost) {
    return;
  }
  const bool lost = stop.why == StopWhy::kMove;
  if (p->stopping && !lost) return;
  Halt(*p, now_us);
  p->lost = lost;
  if (stop.why == StopWhy::kSuspend) {
    p->closing_us = CheckpointUs(*p);
    ++result.suspensions;
  }
  p->cancelled = stop.why == StopWhy::kCancel;
  EndAfterClosing(*p, now_us);
}

void Fleet::EndAfterClosing(Progress& p, int64_t now_us) {
  p.end_us = now_us + (p.lost ? 0 : p.closing_us);
  ends_.Push({p.end_us, p.job, jobs_[p.job].progress});
}

absl::Status Fleet::CloseLost(Progress& p, int64_t now_us) {
  ++p.Extra().losses;
  ++lost_attempts_;
  lost_hours_ +=
      jobs_[p.job].count * (static_cast<double>(p.attempt_us) / 3.6e9);
  RETURN_IF_ERROR(Close(p, now_us, p.restart_us + p.closing_us, p.attempt_us));
  p.running = false;
  --running_;
  return absl::OkStatus();
}

absl::Status Fleet::Fail(int64_t now_us, NodeId node, SimResult& result) {
  ++result.node_failures;
  absl::Status status;
  jobs_.ForEach([&](uint64_t number, LiveJob&) {
    Progress* const p = Find(number);
    if (p == nullptr || !p->running || !status.ok()) return;
    for (const NodeShare& share : p->extra->nodes) {
      if (share.node != node) continue;
      if (p->extra->nodes.size() > 1)
        break;  // the engine will ask for the rest
      Halt(*p, now_us);
      status = CloseLost(*p, now_us);
      break;
    }
  });
  return status;
}

absl::Status Fleet::Resize(int64_t now_us, const ResizeAttempt& resize) {
  Progress* const p = Find(resize.job.value());
  if (p == nullptr || !p->running || p->epoch != resize.epoch.value() ||
      p->stopping) {
    return absl::OkStatus();
  }
  if (resize.nodes.empty()) {
    // As at an agent: it saves its state, and the engine starts it anew.
    Halt(*p, now_us);
    p->closing_us = CheckpointUs(*p);
    EndAfterClosing(*p, now_us);
    return absl::OkStatus();
  }
  const int64_t restarting = std::min(p->restart_us, now_us - p->start_us);
  const int64_t left = p->restart_us - restarting;
  p->attempt_us += Work(*p, now_us);
  RETURN_IF_ERROR(Close(*p, now_us, restarting));
  p->restart_us = left;
  p->start_us = now_us;
  p->in_use = resize.count;
  if (keep_nodes_) {
    p->Extra().nodes.assign(resize.nodes.begin(), resize.nodes.end());
  }
  tally_.Occupy(p->pool, p->in_use);
  Schedule(*p);
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

absl::Status Fleet::Close(Progress& p, int64_t end_us, int64_t overhead_us,
                          int64_t lost_us) {
  GramsCo2e co2e;
  const absl::Status charged =
      tally_.Charge(p.pool, p.in_use, p.start_us, end_us, &co2e,
                    p.extra != nullptr ? p.extra->load : 1);
  if (!charged.ok()) {
    return absl::Status(charged.code(),
                        absl::StrCat("job ", ToAbsl(jobs_.Id(p.job)), ": ",
                                     std::string(charged.message())));
  }
  tally_.Vacate(p.pool, p.in_use);
  if (p.extra != nullptr) {
    co2e += GramsCo2e(p.extra->move_g);
    p.extra->move_g = 0;
  }
  p.co2e_g += co2e.value();
  if (sink_ != nullptr) {
    JobStretch stretch{.job_id = jobs_.Id(p.job),
                       .segment = p.segment,
                       .pool = p.pool,
                       .count = p.in_use,
                       .start_us = p.start_us,
                       .end_us = end_us,
                       .overhead_us = overhead_us,
                       .lost_us = lost_us,
                       .co2e = co2e};
    if (p.extra != nullptr) stretch.nodes = p.extra->nodes;
    sink_->OnStretch(stretch);
  }
  ++p.segment;
  return absl::OkStatus();
}

int64_t Fleet::NextEnd() {
  while (!ends_.empty()) {
    const DueHeap::Entry& top = ends_.top();
    if (Stands(top)) {
      jobs_.Prefetch(progress_[top.slot()].job);
      return top.at_us();
    }
    ends_.Pop();
  }
  return kForeverUs;
}

bool Fleet::Stands(const DueHeap::Entry& end) const {
  const Progress& p = progress_[end.slot()];
  return p.running && p.end_us == end.at_us() &&
         static_cast<uint32_t>(p.job) == end.job();
}

JobEnd Fleet::EndOf(uint64_t number, const LiveJob& job, int64_t end_us) {
  JobEnd end{.job_id = jobs_.Id(number),
             .submit_us = job.submit_us,
             .duration_us = job.duration_us,
             .end_us = end_us,
             .count = job.count,
             .deadline_us = job.deadline_us,
             .promise_kept = end_us <= job.deadline_us};
  if (const Progress* const p = Find(number)) {
    end.stretches = p->segment;
    end.losses = p->extra != nullptr ? p->extra->losses : 0;
    end.pool = p->pool;
    end.co2e = GramsCo2e(p->co2e_g);
  }
  return end;
}

absl::Status Fleet::End(Progress& p, int64_t now_us,
                        std::vector<Event>& events) {
  // Filled in its place: whoever copies what was just written waits for it.
  events.emplace_back(std::in_place_type<AttemptEnded>);
  AttemptEnded& ended = std::get<AttemptEnded>(events.back());
  ended.job = JobId(p.job);
  ended.epoch = Epoch(p.epoch);
  ended.at = absl::FromUnixMicros(now_us);
  if (p.lost) {
    ended.outcome = Outcome::kLost;
    return CloseLost(p, now_us);
  }
  RETURN_IF_ERROR(Close(p, now_us, p.restart_us + p.closing_us));
  p.running = false;
  --running_;
  if (p.cancelled) {
    ended.outcome = Outcome::kStopped;
    tally_.JobCancelled(now_us);
    Erase(p.job);
    return absl::OkStatus();
  }
  if (p.stopping) {
    ended.outcome = Outcome::kSuspended;
    ended.work = absl::Microseconds(p.attempt_us);
    p.executed_us += p.attempt_us;
    return absl::OkStatus();
  }
  if (p.extra != nullptr) ended.outcome = p.extra->outcome;
  const LiveJob& job = jobs_[p.job];
  tally_.JobEnded(job.submit_us, job.duration_us, now_us, job.deadline_us);
  if (sink_ != nullptr) sink_->OnJob(EndOf(p.job, job, now_us));
  Erase(p.job);
  return absl::OkStatus();
}

absl::Status Fleet::EndDue(int64_t now_us, std::vector<Event>& events) {
  while (!ends_.empty() && ends_.top().at_us() <= now_us) {
    const DueHeap::Entry top = ends_.top();
    ends_.Pop();
    if (!ends_.empty()) progress_.Prefetch(ends_.top().slot());
    if (!Stands(top)) continue;
    RETURN_IF_ERROR(End(progress_[top.slot()], now_us, events));
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
  jobs_.ForEach([&](uint64_t number, LiveJob& job) {
    ++live;
    if (!status.ok()) return;
    if (Progress* const p = Find(number); p != nullptr && p->running) {
      const int64_t restarting = std::min(p->restart_us, now_us - p->start_us);
      status = Close(*p, now_us, restarting);
    }
    if (sink_ == nullptr) return;
    JobEnd end = EndOf(number, job, now_us);
    end.finished = false;
    sink_->OnJob(end);
  });
  if (!status.ok()) return status;
  return live;
}

}  // namespace ccsched
