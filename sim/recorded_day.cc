// What a ledger holds of the past, made ready to be played by any policy.
// SPDX-License-Identifier: Apache-2.0
#include "sim/recorded_day.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccsched/v1/forecasts.pb.h"
#include "ccsched/v1/journal.pb.h"
#include "scheduler/base/status.h"
#include "scheduler/base/symbols.h"
#include "scheduler/wire/cluster_config.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/journal.h"
#include "sim/recorded_grid.h"
#include "sim/recorded_job.h"
#include "sim/tally.h"

namespace ccsched {
namespace {

constexpr uint32_t kPage = 1000;
// How long another policy may go on after the record's end.
constexpr absl::Duration kAfterwards = absl::Hours(24 * 60);

// One stretch of running, as it was.
struct Ran {
  PoolId pool;
  uint32_t count = 0;
  absl::Time from;
  std::optional<absl::Time> to;
  bool kept = false;  // its work counts
};

struct Job {
  JobSubmitted submission;
  Placement placement;
  std::map<uint32_t, Ran> attempts;  // by epoch
  absl::Duration work;               // kept
  std::optional<absl::Time> end;
  std::optional<Outcome> outcome;  // of its end
  std::optional<absl::Time> cancelled;
  double load = 1;
};

class DayReader {
 public:
  explicit DayReader(LedgerReader& reader) : reader_(reader) {}

  absl::StatusOr<std::unique_ptr<RecordedDay>> Read() {
    RETURN_IF_ERROR(Walk());
    if (!booted_) {
      return absl::FailedPreconditionError("the journal holds no steps yet");
    }
    for (auto& [id, job] : jobs_) RETURN_IF_ERROR(TakeEmissions(id, job));
    RETURN_IF_ERROR(TakeMeasured());
    DropEmpty();
    if (jobs_.empty()) {
      return absl::FailedPreconditionError("no job on record has run");
    }
    RETURN_IF_ERROR(MakeScenario());
    MakeScript();
    RETURN_IF_ERROR(Account());
    return std::move(day_);
  }

 private:
  const Topology& topology() const { return day_->scenario.topology; }

  absl::Status Walk() {
    for (uint64_t number = 0;;) {
      ASSIGN_OR_RETURN(const std::vector<StepRow> rows,
                       reader_.Steps(number, kPage));
      for (const StepRow& row : rows) {
        ++number;
        const absl::Status status = TakeStep(row);
        if (!status.ok()) {
          return absl::Status(status.code(),
                              absl::StrCat("step ", number, ": ",
                                           std::string(status.message())));
        }
      }
      if (rows.size() < kPage) return absl::OkStatus();
    }
  }

  absl::Status TakeStep(const StepRow& row) {
    v1::JournalEvents journal;
    v1::JournalDecisions decisions;
    if (!journal.ParseFromString(row.events) ||
        !decisions.ParseFromString(row.decisions)) {
      return absl::DataLossError("it can't be read");
    }
    for (const v1::JournalEvent& event : journal.events()) {
      if (event.has_boot()) return Boot(event.boot());
    }
    if (!booted_) {
      return absl::DataLossError("the journal does not begin with a boot");
    }
    if (day_->first == absl::InfiniteFuture()) day_->first = row.now;
    day_->last = row.now;
    ASSIGN_OR_RETURN(
        const std::vector<Event> events,
        EventsOf(journal, [this](JobId id, std::vector<JobId> after) {
          return Submission(id, std::move(after));
        }));
    for (const Event& event : events) {
      std::visit([&](const auto& e) { Take(row.now, e); }, event);
    }
    for (const v1::JournalStart& s : decisions.starts()) {
      const auto job = jobs_.find(s.job());
      if (job == jobs_.end()) continue;
      job->second.attempts[s.epoch()] = {
          PoolId(static_cast<uint16_t>(s.pool())), s.count(), row.now,
          std::nullopt};
    }
    return absl::OkStatus();
  }

  absl::Status Boot(const v1::JournalBoot& boot) {
    ASSIGN_OR_RETURN(Cluster cluster, MakeCluster(boot.config()));
    std::string sites;
    for (const Pool& pool : cluster.topology.pools) {
      absl::StrAppend(
          &sites, cluster.topology.sites[pool.site.value()].name, "/",
          cluster.topology.accelerators[pool.accelerator.value()], ";");
    }
    if (booted_ && sites != sites_) {
      return absl::FailedPreconditionError(
          "the cluster's sites or pools were changed here; the record can't be "
          "played across it");
    }
    if (booted_) return absl::OkStatus();
    booted_ = true;
    sites_ = std::move(sites);
    day_->first = absl::InfiniteFuture();
    day_->scenario.topology = std::move(cluster.topology);
    grids_.resize(topology().regions.size());
    for (const v1::RegionConfig& region : cluster.config.regions()) {
      residual_.push_back(region.has_residual()
                              ? std::optional(GramsPerKwh(region.residual()))
                              : std::nullopt);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<JobSubmitted> Submission(JobId id, std::vector<JobId> after) {
    return RecordedSubmission(reader_, id, std::move(after), topology(),
                              symbols_, jobs_[id.value()].placement);
  }

  // What happened to jobs.
  template <typename E>
  void Take(absl::Time, const E&) {}
  void Take(absl::Time, const JobSubmitted& e) {
    jobs_[e.spec.id.value()].submission = e;
  }
  void Take(absl::Time now, const JobCancelled& e) {
    const auto job = jobs_.find(e.job.value());
    if (job != jobs_.end()) job->second.cancelled = now;
  }
  void Take(absl::Time now, const JobHeld& e) { Control(now, e.job, e); }
  void Take(absl::Time now, const JobReleased& e) { Control(now, e.job, e); }
  void Take(absl::Time, const AttemptStarted& e) {
    if (Ran* const ran = Find(e.job, e.epoch)) {
      ran->from = std::max(ran->from, e.at);
    }
  }
  void Take(absl::Time, const AttemptEnded& e) {
    Ran* const ran = Find(e.job, e.epoch);
    if (ran == nullptr) return;
    Job& job = jobs_[e.job.value()];
    ran->to = std::max(e.at, ran->from);
    const absl::Duration ranned = *ran->to - ran->from;
    switch (e.outcome) {
      case Outcome::kSucceeded:
      case Outcome::kFailed:
      case Outcome::kTimedOut:
        job.work += ranned;
        ran->kept = true;
        job.end = ran->to;
        job.outcome = e.outcome;
        break;
      case Outcome::kSuspended:
        job.work += e.work > absl::ZeroDuration() ? e.work : ranned;
        ran->kept = true;
        break;
      case Outcome::kStopped:
      case Outcome::kLost:
      case Outcome::kRefused:
        break;
    }
  }
  // What happened to nodes and forecasts.
  void Take(absl::Time now, const NodeJoined& e) { Keep(now, e); }
  void Take(absl::Time now, const NodeSilent& e) { Keep(now, e); }
  void Take(absl::Time now, const NodeDrained& e) { Keep(now, e); }
  void Take(absl::Time now, const NodeLost& e) { Keep(now, e); }
  void Take(absl::Time now, const ForecastIssued& e) {
    Keep(now, e);
    grids_[e.region.value()].Paint(e.forecast->series(),
                                   RecordedGrid::kForecast, now);
  }
  void Keep(absl::Time now, Event event) {
    day_->script.events.emplace_back(now, std::move(event));
  }
  void Control(absl::Time now, JobId job, Event event) {
    controls_.push_back({now, job.value(), std::move(event)});
  }

  Ran* Find(JobId id, Epoch epoch) {
    const auto job = jobs_.find(id.value());
    if (job == jobs_.end()) return nullptr;
    const auto ran = job->second.attempts.find(epoch.value());
    return ran == job->second.attempts.end() ? nullptr : &ran->second;
  }

  // The intensities that the job was accounted by, and its power.
  absl::Status TakeEmissions(uint64_t id, Job& job) {
    ASSIGN_OR_RETURN(const std::vector<EmissionRow> rows,
                     reader_.Emissions(JobId(id)));
    double joules = 0, modelled = 0;
    for (const EmissionRow& row : rows) {
      for (uint16_t r = 0; r < grids_.size() && row.intensity; ++r) {
        if (topology().regions[r].name != row.region) continue;
        grids_[r].Paint(row.start, row.end, *row.intensity,
                        RecordedGrid::kAccounted, row.intensity_estimated);
      }
      const auto ran = job.attempts.find(row.epoch);
      if (!row.joules || ran == job.attempts.end()) continue;
      joules += static_cast<double>(*row.joules);
      modelled += topology().pools[ran->second.pool.value()].active.value() *
                  ran->second.count *
                  absl::ToDoubleSeconds(row.end - row.start);
    }
    if (joules > 0 && modelled > 0) job.load = joules / modelled;
    return absl::OkStatus();
  }

  absl::Status TakeMeasured() {
    GridFilter measured;
    measured.actual = true;
    ASSIGN_OR_RETURN(const std::vector<GridRow> rows, reader_.Grids(measured));
    for (const GridRow& row : rows) {
      v1::GridSeries series;
      if (!series.ParseFromString(row.payload)) {
        return absl::DataLossError(
            absl::StrCat("a series of region ", row.region, " can't be read"));
      }
      for (size_t r = 0; r < grids_.size(); ++r) {
        if (topology().regions[r].name != row.region) continue;
        ASSIGN_OR_RETURN(const StepSeries values,
                         ToIntensity(series, residual_[r]));
        grids_[r].Paint(values, RecordedGrid::kMeasured, row.received);
      }
    }
    return absl::OkStatus();
  }

  // Gives jobs without an end of their own the work that they had done; drops
  // those that had done none.
  void DropEmpty() {
    for (auto it = jobs_.begin(); it != jobs_.end();) {
      Job& job = it->second;
      for (auto at = job.attempts.begin(); at != job.attempts.end(); ++at) {
        Ran& ran = at->second;
        const auto next = std::next(at);
        const bool last = next == job.attempts.end();
        const bool open = !ran.to;
        if (open) {  // it still runs, or was lost with its node
          const absl::Time end =
              last ? job.end.value_or(day_->last) : next->second.from;
          ran.to = std::max(ran.from, end);
        }
        // What was cut short did work too.
        if (last && !job.outcome && !ran.kept && (open || job.cancelled)) {
          job.work += *ran.to - ran.from;
        }
      }
      if (job.outcome) {
        ++it;
      } else if (job.work > absl::ZeroDuration()) {
        ++(job.cancelled ? day_->cancelled : day_->unended);
        job.end = std::max<absl::Time>(*job.attempts.rbegin()->second.to,
                                       job.submission.spec.submitted);
        ++it;
      } else {
        ++day_->left_out;
        it = jobs_.erase(it);
      }
    }
  }

  absl::Status MakeScenario() {
    Scenario& s = day_->scenario;
    s.name = "recorded";
    s.start = day_->first;
    s.jobs.classes.push_back({.name = "all"});
    s.site_power.resize(s.topology.sites.size());
    s.pool_sizes.assign(s.topology.pools.size(), {.count = 0});
    std::map<NodeId, NodeJoined> nodes;
    for (const auto& [time, event] : day_->script.events) {
      if (const auto* node = std::get_if<NodeJoined>(&event)) {
        nodes[node->node] = *node;
      }
    }
    for (const auto& [id, node] : nodes) {
      s.pool_sizes[node.pool.value()].count += node.count;
    }
    for (size_t r = 0; r < grids_.size(); ++r) {
      const std::string& name = s.topology.regions[r].name;
      // Nobody can say what a job there would have emitted: the run that
      // starts one says so.
      if (grids_[r].empty()) {
        s.regions.push_back({.file = absl::StrCat("region ", name)});
        continue;
      }
      absl::StatusOr<StepSeries> series =
          grids_[r].Series(day_->first - absl::Hours(1), day_->last,
                           day_->last + kAfterwards, &day_->estimated);
      if (!series.ok()) {
        return absl::FailedPreconditionError(
            absl::StrCat("the intensity of region ", name, ": ",
                         std::string(series.status().message())));
      }
      s.regions.push_back({.actual = *std::move(series),
                           .file = absl::StrCat("region ", name)});
    }
    return absl::OkStatus();
  }

  void MakeScript() {
    std::map<uint64_t, uint64_t> numbers;  // from the ledger's to the run's
    std::vector<SimJob> jobs;
    for (const auto& [id, job] : jobs_) jobs.push_back(SimJobOf(id, job));
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const SimJob& a, const SimJob& b) {
                       return a.submit_us < b.submit_us;
                     });
    // The run numbers jobs in the order of their submission.
    for (const SimJob& sim : jobs) {
      numbers.emplace(std::stoull(sim.id), numbers.size() + 1);
    }
    for (const SimJob& sim : jobs) {
      const uint64_t id = std::stoull(sim.id);
      const Job& job = jobs_.at(id);
      ScriptedJob& scripted = day_->script.jobs.emplace_back();
      scripted.submission = job.submission;
      scripted.submission.spec.id = JobId(numbers[id]);
      std::vector<JobId> after;
      for (const JobId parent : job.submission.after) {
        const auto found = numbers.find(parent.value());
        if (found != numbers.end()) after.push_back(JobId(found->second));
      }
      scripted.submission.after = std::move(after);
      scripted.placement = job.placement;
      scripted.outcome = job.outcome.value_or(Outcome::kSucceeded);
      scripted.load = job.load;
    }
    for (Controlled& c : controls_) {
      const auto number = numbers.find(c.job);
      if (number == numbers.end()) continue;
      std::visit(
          [&](auto& e) {
            if constexpr (requires { e.job; }) e.job = JobId(number->second);
          },
          c.event);
      Keep(c.at, std::move(c.event));
    }
    std::stable_sort(
        day_->script.events.begin(), day_->script.events.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> symbols;
    for (uint32_t i = 0; i < symbols_.size(); ++i) {
      symbols.push_back(symbols_.Name(Symbol(i)));
    }
    day_->workload =
        MakeWorkload(std::move(jobs), day_->scenario.jobs.classes, symbols);
  }

  static SimJob SimJobOf(uint64_t id, const Job& job) {
    const JobSpec& spec = job.submission.spec;
    SimJob sim;
    sim.id = std::to_string(id);
    sim.submit_us = absl::ToUnixMicros(spec.submitted);
    const absl::Duration work = job.work;
    sim.duration_us = absl::ToInt64Microseconds(work);
    sim.count = job.submission.shape.count;
    absl::Duration delay = spec.max_delay;
    if (spec.finish_by != absl::InfiniteFuture()) {
      delay = std::min(delay, spec.finish_by - spec.submitted - work);
    }
    if (delay != absl::InfiniteDuration()) {
      sim.max_delay_us = absl::ToInt64Microseconds(delay);
    }
    return sim;
  }

  // The record by the figures of a run.
  absl::Status Account() {
    Tally tally(day_->scenario);
    SimResult& r = day_->recorded;
    r.policy = "as recorded";
    r.jobs = jobs_.size();
    std::vector<std::pair<absl::Time, std::pair<PoolId, int64_t>>> changes;
    int64_t first = kForeverUs;
    for (const auto& [id, job] : jobs_) {
      const SimJob sim = SimJobOf(id, job);
      first = std::min(first, sim.submit_us);
      for (const auto& [epoch, ran] : job.attempts) {
        GramsCo2e grams;
        RETURN_IF_ERROR(
            tally.Charge(ran.pool, ran.count, absl::ToUnixMicros(ran.from),
                         absl::ToUnixMicros(*ran.to), &grams, job.load));
        changes.push_back({ran.from, {ran.pool, ran.count}});
        changes.push_back({*ran.to, {ran.pool, -int64_t{ran.count}}});
      }
      tally.JobEnded(sim.submit_us, sim.duration_us,
                     absl::ToUnixMicros(*job.end), sim.deadline_us());
    }
    std::stable_sort(
        changes.begin(), changes.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < changes.size(); ++i) {
      const auto& [pool, count] = changes[i].second;
      if (count >= 0) {
        tally.Occupy(pool, static_cast<uint32_t>(count));
      } else {
        tally.Vacate(pool, static_cast<uint32_t>(-count));
      }
      if (i + 1 == changes.size() || changes[i + 1].first != changes[i].first) {
        tally.EndInstant();
      }
    }
    return tally.Finish(first, absl::ToUnixMicros(day_->last), r);
  }

  struct Controlled {
    absl::Time at;
    uint64_t job = 0;
    Event event;
  };

  LedgerReader& reader_;
  std::unique_ptr<RecordedDay> day_ = std::make_unique<RecordedDay>();
  bool booted_ = false;
  std::string sites_;
  SymbolTable symbols_;
  std::map<uint64_t, Job> jobs_;  // by the ledger's id
  std::vector<Controlled> controls_;
  std::vector<RecordedGrid> grids_;                   // by region
  std::vector<std::optional<GramsPerKwh>> residual_;  // by region
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordedDay>> ReadRecordedDay(
    LedgerReader& reader) {
  return DayReader(reader).Read();
}

}  // namespace ccsched
