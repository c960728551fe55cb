// Plays one scenario by one policy through the scheduler's own engine.
// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/core/engine.h"
#include "sim/faults.h"
#include "sim/fleet.h"
#include "sim/project_book.h"
#include "sim/tally.h"
#include "sim/timed_policy.h"

namespace ccsched {
namespace {

// So many steps at one instant mean that a policy goes round in a circle.
constexpr uint64_t kStepsAtOnce = 10'000'000;
// How much of the past is told when a run begins.
constexpr absl::Duration kToldAtFirst = absl::Hours(24 * 14);

int64_t CeilMicros(absl::Time t) {
  if (t == absl::InfiniteFuture()) return kForeverUs;
  const int64_t us = absl::ToUnixMicros(t);
  return absl::FromUnixMicros(us) < t ? us + 1 : us;
}

// Turns jobs of the trace into what the engine is told of them.
class Submitter {
 public:
  Submitter(const Scenario& scenario, const Workload& workload,
            RuntimeKnowledge runtime, Engine& engine)
      : spec_(scenario.jobs), facts_(workload.facts()), runtime_(runtime) {
    shape_.placement = engine.InternPlacement(spec_.placement);
    shape_.suspendable = spec_.suspendable;
    shape_.checkpoint = spec_.checkpoint;
    shape_.restart = spec_.restart;
    if (spec_.elastic()) {
      shape_.speedup = std::make_shared<const Speedup>(spec_.speedup);
    }
  }

  // REQUIRES: `e` is as it was made.
  void Submit(uint64_t id, const SimJob& job, JobSubmitted& e) {
    e.spec.id = JobId(id);
    e.spec.submitted = PackedTime::FromUnixMicros(job.submit_us);
    e.spec.user = job.user;
    e.spec.project = job.project;
    e.spec.name = job.name;
    if (job.max_delay_us != kForeverUs) {
      e.spec.max_delay = PackedDuration::Micros(job.max_delay_us);
    }
    switch (runtime_) {
      case RuntimeKnowledge::kKnown:
        e.spec.runtime = PackedDuration::Micros(job.duration_us);
        e.spec.runtime_known = true;
        if (const int64_t deadline = job.deadline_us();
            deadline != kForeverUs) {
          e.spec.finish_by = PackedTime::FromUnixMicros(deadline);
        }
        break;
      case RuntimeKnowledge::kClassMean:
        e.spec.runtime =
            absl::Microseconds(1) * facts_.class_mean_us[job.job_class];
        break;
      case RuntimeKnowledge::kLearned:
        // A finish_by would give the runtime away.
        break;
    }
    shape_.count = shape_.min_count = shape_.max_count = job.count;
    if (spec_.elastic()) {
      shape_.min_count = spec_.least(job.count);
      shape_.max_count = spec_.most(job.count);
    }
    e.shape = shape_;
  }

 private:
  const WorkloadSpec& spec_;
  const WorkloadFacts& facts_;
  const RuntimeKnowledge runtime_;
  JobShape shape_;
};

// What a policy is told of runtimes.
RuntimeKnowledge Told(const PolicyRun& policy) {
  const absl::StatusOr<const PolicySpec*> spec = FindPolicy(policy.name);
  const bool given = spec.ok() && (*spec)->given_lengths &&
                     policy.runtime == RuntimeKnowledge::kClassMean;
  return given ? RuntimeKnowledge::kKnown : policy.runtime;
}

// Where runtimes are learnt, from what; null: what the submissions say.
std::unique_ptr<RuntimeBeliefs> Beliefs(RuntimeKnowledge runtime) {
  if (runtime != RuntimeKnowledge::kLearned) return nullptr;
  return std::make_unique<LearnedBeliefs>();
}

// One run: the streams of what happens, merged by time.
class Playing {
 public:
  Playing(const Scenario& scenario, const Workload& workload,
          const PolicyRun& policy, const SimulationOptions& options,
          std::unique_ptr<Policy> made, absl::Duration* decide_cpu)
      : scenario_(scenario),
        workload_(workload),
        tally_(scenario),
        projects_(scenario, workload.symbols(), options.sink),
        fleet_(scenario, tally_, projects_.on() ? &projects_ : options.sink,
               options.keep_nodes || scenario.faults.has_value() ||
                   options.script != nullptr),
        engine_(scenario.topology,
                options.timing
                    ? std::make_unique<TimedPolicy>(std::move(made), decide_cpu)
                    : std::move(made),
                MakePolicy,
                {.beliefs = Beliefs(policy.runtime),
                 .horizon = scenario.horizon,
                 .explain = false,
                 .baselines = false,
                 .shares = scenario.shares}),
        submitter_(scenario, workload, Told(policy), engine_),
        script_(options.script) {
    result_.policy = policy.label;
  }

  absl::StatusOr<SimResult> Play() {
    ASSIGN_OR_RETURN(source_, workload_.Open());
    ASSIGN_OR_RETURN(next_job_, source_->Next());
    Limits();
    if (script_ == nullptr) JoinNodes();
    if (projects_.on()) events_.emplace_back(projects_.Terms());
    outside_us_ = NextOutside();
    for (;;) {
      const int64_t now = NextTime();
      if (now != now_us_) {
        tally_.EndInstant();
        now_us_ = now;
        at_once_ = 0;
      }
      if (now == kForeverUs || now > last_us_) break;
      if (++at_once_ > kStepsAtOnce) {
        return absl::InternalError(absl::StrCat(
            "policy ", result_.policy, " does not let time go on after ",
            absl::FormatTime(absl::FromUnixMicros(now), absl::UTCTimeZone())));
      }
      RETURN_IF_ERROR(Step(now));
    }
    return Finish();
  }

 private:
  // Beyond `last_us_` nothing happens: the horizon, or, for jobs that wait
  // forever, the end of what is known of the grids.
  void Limits() {
    data_end_us_ = kForeverUs;
    for (const RegionData& region : scenario_.regions) {
      data_end_us_ =
          std::min(data_end_us_, absl::ToUnixMicros(region.actual.end()));
    }
    last_us_ =
        scenario_.horizon ? absl::ToUnixMicros(*scenario_.horizon) : kForeverUs;
    // A job whose nodes keep failing may never end.
    if (scenario_.faults) last_us_ = std::min(last_us_, data_end_us_);
  }

  void JoinNodes() {
    uint32_t node = 0;
    for (size_t i = 0; i < scenario_.pool_sizes.size(); ++i) {
      const PoolSize& size = scenario_.pool_sizes[i];
      const uint32_t each = size.node_size == 0 ? size.count : size.node_size;
      for (uint32_t done = 0; done < size.count; done += each) {
        nodes_.push_back(
            {NodeId(node++), PoolId(i), std::min(each, size.count - done)});
      }
    }
    events_.insert(events_.end(), nodes_.begin(), nodes_.end());
    if (scenario_.faults) {
      faults_ =
          Faults(*scenario_.faults, node, absl::ToUnixMicros(scenario_.start));
    }
  }

  // Nodes that fail now take their jobs with them; those repaired are back.
  absl::Status ChangeNodes(int64_t now) {
    for (const Faults::Change& change : faults_.Take(now)) {
      if (change.up) {
        events_.emplace_back(nodes_[change.node.value()]);
        continue;
      }
      RETURN_IF_ERROR(fleet_.Fail(now, change.node, result_));
      events_.emplace_back(NodeSilent{change.node});
      events_.emplace_back(NodeLost{change.node});
    }
    return absl::OkStatus();
  }

  // The engine goes through the job that ends next, at `end_us`, some steps
  // from now or in this one.
  void BringNear(int64_t end_us) {
    end_us_ = end_us;
    if (end_us == kForeverUs) return;
    const JobId next = fleet_.NextToEnd();
    if (next == near_) return;
    near_ = next;
    engine_.Prefetch(next);
  }

  int64_t NextTime() {
    // The nodes join at the start, whatever else happens then.
    if (!events_.empty()) return absl::ToUnixMicros(scenario_.start);
    const int64_t end = fleet_.NextEnd();
    BringNear(end);
    const int64_t arrival =
        next_job_ != nullptr ? next_job_->submit_us : kForeverUs;
    if (arrival == kForeverUs && fleet_.live() == 0) return kForeverUs;
    const int64_t now = std::min({end, arrival, wake_us_, outside_us_});
    const bool idle = arrival == kForeverUs && end == kForeverUs;
    return idle && now >= data_end_us_ ? kForeverUs : now;
  }

  // When next a node fails or is repaired, a forecast or a price is issued, or
  // the script has something: seldom, beside jobs that come and end.
  int64_t NextOutside() const {
    int64_t next = faults_.Next();
    if (next_forecast_ < scenario_.forecasts.size()) {
      next = std::min(
          next, absl::ToUnixMicros(scenario_.forecasts[next_forecast_].at));
    }
    if (script_ != nullptr && next_scripted_ < script_->events.size()) {
      next = std::min(
          next, absl::ToUnixMicros(script_->events[next_scripted_].first));
    }
    if (next_price_ < scenario_.prices.size()) {
      next =
          std::min(next, absl::ToUnixMicros(scenario_.prices[next_price_].at));
    }
    return next;
  }

  // Tells of the hours that are over since it last did, or, at first, of the
  // weeks before. Nobody is woken for it.
  void TellIntensity(absl::Time now) {
    if (now < told_until_) return;
    told_until_ = absl::UnixEpoch() +
                  absl::Ceil(now - absl::UnixEpoch() + absl::Microseconds(1),
                             absl::Hours(1));
    told_.resize(scenario_.regions.size(), now - kToldAtFirst);
    for (size_t r = 0; r < scenario_.regions.size(); ++r) {
      const RegionData& region = scenario_.regions[r];
      if (region.foreseen) continue;
      const StepSeries& actual = region.actual;
      const int64_t steps = static_cast<int64_t>(actual.values().size());
      const int64_t from = std::clamp<int64_t>(
          actual.OffsetUs(told_[r]) / actual.step_us(), 0, steps);
      const int64_t to = std::clamp<int64_t>(
          actual.OffsetUs(now) / actual.step_us(), from, steps);
      if (to == from) continue;
      auto series = StepSeries::Create(
          actual.start() + actual.step() * from, actual.step(),
          {actual.values().begin() + from, actual.values().begin() + to});
      if (!series.ok()) continue;
      told_[r] = series->end();
      events_.emplace_back(IntensityObserved{
          RegionId(static_cast<uint16_t>(r)),
          std::make_shared<const StepSeries>(*std::move(series))});
    }
  }

  // Everything that happens at `now`, in this order: nodes and forecasts
  // come, attempts end, nodes fail and are repaired, jobs are submitted.
  absl::Status Step(int64_t now) {
    const auto& forecasts = scenario_.forecasts;
    const absl::Time time = absl::FromUnixMicros(now);
    while (next_forecast_ < forecasts.size() &&
           forecasts[next_forecast_].at <= time) {
      const ForecastIssue& issue = forecasts[next_forecast_++];
      events_.emplace_back(ForecastIssued{issue.region, issue.forecast});
    }
    TellIntensity(time);
    const auto& prices = scenario_.prices;
    while (next_price_ < prices.size() && prices[next_price_].at <= time) {
      const PriceIssue& issue = prices[next_price_++];
      events_.emplace_back(PricesPublished{issue.region, issue.prices});
    }
    if (end_us_ <= now) engine_.PrefetchRun(near_);
    RETURN_IF_ERROR(fleet_.EndDue(now, events_));
    if (projects_.on()) projects_.TakeBooked(events_);
    if (faults_.Next() <= now) RETURN_IF_ERROR(ChangeNodes(now));
    if (script_ != nullptr) RETURN_IF_ERROR(FollowScript(now));
    while (next_job_ != nullptr && next_job_->submit_us <= now) {
      const uint64_t id = ++result_.jobs;
      fleet_.Submit(id, *next_job_);
      if (projects_.on()) projects_.Submit(id, *next_job_);
      if (script_ != nullptr) {
        events_.emplace_back(Scripted(id));
      } else {
        events_.emplace_back(std::in_place_type<JobSubmitted>);
        submitter_.Submit(id, *next_job_,
                          std::get<JobSubmitted>(events_.back()));
      }
      if (id == 1) first_submit_us_ = next_job_->submit_us;
      ASSIGN_OR_RETURN(next_job_, source_->Next());
    }
    if (!about_jobs_.empty()) {
      events_.insert(events_.end(), about_jobs_.begin(), about_jobs_.end());
      about_jobs_.clear();
    }
    if (events_.empty()) events_.emplace_back(Tick{});
    const Effects& effects = engine_.Step(time, events_);
    events_.clear();
    ++result_.steps;
    if (script_ != nullptr) {
      ForgetEnded(now, effects);
    } else if (!effects.refusals.empty()) {
      return absl::InternalError(absl::StrCat(
          "policy ", result_.policy, ": the engine refused an event: ",
          std::string(effects.refusals.front().status.message())));
    }
    wake_us_ = CeilMicros(effects.wake);
    if (outside_us_ <= now) outside_us_ = NextOutside();
    return fleet_.Carry(now, effects, result_);
  }

  // Takes what the script has for `now`; what people did to jobs comes after
  // the submissions of the same moment.
  absl::Status FollowScript(int64_t now) {
    const auto& events = script_->events;
    for (; next_scripted_ < events.size() &&
           absl::ToUnixMicros(events[next_scripted_].first) <= now;
         ++next_scripted_) {
      const Event& event = events[next_scripted_].second;
      const bool about_job = std::holds_alternative<JobCancelled>(event) ||
                             std::holds_alternative<JobHeld>(event) ||
                             std::holds_alternative<JobReleased>(event);
      (about_job ? about_jobs_ : events_).push_back(event);
      if (const auto* lost = std::get_if<NodeLost>(&event)) {
        RETURN_IF_ERROR(fleet_.Fail(now, lost->node, result_));
      }
    }
    return absl::OkStatus();
  }

  JobSubmitted Scripted(uint64_t id) {
    const ScriptedJob& job = script_->jobs[id - 1];
    JobSubmitted e = job.submission;
    e.shape.placement = engine_.InternPlacement(job.placement);
    fleet_.Describe(id, e.shape, job.outcome, job.load);
    // What it waits for may have ended by now.
    std::erase_if(e.after, [this](JobId parent) {
      const Job* const found = engine_.job(parent);
      return found == nullptr || found->state == JobState::kSucceeded;
    });
    return e;
  }

  // Jobs that ended without having run: cancelled, or what they waited for
  // failed.
  void ForgetEnded(int64_t now, const Effects& effects) {
    for (const JobId id : effects.changed) {
      const Job* const job = engine_.job(id);
      if (job != nullptr && IsTerminal(job->state)) {
        fleet_.Forget(id.value(), now);
      }
    }
  }

  absl::StatusOr<SimResult> Finish() {
    const int64_t until = std::min(last_us_, data_end_us_);
    if (fleet_.live() > 0 || next_job_ != nullptr) {
      ASSIGN_OR_RETURN(result_.unfinished, fleet_.CutOff(until));
      // Jobs whose submission the end of the run cut off are none.
    }
    fleet_.AddLosses(result_);
    RETURN_IF_ERROR(tally_.Finish(first_submit_us_, until, result_));
    if (projects_.on()) projects_.Fill(result_);
    return std::move(result_);
  }

  const Scenario& scenario_;
  const Workload& workload_;
  SimResult result_;
  Tally tally_;
  ProjectBook projects_;
  Fleet fleet_;
  Engine engine_;
  Submitter submitter_;
  const Script* const script_;
  size_t next_scripted_ = 0;
  std::unique_ptr<JobSource> source_;
  const SimJob* next_job_ = nullptr;
  size_t next_forecast_ = 0;
  size_t next_price_ = 0;
  std::vector<NodeJoined> nodes_;  // by NodeId
  Faults faults_;
  std::vector<absl::Time> told_;  // by region: its intensity until then
  absl::Time told_until_ = absl::InfinitePast();
  std::vector<Event> events_;
  std::vector<Event> about_jobs_;  // what people did, for the end of the step
  int64_t end_us_ = kForeverUs;    // when the next attempt ends, and
  JobId near_;                     // whose it is
  int64_t now_us_ = 0;
  int64_t wake_us_ = kForeverUs;
  int64_t outside_us_ = kForeverUs;
  int64_t first_submit_us_ = 0;
  int64_t data_end_us_ = kForeverUs;
  int64_t last_us_ = kForeverUs;
  uint64_t at_once_ = 0;
};

}  // namespace

absl::StatusOr<SimResult> Simulate(const Scenario& scenario,
                                   const Workload& workload,
                                   const PolicyRun& policy,
                                   const SimulationOptions& options) {
  const absl::Duration before =
      options.timing ? ThreadCpuTime() : absl::ZeroDuration();
  std::unique_ptr<Policy> made;
  if (options.make_policy) {
    made = options.make_policy();
  } else {
    ASSIGN_OR_RETURN(made, MakePolicy(policy.name, policy.parameters));
  }
  absl::Duration decide_cpu;
  Playing run(scenario, workload, policy, options, std::move(made),
              &decide_cpu);
  ASSIGN_OR_RETURN(SimResult result, run.Play());
  if (options.timing) {
    result.decide_cpu = decide_cpu;
    result.cpu = ThreadCpuTime() - before;
  }
  return result;
}

}  // namespace ccsched
