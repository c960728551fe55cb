// The driver: taking up what is recorded, deciding nothing of it anew.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/contracts.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/daemon/reload.h"
#include "scheduler/ledger/runtime_history.h"
#include "scheduler/rpc/job_view.h"
#include "scheduler/wire/journal.h"
#include "scheduler/wire/keyed_job.h"
#include "scheduler/wire/money.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

std::string GridFileSetting(const Topology& topology, RegionId region) {
  return "grid_file." + topology.regions[region.value()].name;
}

}  // namespace

absl::StatusOr<PoolId> Driver::FindPool(const std::string& site,
                                        const std::string& accelerator) const {
  const Topology& t = topology();
  bool known_site = false;
  for (size_t p = 0; p < t.pools.size(); ++p) {
    const PoolId pool(static_cast<uint16_t>(p));
    if (t.site(pool).name != site) continue;
    known_site = true;
    if (t.accelerators[t.pools[p].accelerator.value()] == accelerator) {
      return pool;
    }
  }
  if (!known_site) {
    return absl::NotFoundError(
        absl::StrCat("site: the configuration has no \"", site, "\""));
  }
  return absl::NotFoundError(absl::StrCat("accelerator: site ", site,
                                          " has no pool of \"", accelerator,
                                          "\" in the configuration"));
}

absl::Status Driver::Restore() {
  ASSIGN_OR_RETURN(const Snapshot snapshot, setup_.ledger->Load());
  const v1::PolicyConfig policy =
      PolicyInForce(snapshot.settings, setup_.cluster.config.policy());
  ASSIGN_OR_RETURN(policy_parameters_, ParseParameters(policy.parameters()));
  policy_name_ = policy.name();
  ASSIGN_OR_RETURN(std::unique_ptr<Policy> made,
                   MakePolicy(policy_name_, policy_parameters_));
  auto learnt = std::make_unique<LearnedBeliefs>();
  LearnedBeliefs& beliefs = *learnt;
  EngineOptions options;
  options.beliefs = std::move(learnt);
  options.resize_in_place = false;
  options.shares = setup_.cluster.shares;
  engine_ = std::make_unique<Engine>(setup_.cluster.topology, std::move(made),
                                     MakePolicy, std::move(options));
  ASSIGN_OR_RETURN(GridFeed grid,
                   GridFeed::Load(setup_.cluster, setup_.config_file));
  grid_ = std::make_unique<GridFeed>(std::move(grid));
  ASSIGN_OR_RETURN(prices_,
                   PriceFeed::Load(setup_.cluster, setup_.config_file));
  RETURN_IF_ERROR(CheckMoneyWeight(policy_parameters_, prices_.prices(),
                                   setup_.cluster.topology));
  contracts_ = snapshot.contracts;
  ASSIGN_OR_RETURN(std::vector<ContractRow> contracts,
                   ReadContractConfig(setup_.cluster, setup_.config_file));
  RETURN_IF_ERROR(StartClock(snapshot));
  RETURN_IF_ERROR(TakeUpGrids(snapshot.grids, *grid_));
  Batch batch;
  RecordContracts(std::move(contracts), batch, ReadClock());
  RETURN_IF_ERROR(setup_.ledger->Commit(batch));
  lease_times_ = LeaseTimesOf(setup_.cluster.config);
  last_job_ = snapshot.last_job.value();
  site_sums_.resize(topology().sites.size());
  RETURN_IF_ERROR(RecallRuntimes(
      setup_.ledger->reader(), snapshot.last_job, absl::InfiniteFuture(),
      [this](const SubmissionRow& row) { return Recall(row); }, beliefs));
  RETURN_IF_ERROR(RestoreNodes(snapshot));
  RETURN_IF_ERROR(RestoreJobs(snapshot));
  RETURN_IF_ERROR(RestateOnFiles(snapshot));
  RETURN_IF_ERROR(RestoreProjects(snapshot));
  RestoreShadow(snapshot);
  next_sweep_ = std::chrono::steady_clock::now();
  Log(LogLevel::kInfo, "state taken up",
      {{"jobs", snapshot.jobs.size()},
       {"running", attempts_.size()},
       {"nodes", snapshot.nodes.size()},
       {"last_job", last_job_},
       {"policy", policy_name_}});
  return absl::OkStatus();
}

absl::Status Driver::StartClock(const Snapshot& snapshot) {
  if (snapshot.last_step) last_step_ = *snapshot.last_step;
  clock_setting_ = ResolveClock({snapshot.settings, snapshot.last_step},
                                setup_.cluster.config.clock(),
                                setup_.real_origin, RealClock().Now());
  clock_ = std::make_unique<ScaledClock>(
      clock_setting_.real_origin, clock_setting_.origin, clock_setting_.rate);
  // Where a replay finds what the engine was made of.
  v1::JournalEvents events;
  v1::JournalBoot& boot = *events.add_events()->mutable_boot();
  *boot.mutable_config() = setup_.cluster.config;
  boot.mutable_policy()->set_name(policy_name_);
  boot.mutable_policy()->mutable_parameters()->insert(
      policy_parameters_.begin(), policy_parameters_.end());
  boot.set_version(CCSCHED_VERSION);
  Batch batch;
  batch.settings = ToSettings(clock_setting_);
  batch.step.emplace();
  batch.step->now = ReadClock();
  events.SerializeToString(&batch.step->events);
  return setup_.ledger->Commit(batch);
}

absl::StatusOr<RecalledJob> Driver::Recall(const SubmissionRow& row) {
  v1::JobSpec spec;
  ASSIGN_OR_RETURN(const ModelJob model,
                   ModelOfRecord(row.payload, topology(), row.submitted, spec));
  RecalledJob recalled{.shape = model.shape};
  recalled.job.spec = model.spec;
  recalled.job.spec.id = row.id;
  recalled.job.spec.user = symbols_.Intern(row.user);
  recalled.job.spec.project = InternProject(row.project);
  recalled.job.spec.name = symbols_.Intern(row.name);
  return recalled;
}

absl::Status Driver::RestoreNodes(const Snapshot& snapshot) {
  std::vector<NodeRow> rows = snapshot.nodes;
  std::sort(rows.begin(), rows.end(),
            [](const NodeRow& a, const NodeRow& b) { return a.id < b.id; });
  const RealTime now = std::chrono::steady_clock::now();
  for (const NodeRow& row : rows) {
    ASSIGN_OR_RETURN(const PoolId pool, FindPool(row.site, row.accelerator));
    NodeEntry& node = nodes_.Restore(row, pool);
    // It has a whole lease from now on to be heard again.
    node.lease = std::make_shared<NodeLease>(now);
  }
  for (const auto& [node, until] : snapshot.metered_until) {
    node_energy_.Restore(node, until);
  }
  return absl::OkStatus();
}

// Actual data may have come to the regions' files while the scheduler was away,
// or been corrected there. Of a file that is what it was, only what stood on
// estimates can change, so that a start does not look at years of rows.
absl::Status Driver::RestateOnFiles(const Snapshot& snapshot) {
  work_.now = ReadClock();
  for (size_t i = 0; i < topology().regions.size(); ++i) {
    const RegionId region(i);
    RestateChanges(region, grid_->TakeChanges(region),
                   /*estimated_only=*/SameGridFile(region, snapshot.settings));
  }
  RecordGridFiles(snapshot.settings);
  RETURN_IF_ERROR(setup_.ledger->Commit(work_.batch));
  work_.batch.Clear();
  return absl::OkStatus();
}

bool Driver::SameGridFile(RegionId region, const Settings& on_record) const {
  const std::string name = GridFileSetting(topology(), region);
  const auto found = std::find_if(
      on_record.begin(), on_record.end(),
      [&name](const auto& setting) { return setting.first == name; });
  return (found == on_record.end() ? "" : found->second) ==
         grid_->file_digest(region);
}

// Which reading of the regions' files the accounts stand on.
void Driver::RecordGridFiles(const Settings& on_record) {
  for (size_t i = 0; i < topology().regions.size(); ++i) {
    const RegionId region(i);
    if (SameGridFile(region, on_record)) continue;
    work_.batch.settings.emplace_back(GridFileSetting(topology(), region),
                                      grid_->file_digest(region));
  }
}

// Gives a new feed what is on record: the series in force, and the forecasts of
// the last weeks, from which errors are learnt.
absl::Status Driver::TakeUpGrids(const std::vector<GridRow>& in_force,
                                 GridFeed& grid) {
  constexpr absl::Duration kPast = absl::Hours(24 * 60);
  for (const GridRow& row : in_force) {
    absl::Status taken = grid.Restore(row);
    // A region that is not configured any more, or had another basis.
    if (taken.ok() || absl::IsNotFound(taken)) continue;
    if (!absl::IsInvalidArgument(taken)) return taken;
    Log(LogLevel::kWarning, "a recorded grid series is left out",
        {{"region", row.region},
         {"issued", FormatRfc3339(row.issued)},
         {"error", taken}});
  }
  ASSIGN_OR_RETURN(std::vector<GridRow> rows,
                   setup_.ledger->reader().Grids(
                       {.actual = false, .from = ReadClock() - kPast}));
  std::stable_sort(
      rows.begin(), rows.end(),
      [](const GridRow& a, const GridRow& b) { return a.issued < b.issued; });
  for (const GridRow& row : rows) grid.LearnFrom(row);
  return absl::OkStatus();
}

void Driver::RecordContracts(std::vector<ContractRow> rows, Batch& batch,
                             absl::Time now) {
  if (rows == contracts_.rows) return;
  contracts_ = {now, std::move(rows)};
  batch.contracts = contracts_;
  Log(LogLevel::kInfo, "clean energy under contract has changed",
      {{"contracts", contracts_.rows.size()}});
}

absl::Status Driver::RestoreAttempt(const Snapshot::LiveJob& live,
                                    RestoredJob& job) {
  const AttemptRow& row = *live.attempt;
  const JobState state = job.state;
  auto attempt = std::make_unique<LiveAttempt>();
  attempt->job = row.job;
  attempt->epoch = Epoch(row.epoch);
  attempt->row = row;
  attempt->use = UseHistory::FromText(row.use);
  attempt->confirmed = row.started.has_value();
  attempt->resume = row.epoch > 1;
  ASSIGN_OR_RETURN(attempt->pool, FindPool(row.site, row.accelerator));
  for (const v1::NodeShare& share : PartsOf(row)) {
    const NodeEntry* const node = nodes_.Find(share.node());
    if (node == nullptr) {
      return absl::DataLossError(absl::StrCat("job ", row.job.value(),
                                              " runs on node ", share.node(),
                                              ", which is not on record"));
    }
    AttemptPart& part = attempt->parts.emplace_back();
    part.node = node->id;
    part.count = share.count();
    if (share.has_started()) part.started = FromProto(share.started());
    job.nodes.push_back({node->id, share.count()});
  }
  if (state == JobState::kSuspending) attempt->stop = v1::StopAttempt::SUSPEND;
  if (state == JobState::kStopping) {
    attempt->stop =
        job.cancel_wanted ? v1::StopAttempt::CANCEL : v1::StopAttempt::MOVE;
  }
  job.pool = attempt->pool;
  job.count = row.count;
  job.start = row.started.value_or(row.sent);
  job.confirmed = attempt->confirmed;
  attempt->energy =
      NewEnergy(*attempt, live.accounted_until.value_or(row.sent));
  for (const AttemptPart& part : attempt->parts) {
    if (part.started) {
      attempt->energy->Started(attempt->RankOf(part), *part.started);
    }
  }
  attempts_.Add(std::move(attempt));
  return absl::OkStatus();
}

absl::Status Driver::RestoreJob(const Snapshot::LiveJob& live,
                                const LiveJobs& live_jobs, RestoredJob& job) {
  const SubmissionRow& submission = live.submission;
  const JobStateRow& state = live.state;
  v1::JobSpec spec;
  ASSIGN_OR_RETURN(const ModelJob model,
                   ModelOfRecord(submission.payload, topology(),
                                 submission.submitted, spec));
  job.spec = model.spec;
  job.spec.id = submission.id;
  job.spec.user = symbols_.Intern(submission.user);
  job.spec.project = InternProject(submission.project);
  job.spec.name = symbols_.Intern(submission.name);
  job.shape = model.shape;
  job.shape.placement = engine_->InternPlacement(model.placement);
  if (state.checkpoint > absl::ZeroDuration()) {
    job.shape.checkpoint = state.checkpoint;
  }
  job.state = static_cast<JobState>(state.state);
  job.epoch = Epoch(state.epoch);
  job.queue_key = state.queue_key;
  job.executed = state.executed;
  job.hold_wanted = state.hold_wanted;
  job.cancel_wanted = state.cancel_wanted;
  job.losses = state.losses;
  job.budget_held = state.budget_held;
  if (state.wake) job.wake = *state.wake;
  if (!state.planned_site.empty()) {
    ASSIGN_OR_RETURN(job.planned_pool,
                     FindPool(state.planned_site, state.planned_accelerator));
  }
  JobNotes& notes = notes_[submission.id];
  notes.first_started = state.started;
  notes.joules = live.joules;
  notes.energy_unknown = live.energy_unknown;
  notes.milligrams = live.milligrams;
  notes.ran = live.ran;
  for (const auto& [outcome, blamed] : live.ends) {
    CountEnd(outcome, blamed, notes);
  }
  if (!state.budget_held) notes.note = state.note;
  CountJob(notes, static_cast<JobState>(state.state));
  const absl::StatusOr<PoolId> baseline =
      FindPool(submission.baseline_site, submission.baseline_accelerator);
  notes.baseline = baseline.value_or(model.placement.front());
  if (job.state == JobState::kBlocked || job.state == JobState::kHeld) {
    for (const uint64_t id : spec.after()) {
      const auto found = live_jobs.find(JobId(id));
      if (found == live_jobs.end()) continue;
      job.after.insert(job.after.end(), found->second.begin(),
                       found->second.end());
    }
  }
  if (const uint32_t at_most = ArrayAtMost(spec.array()); at_most > 0) {
    job.limit = {submission.array_id, at_most};
  }
  if (!HoldsCapacity(job.state)) return absl::OkStatus();
  if (!live.attempt) {
    return absl::DataLossError("it runs, but its attempt is not on record");
  }
  return RestoreAttempt(live, job);
}

absl::Status Driver::RestoreJobs(const Snapshot& snapshot) {
  // What an `after` stands for: a job, or all jobs of the array it begins.
  LiveJobs live_jobs;
  for (const Snapshot::LiveJob& live : snapshot.jobs) {
    const SubmissionRow& row = live.submission;
    const bool in_array = row.array_index.has_value();
    if (in_array) live_jobs[row.array_id].push_back(row.id);
    if (!in_array || row.id != row.array_id) {
      live_jobs[row.id].push_back(row.id);
    }
  }
  std::vector<RestoredJob> jobs;
  for (const Snapshot::LiveJob& live : snapshot.jobs) {
    const absl::Status status =
        RestoreJob(live, live_jobs, jobs.emplace_back());
    if (!status.ok()) {
      return absl::Status(
          status.code(),
          absl::StrCat("job ", live.submission.id.value(),
                       " can't be taken up: ", status.message()));
    }
  }
  std::vector<RestoredNode> nodes;
  for (const NodeEntry& node : nodes_.nodes()) {
    nodes.push_back({node.id, node.pool, node.count, node.drained});
  }
  return engine_->Restore(nodes, std::move(jobs));
}

}  // namespace ccsched
