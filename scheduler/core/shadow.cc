// A second policy beside the live one: the same events, carried out on paper.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/shadow.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

constexpr size_t kLatestMax = 50;
// Starts no further apart than this are the same.
constexpr absl::Duration kSameStart = absl::Minutes(1);
// No job is believed to have less left than this.
constexpr absl::Duration kLeastLeft = absl::Minutes(1);

EngineOptions Options(ShadowSetup& setup) {
  EngineOptions options;
  options.beliefs = std::move(setup.beliefs);
  options.resize_in_place = false;  // as the live cluster's
  options.shares = setup.shares;
  options.explain = false;
  options.baselines = false;
  return options;
}

}  // namespace

Shadow::Shadow(ShadowSetup setup, std::unique_ptr<Policy> policy,
               PolicyFactory factory)
    : engine_(setup.topology, std::move(policy), std::move(factory),
              Options(setup)) {
  summary_.since = summary_.until = setup.now;
  // Interned in the same order, placements have the same numbers.
  for (const Placement& placement : setup.placements) {
    engine_.InternPlacement(placement);
  }
  for (const RestoredJob& job : setup.jobs) {
    Watched& watched = jobs_[job.spec.id];
    watched.submitted = job.spec.submitted;
    watched.executed = watched.done = job.executed;
    if (!HoldsCapacity(job.state)) continue;
    // What runs when the shadow begins runs there too.
    watched.live.running = watched.shadow.running = true;
    watched.live.stretches = {{job.pool, job.count, job.start, setup.now}};
    watched.shadow.stretches = watched.live.stretches;
    watched.epoch = job.epoch;
    ++running_;
  }
  if (!engine_.Restore(setup.nodes, setup.jobs).ok()) return;
  std::vector<Event> events;
  for (const RestoredNode& node : setup.nodes) {
    events.emplace_back(
        NodeJoined{node.node, node.pool, node.count, node.containers});
  }
  if (!setup.terms.empty()) events.emplace_back(ProjectsAgreed{setup.terms});
  for (const NodeId node : setup.silent) events.emplace_back(NodeSilent{node});
  for (size_t r = 0; r < setup.grid.forecasts.size(); ++r) {
    if (setup.grid.forecasts[r] == nullptr) continue;
    events.emplace_back(ForecastIssued{RegionId(static_cast<uint16_t>(r)),
                                       setup.grid.forecasts[r]});
  }
  for (size_t r = 0; r < setup.grid.prices.size(); ++r) {
    if (setup.grid.prices[r] == nullptr) continue;
    events.emplace_back(PricesPublished{RegionId(static_cast<uint16_t>(r)),
                                        setup.grid.prices[r]});
  }
  for (const RestoredJob& job : setup.jobs) {
    Watched& watched = jobs_[job.spec.id];
    if (!watched.shadow.running) continue;
    SetDue(job.spec.id, watched, absl::InfiniteFuture());
  }
  StepTo(setup.now, events);
}

void Shadow::SetDue(JobId id, Watched& job, absl::Time due) {
  due_.erase({job.due, id});
  job.due = due;
  due_.insert({due, id});
}

// When the attempt ends that the shadow runs.
absl::Time Shadow::DueOf(const Watched& job, JobId id, absl::Time now) const {
  const absl::Time start = job.shadow.stretches.back().start + job.overhead;
  if (job.runtime) return std::max(now, start + *job.runtime - job.done);
  const Job* const here = engine_.job(id);
  if (here == nullptr) return now;
  const absl::Duration ran = std::max(absl::ZeroDuration(), now - start);
  const absl::Duration left =
      engine_.runtimes()
          .Remaining(*here, engine_.shape(*here), job.done + ran)
          .mean;
  return std::max(now, start) + std::clamp(left, kLeastLeft, absl::Hours(8760));
}

void Shadow::Follow(const ShadowStep& step) {
  for (const Placement& placement : step.placements) {
    engine_.InternPlacement(placement);
  }
  // What is due before this step happens at its own time.
  for (;;) {
    const absl::Time due =
        due_.empty() ? absl::InfiniteFuture() : due_.begin()->first;
    const absl::Time next = std::min(due, wake_);
    if (next >= step.now) break;
    std::vector<Event> events;
    EndDue(next, events);
    events.emplace_back(Tick{});
    StepTo(next, events);
  }
  TakeLive(step);
  std::vector<Event> events;
  EndDue(step.now, events);
  for (const Event& event : step.events) {
    if (std::holds_alternative<AttemptStarted>(event) ||
        std::holds_alternative<AttemptEnded>(event) ||
        std::holds_alternative<PolicyChanged>(event)) {
      continue;  // its own fleet says so, and its policy stays
    }
    events.push_back(event);
    auto* const submitted = std::get_if<JobSubmitted>(&events.back());
    if (submitted == nullptr) continue;
    // What has ended here needs no waiting for.
    auto& after = submitted->after;
    after.erase(std::remove_if(after.begin(), after.end(),
                               [this](JobId id) {
                                 const Job* const job = engine_.job(id);
                                 return job == nullptr ||
                                        IsTerminal(job->state);
                               }),
                after.end());
  }
  if (events.empty()) events.emplace_back(Tick{});
  StepTo(step.now, events);
}

void Shadow::TakeLive(const ShadowStep& step) {
  for (const Event& event : step.events) {
    if (const auto* e = std::get_if<JobSubmitted>(&event)) {
      Watched& job = jobs_[e->spec.id];
      job.submitted = e->spec.submitted;
      job.counted = true;
    } else if (const auto* e = std::get_if<AttemptEnded>(&event)) {
      LiveEnded(*e);
    } else if (const auto* e = std::get_if<JobCancelled>(&event)) {
      const auto found = jobs_.find(e->job);
      if (found != jobs_.end()) found->second.cancelled = true;
    }
  }
  for (const StartAttempt& start : step.starts) {
    const auto found = jobs_.find(start.job);
    if (found == jobs_.end()) continue;
    Side& live = found->second.live;
    live.running = true;
    live.stretches.push_back({start.pool, start.count, step.now, step.now});
    if (!live.first) live.first = {start.pool, step.now};
    const auto placed = placements_.find(start.job);
    if (placed != placements_.end()) placed->second.live = live.first;
  }
}

void Shadow::LiveEnded(const AttemptEnded& e) {
  const auto found = jobs_.find(e.job);
  if (found == jobs_.end()) return;
  Watched& job = found->second;
  job.live.running = false;
  if (!job.live.stretches.empty()) job.live.stretches.back().end = e.at;
  if (e.outcome == Outcome::kSuspended) job.executed += e.work;
  const bool through = e.outcome == Outcome::kSucceeded ||
                       e.outcome == Outcome::kFailed ||
                       e.outcome == Outcome::kTimedOut;
  if (!through) {
    // Here it goes on for as long as it is believed to.
    if (job.shadow.running && !job.stopping) {
      SetDue(e.job, job, DueOf(job, e.job, e.at));
    }
    SettleIfDone(e.job);
    return;
  }
  const absl::Duration ran = job.live.stretches.empty()
                                 ? absl::ZeroDuration()
                                 : e.at - job.live.stretches.back().start;
  job.runtime = job.executed + std::max(ran, absl::ZeroDuration());
  job.outcome = e.outcome;
  job.live.ended = true;
  job.live.ended_at = e.at;
  if (job.shadow.running && !job.stopping) {
    SetDue(e.job, job, DueOf(job, e.job, e.at));
  }
  SettleIfDone(e.job);
}

void Shadow::StepTo(absl::Time now, absl::Span<const Event> events) {
  const Effects& effects = engine_.Step(now, events);
  wake_ = effects.wake;
  Carry(now, effects);
  summary_.until = now;
}

void Shadow::Carry(absl::Time now, const Effects& effects) {
  for (const StartAttempt& start : effects.starts) {
    Watched& job = jobs_[start.job];
    job.epoch = start.epoch;
    job.stopping.reset();
    // One that ran here already has lost its node.
    if (!job.shadow.running) ++running_;
    job.shadow.running = true;
    job.shadow.stretches.push_back({start.pool, start.count, now, now});
    const Job* const here = engine_.job(start.job);
    job.overhead = start.resume && here != nullptr
                       ? engine_.shape(*here).restart
                       : absl::ZeroDuration();
    if (!job.shadow.first) {
      job.shadow.first = {start.pool, now};
      placements_[start.job] = {start.job, job.live.first, job.shadow.first};
      latest_.push_front(start.job);
      if (latest_.size() > kLatestMax) {
        placements_.erase(latest_.back());
        latest_.pop_back();
      }
    }
    SetDue(start.job, job, DueOf(job, start.job, now));
  }
  for (const StopAttempt& stop : effects.stops) {
    AskToStop(stop.job, stop.why, now);
  }
  for (const ResizeAttempt& resize : effects.resizes) {
    AskToStop(resize.job, StopWhy::kSuspend, now);
  }
  for (const JobId id : effects.changed) {
    const Job* const here = engine_.job(id);
    if (here == nullptr || !IsTerminal(here->state)) continue;
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) continue;
    found->second.shadow.ended = true;
    found->second.shadow.ended_at = now;
    SettleIfDone(id);
  }
}

void Shadow::AskToStop(JobId id, StopWhy why, absl::Time now) {
  Watched& job = jobs_[id];
  if (!job.shadow.running || job.stopping) return;
  const Job* const here = engine_.job(id);
  const bool saves = why == StopWhy::kSuspend && here != nullptr;
  job.stopping = saves ? Outcome::kSuspended : Outcome::kStopped;
  SetDue(id, job, saves ? now + engine_.shape(*here).checkpoint : now);
}

void Shadow::EndDue(absl::Time now, std::vector<Event>& events) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const JobId id = due_.begin()->second;
    Watched& job = jobs_[id];
    if (!job.stopping && !job.runtime && job.live.running) {
      // Still at work in the live cluster: so it is here, until it ends there.
      SetDue(id, job, absl::InfiniteFuture());
      continue;
    }
    due_.erase(due_.begin());
    job.shadow.running = false;
    --running_;
    Stretch& stretch = job.shadow.stretches.back();
    stretch.end = now;
    AttemptEnded ended{.job = id,
                       .epoch = job.epoch,
                       .at = now,
                       .outcome = job.stopping.value_or(job.outcome)};
    if (ended.outcome == Outcome::kSuspended) {
      const Job* const here = engine_.job(id);
      const absl::Duration saved = here == nullptr
                                       ? absl::ZeroDuration()
                                       : engine_.shape(*here).checkpoint;
      ended.work = std::max(absl::ZeroDuration(),
                            now - stretch.start - job.overhead - saved);
      job.done += ended.work;
    }
    events.emplace_back(ended);
  }
}

std::optional<GramsCo2e> Shadow::Predicted(const Side& side) const {
  GramsCo2e sum;
  for (const Stretch& s : side.stretches) {
    const Forecast* const forecast =
        engine_.grid().forecast(engine_.topology().region(s.pool));
    if (s.end <= s.start) continue;
    if (forecast == nullptr) return std::nullopt;
    sum += forecast->PerKilowatt(s.start, s.end) *
           (engine_.topology().GridPower(s.pool, s.count).value() / 1000);
  }
  return sum;
}

// Both sides are through with a job: it counts, and is forgotten.
void Shadow::SettleIfDone(JobId id) {
  const auto found = jobs_.find(id);
  Watched& job = found->second;
  const bool live_over = job.live.ended || (job.cancelled && !job.live.running);
  if (!job.shadow.ended || !live_over) return;
  if (job.counted && job.runtime && !job.cancelled && job.live.first &&
      job.shadow.first) {
    ++summary_.compared;
    const absl::Duration apart =
        job.live.first->second - job.shadow.first->second;
    summary_.agreed += job.live.first->first == job.shadow.first->first &&
                       absl::AbsDuration(apart) <= kSameStart;
    // Ended here on a guess: the true length from the last start on counts.
    if (!job.shadow.stretches.empty() && job.shadow.stretches.size() == 1) {
      Stretch& s = job.shadow.stretches.back();
      s.end = s.start + *job.runtime;
      job.shadow.ended_at = s.end;
    }
    const auto live = Predicted(job.live), shadow = Predicted(job.shadow);
    if (live && shadow) {
      summary_.live.co2e += *live;
      summary_.shadow.co2e += *shadow;
    } else {
      ++summary_.unknown;
    }
    summary_.live.wait += job.live.ended_at - job.submitted - *job.runtime;
    summary_.shadow.wait +=
        std::max(absl::ZeroDuration(),
                 job.shadow.ended_at - job.submitted - *job.runtime);
  }
  due_.erase({job.due, id});
  jobs_.erase(found);
}

ShadowSummary Shadow::Summary() const {
  ShadowSummary summary = summary_;
  summary.running = running_;
  summary.waiting =
      engine_.live_jobs() - std::min<size_t>(running_, engine_.live_jobs());
  for (const JobId id : latest_) {
    summary.latest.push_back(placements_.at(id));
  }
  return summary;
}

}  // namespace ccsched
