// Plays jobs through the engine.
// SPDX-License-Identifier: Apache-2.0
#include "tests/policies/play.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "scheduler/base/strings.h"
#include "tests/builders.h"

namespace ccsched::testing {
namespace {

absl::Duration Hours(double h) {
  return absl::Microseconds(std::llround(h * 3.6e9));
}
double InHours(absl::Time t) { return absl::ToDoubleHours(t - T(0)); }

std::string_view Word(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kStart:
      return "start";
    case DecisionKind::kDefer:
      return "defer";
    case DecisionKind::kWait:
      return "wait";
    case DecisionKind::kSuspend:
      return "suspend";
    case DecisionKind::kMove:
      return "move";
    case DecisionKind::kResize:
      return "resize";
  }
  return "?";
}

}  // namespace

double PlayResult::StartHours(uint64_t job) const {
  for (const PlayStretch& s : stretches) {
    if (s.job == job) return InHours(s.start);
  }
  return -1;
}

double PlayResult::EndHours(uint64_t job) const {
  const auto end = ends.find(job);
  return end == ends.end() ? -1 : InHours(end->second);
}

std::string PlayResult::Stretches(uint64_t job) const {
  std::string text;
  for (const PlayStretch& s : stretches) {
    if (s.job != job) continue;
    absl::StrAppendFormat(&text, "%s%g-%g@%dx%d", text.empty() ? "" : " ",
                          InHours(s.start), InHours(s.end), s.pool.value(),
                          s.count);
  }
  return text;
}

Play::Play(Topology topology, std::unique_ptr<Policy> policy,
           std::optional<absl::Time> horizon)
    : topology_(std::move(topology)) {
  EngineOptions options;
  options.horizon = horizon;
  engine_ = std::make_unique<Engine>(
      topology_, std::move(policy),
      [](std::string_view,
         const PolicyParameters&) -> absl::StatusOr<std::unique_ptr<Policy>> {
        return absl::UnimplementedError("a play has one policy");
      },
      std::move(options));
}

Play& Play::Forecast(uint16_t region, std::vector<double> grams_per_kwh) {
  first_.push_back(ForecastIssued{RegionId(region),
                                  HourlyForecast(std::move(grams_per_kwh))});
  return *this;
}

Play& Play::Node(uint16_t pool, uint32_t count) {
  first_.push_back(Join(++nodes_, pool, count));
  return *this;
}

Play& Play::Job(const PlayJob& job) {
  jobs_.push_back(job);
  return *this;
}

namespace {

JobSubmitted ToEvent(Engine& engine, const PlayJob& job, uint64_t id) {
  JobSubmitted e = Submit(engine, id, job.count);
  if (!job.pools.empty()) {
    Placement placement;
    for (const uint16_t pool : job.pools) placement.push_back(PoolId(pool));
    e.shape.placement = engine.InternPlacement(placement);
  }
  if (job.min_count != 0) e.shape.min_count = job.min_count;
  if (job.max_count != 0) e.shape.max_count = job.max_count;
  if (job.exponent != 1) {
    e.shape.speedup =
        std::make_shared<const Speedup>(*Speedup::Power(job.exponent));
  }
  e.shape.priority = job.priority;
  e.shape.suspendable = job.suspendable;
  e.shape.checkpoint = Hours(job.checkpoint_h);
  e.shape.restart = Hours(job.restart_h);
  e.spec.submitted = T(0) + Hours(job.submit_h);
  e.spec.runtime = Hours(job.believed_h.value_or(job.runtime_h));
  e.spec.runtime_known = !job.believed_h.has_value();
  if (job.max_delay_h) e.spec.max_delay = Hours(*job.max_delay_h);
  return e;
}

}  // namespace

// Feeds the engine and carries out its effects.
class Play::Player {
 public:
  Player(Engine& engine, const std::vector<PlayJob>& jobs)
      : engine_(engine), jobs_(jobs) {}

  void Post(absl::Time at, Event event) {
    queue_.emplace(std::make_pair(at, ++order_), std::move(event));
  }

  PlayResult Run(uint64_t max_steps) {
    absl::Time wake = absl::InfiniteFuture();
    while (result_.steps < max_steps) {
      now_ = wake;
      if (!queue_.empty()) now_ = std::min(now_, queue_.begin()->first.first);
      if (now_ == absl::InfiniteFuture()) break;
      const std::vector<Event> batch = TakeDue();
      const Effects& effects = engine_.Step(now_, batch);
      ++result_.steps;
      CarryOut(effects);
      wake = effects.wake;
    }
    std::stable_sort(result_.stretches.begin(), result_.stretches.end(),
                     [](const PlayStretch& a, const PlayStretch& b) {
                       return a.start != b.start ? a.start < b.start
                                                 : a.job < b.job;
                     });
    return std::move(result_);
  }

 private:
  // What a job has done and does.
  struct Attempt {
    Epoch epoch;
    bool running = false;
    bool stopping = false;
    PoolId pool;
    uint32_t count = 0;
    absl::Time start;         // of the stretch on `count`
    absl::Time useful_from;   // its overhead is over
    absl::Duration executed;  // in earlier attempts
    absl::Duration done;      // in this attempt, before this stretch
  };

  const PlayJob& job(uint64_t id) const { return jobs_[id - 1]; }

  double Speed(const Attempt& a, uint64_t id) const {
    return std::pow(static_cast<double>(a.count) / job(id).count,
                    job(id).exponent);
  }

  // Useful work of the attempt until `to`.
  absl::Duration Work(const Attempt& a, uint64_t id, absl::Time to) const {
    const absl::Duration ran =
        std::max(absl::ZeroDuration(), to - a.useful_from);
    return a.done + ran * Speed(a, id);
  }

  void Close(Attempt& a, uint64_t id) {
    a.done = Work(a, id, now_);
    if (now_ > a.start) {
      result_.stretches.push_back({id, a.pool, a.count, a.start, now_});
    }
    a.start = now_;
    a.useful_from = std::max(a.useful_from, now_);
  }

  void ScheduleEnd(const Attempt& a, uint64_t id) {
    const absl::Duration left = Hours(job(id).runtime_h) - a.executed - a.done;
    // Rounded up, so that all of the work is done.
    const double us = absl::ToDoubleMicroseconds(left) / Speed(a, id);
    const absl::Time at =
        a.useful_from + absl::Microseconds(std::llround(std::ceil(us - 1e-6)));
    Post(at, AttemptEnded{.job = JobId(id), .epoch = a.epoch, .at = at});
  }

  // Whether the end stands: ends of before a stop or a resize are stale.
  bool Ended(AttemptEnded& end) {
    const uint64_t id = end.job.value();
    Attempt& a = attempts_[id];
    if (a.epoch != end.epoch || !a.running) return false;
    if (end.outcome == Outcome::kSucceeded) {
      const absl::Duration missing =
          Hours(job(id).runtime_h) - a.executed - Work(a, id, now_);
      if (a.stopping || missing > absl::Microseconds(2)) return false;
      Close(a, id);
      result_.ends[id] = now_;
    } else {
      end.work = a.done;
      a.executed += a.done;
      if (now_ > a.start) {
        result_.stretches.push_back({id, a.pool, a.count, a.start, now_});
      }
    }
    a.running = false;
    return true;
  }

  std::vector<Event> TakeDue() {
    std::vector<Event> batch;
    while (!queue_.empty() && queue_.begin()->first.first <= now_) {
      Event event = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      auto* const end = std::get_if<AttemptEnded>(&event);
      if (end == nullptr || Ended(*end)) batch.push_back(std::move(event));
    }
    return batch;
  }

  void CarryOut(const Effects& effects) {
    for (const Refusal& r : effects.refusals) {
      result_.refusals.emplace_back(r.status.message());
    }
    for (const DecisionRecord& d : effects.decisions) Note(d);
    for (const StartAttempt& start : effects.starts) {
      const uint64_t id = start.job.value();
      Attempt& a = attempts_[id];
      a = {.epoch = start.epoch,
           .running = true,
           .pool = start.pool,
           .count = start.count,
           .start = now_,
           .useful_from = now_ + (start.resume ? Hours(job(id).restart_h)
                                               : absl::ZeroDuration()),
           .executed = a.executed};
      ScheduleEnd(a, id);
    }
    for (const ResizeAttempt& resize : effects.resizes) {
      if (resize.nodes.empty()) {
        Suspend(resize.job, resize.epoch);
        continue;
      }
      Attempt& a = attempts_[resize.job.value()];
      Close(a, resize.job.value());
      a.count = resize.count;
      ScheduleEnd(a, resize.job.value());
    }
    for (const StopAttempt& stop : effects.stops) {
      Suspend(stop.job, stop.epoch);
    }
  }

  void Suspend(JobId job_id, Epoch epoch) {
    const uint64_t id = job_id.value();
    Attempt& a = attempts_[id];
    a.done = Work(a, id, now_);
    a.stopping = true;
    const absl::Time at = now_ + Hours(job(id).checkpoint_h + job(id).late_h);
    Post(at, AttemptEnded{.job = job_id,
                          .epoch = epoch,
                          .at = at,
                          .outcome = Outcome::kSuspended});
  }

  void Note(const DecisionRecord& d) {
    std::string& text = result_.transcript;
    absl::StrAppendFormat(&text, "%8.4f %s %d", InHours(now_),
                          ToAbsl(Word(d.kind)), d.job.value());
    if (d.kind == DecisionKind::kStart || d.kind == DecisionKind::kDefer) {
      absl::StrAppendFormat(&text, " pool %d", d.reason.chosen.pool.value());
    }
    if (d.kind == DecisionKind::kDefer) {
      absl::StrAppendFormat(&text, " until %.4f", InHours(d.until));
    }
    absl::StrAppendFormat(&text, " %s", ToAbsl(ToString(d.reason.code)));
    if (d.reason.chosen.valid) {
      absl::StrAppendFormat(&text, " %.3f g", d.reason.chosen.carbon.value());
    }
    text += "\n";
  }

  Engine& engine_;
  const std::vector<PlayJob>& jobs_;
  absl::Time now_;
  std::map<std::pair<absl::Time, uint64_t>, Event> queue_;
  uint64_t order_ = 0;
  std::map<uint64_t, Attempt> attempts_;
  PlayResult result_;
};

Play& Play::Churn() {
  churn_ = true;
  return *this;
}

PlayResult Play::Run(uint64_t max_steps) {
  constexpr uint64_t kChurned = 12;
  constexpr uint64_t kFirstChurned = 1'000'000;
  Player player(*engine_, jobs_);
  for (uint64_t i = 0; churn_ && i < kChurned; ++i) {
    JobSubmitted e =
        Submit(*engine_, kFirstChurned + i, static_cast<uint32_t>(1 + i));
    e.spec.held = true;
    e.shape.priority = -static_cast<int32_t>(i % 3);
    player.Post(T(0), std::move(e));
  }
  for (uint64_t i = 0; churn_ && i < kChurned; ++i) {
    player.Post(T(0), JobCancelled{JobId(kFirstChurned + i * 5 % kChurned)});
  }
  for (Event& event : first_) player.Post(T(0), std::move(event));
  for (size_t i = 0; i < jobs_.size(); ++i) {
    JobSubmitted e = ToEvent(*engine_, jobs_[i], i + 1);
    const absl::Time at = e.spec.submitted;
    player.Post(at, std::move(e));
  }
  return player.Run(max_steps);
}

PlayResult RunCase(const PlayCase& play_case, std::unique_ptr<Policy> policy,
                   bool churn) {
  Play play(play_case.topology, std::move(policy), play_case.horizon);
  for (size_t r = 0; r < play_case.forecasts.size(); ++r) {
    if (!play_case.forecasts[r].empty()) {
      play.Forecast(static_cast<uint16_t>(r), play_case.forecasts[r]);
    }
  }
  for (const auto& [pool, count] : play_case.nodes) play.Node(pool, count);
  for (const PlayJob& job : play_case.jobs) play.Job(job);
  if (churn) play.Churn();
  return play.Run();
}

}  // namespace ccsched::testing
