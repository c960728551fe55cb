// The one thread that decides: inputs in, one step, one commit, answers out.
// SPDX-License-Identifier: Apache-2.0
//
// Its order is always the same: read the time once; turn inputs into events;
// step the engine; commit events, new state and effects in one transaction;
// only then answer clients and send commands to agents. Inputs that come while
// a commit is under way share the next one.
#ifndef CCSCHED_SCHEDULER_DAEMON_DRIVER_H_
#define CCSCHED_SCHEDULER_DAEMON_DRIVER_H_

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/symbols.h"
#include "scheduler/core/engine.h"
#include "scheduler/daemon/attempt_table.h"
#include "scheduler/daemon/clock_setting.h"
#include "scheduler/daemon/courier.h"
#include "scheduler/daemon/grid_feed.h"
#include "scheduler/daemon/metrics.h"
#include "scheduler/daemon/node_energy_book.h"
#include "scheduler/daemon/node_table.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/daemon/price_feed.h"
#include "scheduler/daemon/shadow_runner.h"
#include "scheduler/daemon/start_slips.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/runtime_history.h"
#include "scheduler/providers/poller.h"
#include "scheduler/rpc/agent_directory.h"
#include "scheduler/rpc/audit.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/wire/cluster_config.h"
#include "scheduler/wire/convert.h"

namespace ccsched {

struct DriverSetup {
  Cluster cluster;
  std::string config_file;                // read again on ReloadConfig
  std::optional<absl::Time> real_origin;  // of a new cluster's clock
  // All must outlive the driver.
  Ledger* ledger = nullptr;
  Inbox* inbox = nullptr;
  AgentDirectory* directory = nullptr;
  WatchHub* hub = nullptr;
  MetricsBoard* metrics = nullptr;  // null: nobody asks for them
  // How the regions' providers have been doing; absent: there are none.
  std::function<std::vector<ProviderState>()> providers;
  // Who operates and who runs nodes, as the configuration has it by now.
  std::function<void(const v1::ListenConfig&)> on_roles;
  // Called when the ledger becomes unwritable, and writable again.
  std::function<void(bool writable)> on_health;
};

// What the driver keeps of a live job that the engine does not need.
struct JobNotes {
  PoolId baseline;
  std::optional<absl::Time> first_planned;  // start, of one that is deferred
  std::optional<absl::Time> first_started, ended;
  std::optional<int32_t> exit_code;
  std::optional<int64_t> joules;  // of its rows so far; see `energy_unknown`
  bool energy_unknown = false;
  int64_t milligrams = 0;           // of its rows so far, where known
  absl::Duration ran;               // over all attempts
  int refusals = 0;                 // of nodes, to start it
  int deaths = 0;                   // of its supervisors, in a row
  std::optional<JobState> counted;  // as what job_counts_ has it
  bool went_on = false;             // asked to suspend, its attempt did not
  std::string note;
};

class Driver {
 public:
  // Takes up what is recorded. Errors: what does not fit the configuration, a
  // file that can't be read, an unknown policy.
  static absl::StatusOr<std::unique_ptr<Driver>> Create(DriverSetup setup);
  ~Driver();

  // Works until the inbox is closed and empty. Returns an error if the ledger
  // refuses what was decided: the process must then end, and start again from
  // what is recorded.
  absl::Status Run();
  // Gives up waiting for a disk that is full. Any thread.
  void StopSoon() { stopping_ = true; }

 private:
  // One input's job (or array) that has become events.
  struct Intake {
    size_t receipt = 0, result = 0;
    const v1::JobSpec* spec = nullptr;
    std::string payload;
    std::vector<uint32_t> indices;  // of an array
    JobId first;
    uint32_t first_event = 0, count = 1;
    // Receipts and results of what came in the same step under its key: the
    // same again, and other jobs.
    std::vector<std::pair<size_t, size_t>> duplicates, others;
  };
  // All of one step. Cleared, not freed, between steps.
  struct Work {
    absl::Time now;
    std::vector<Event> events;
    std::vector<Intake> intakes;
    absl::flat_hash_map<std::string, size_t> keys;  // → intakes
    std::vector<std::pair<uint32_t, std::function<void(absl::Status)>>> asked;
    absl::flat_hash_map<JobId, size_t> submitted;  // → batch.submissions
    // Attempts that run and whose rows are to be written; in order, so that a
    // batch is the same again for the same inputs.
    absl::btree_set<std::pair<JobId, Epoch>> rows_changed;
    Batch batch;
    Outbox outbox;
  };

  explicit Driver(DriverSetup setup);

  // --- driver.cc
  std::chrono::steady_clock::time_point NextDeadline() const;
  absl::Time ReadClock();
  absl::Status RunStep(std::vector<Input>& inputs);
  absl::Status CommitDurably(const Batch& batch);
  void GiveUp(const absl::Status& why);
  void NoteStep(std::chrono::steady_clock::duration took);

  // --- driver_jobs.cc
  void Apply(Submission& submission);
  void Apply(JobAction& action);
  absl::StatusOr<SubmitResult> KnownKey(const v1::JobSpec& spec) const;
  SubmitResult TakeJob(const v1::JobSpec& spec, size_t receipt, size_t result);
  absl::StatusOr<ModelJob> Model(const v1::JobSpec& spec) const;
  absl::Status CheckRunsImages(const ModelJob& job,
                               const std::string& image) const;
  absl::StatusOr<std::vector<JobId>> Dependencies(const v1::JobSpec& spec);
  void SettleIntakes(const Effects& effects);
  void LogRefusals(const Effects& effects) const;
  void RecordIntake(const Intake& intake);

  // --- driver_preview.cc
  void Apply(PreviewCall& call);
  absl::StatusOr<v1::PreviewResponse> Preview(const v1::JobSpec& spec);
  bool HasRoom(const Choice& choice, const JobShape& shape) const;
  void NoteRoom(const Choice& now, const JobShape& shape,
                v1::Reason& reason) const;
  v1::Offer OfferOf(const Choice& choice, const OfferContext& context,
                    const JobShape& shape) const;
  Choice AtOnce(const ModelJob& job, absl::Time at,
                const OfferContext& context) const;
  v1::Reason ReasonOf(const ModelJob& job, const std::vector<Choice>& offers,
                      absl::Time at, const v1::Offer& first,
                      const OfferContext& context) const;

  // --- driver_acts.cc
  void RecordAct(const AuditAct& act, std::optional<JobId> job);
  void SettleAct(AuditAct act, const absl::Status& outcome,
                 std::function<void()> answer);
  // The same of a call, which is answered with the outcome or the response.
  template <typename Request, typename Response>
  void SettleAct(Call<Request, Response>& call, const absl::Status& outcome,
                 Response response = {}) {
    SettleAct(ActOf(call.request, call.caller), outcome,
              [outcome, response = std::move(response),
               reply = std::move(call.reply)] {
                if (outcome.ok()) {
                  reply(response);
                } else {
                  reply(outcome);
                }
              });
  }

  // --- driver_admin.cc
  void Apply(StatusCall& call);
  void Apply(SitesCall& call);
  void Apply(NodesCall& call);
  void Apply(DrainCall& call);
  void Apply(PoliciesCall& call);
  void Apply(SetPolicyCall& call);
  void Apply(PushForecastCall& call);
  void Apply(GetForecastCall& call);
  void Apply(ReloadConfig& reload);
  // --- driver_projects.cc
  absl::StatusOr<std::vector<ProjectTerms>> TermsOnRecord(
      const Cluster& cluster, absl::Time now);
  absl::Status RestoreProjects(const Snapshot& snapshot);
  void Agree();
  void BookEmission(JobId id, const std::string& project, absl::Time at,
                    std::optional<int64_t> milligrams);
  // Of a live job; "" of another.
  std::string ProjectOf(JobId id) const;
  std::string BudgetText(Symbol project) const;
  std::string HeldText(const Job& job) const;
  std::string BudgetWarning(const Intake& intake) const;
  std::string ProjectNote(const std::string& project) const;
  Symbol InternProject(const std::string& name);
  std::vector<ProjectTerms> KnownProjects() const;
  void SaveShares(bool now);
  void Apply(ProjectsCall& call);

  // --- driver_shadow.cc
  void RestoreShadow(const Snapshot& snapshot);
  absl::Status StartShadow(const v1::PolicyConfig& policy);
  void FeedShadow(const Effects& effects);
  void Apply(SetShadowCall& call);
  void Apply(ShadowCall& call);

  absl::Status ChangePolicy(const v1::PolicyConfig& policy);

  // --- driver_agents.cc
  void Apply(AgentHello& hello);
  void Apply(AgentReport& report);
  void Apply(AgentGone& gone);
  absl::StatusOr<NodeEntry*> Admit(const AgentHello& hello);
  void Confirm(LiveAttempt& attempt);
  void Reconcile(NodeEntry& node, const v1::Register& hello);
  void OnHealth(NodeEntry& node, const std::string& unfit);
  void OnStatus(NodeEntry& node, const v1::AttemptStatus& status);
  void TakeUse(LiveAttempt& attempt, const v1::EnergySample& sample);
  void OnTelemetry(NodeEntry& node, const v1::Telemetry& telemetry);
  void PartEnded(LiveAttempt& attempt, AttemptPart& part, absl::Time at,
                 Outcome outcome);
  void FinishAttempt(LiveAttempt& attempt);
  static void CountEnd(std::string_view outcome, bool blamed, JobNotes& notes);
  static void FailIfHopeless(AttemptEnd& end, JobNotes& notes);
  void AskParts(LiveAttempt& attempt);
  void JudgeDeclined(LiveAttempt& attempt);
  void SweepLeases();
  void LoseNode(NodeEntry& node);
  void SendStart(const LiveAttempt& attempt, const AttemptPart& part);
  void SendStop(const LiveAttempt& attempt, const AttemptPart& part,
                v1::StopAttempt::Why why);
  void Send(const NodeEntry& node, v1::SchedulerMessage message);
  v1::Registered Welcome(const NodeEntry& node) const;

  // --- driver_record.cc
  OfferContext ContextOf(const Job& job, const JobShape& shape) const;
  void LearnSlips(const Effects& effects);
  void RecordEffects(const Effects& effects);
  void RecordState(JobId id);
  void StartAttempts(const Effects& effects);
  void RecordAttempts();
  void StopAttempts(const Effects& effects);

  // --- driver_energy.cc
  void TakeNodeEnergy(NodeEntry& node, const v1::Telemetry& telemetry);
  void RecordNodeEnergy(std::vector<NodeEnergyRow> rows);
  std::optional<int64_t> EmbodiedOf(const LiveAttempt& attempt,
                                    absl::Duration held) const;
  std::unique_ptr<AttemptEnergy> NewEnergy(const LiveAttempt& attempt,
                                           absl::Time start) const;
  void TakeEnergy(LiveAttempt& attempt, bool everything);
  void RecordBaseline(const Job& job, const JobNotes& notes);

  // --- driver_restate.cc
  bool RestateEmission(RegionId region, const std::string& project,
                       EmissionRow& row);
  void RestateBatch(RegionId region);
  void RestateSpan(RegionId region, const TimeSpan& span, bool estimated_only);
  void RestateChanges(RegionId region, const std::vector<TimeSpan>& changes,
                      bool estimated_only = false);

  // --- driver_metrics.cc
  void CountJob(JobNotes& notes, JobState state);
  MetricFamilies MakeMetrics() const;
  void AddGridMetrics(MetricFamilies& families) const;
  void AddProviderMetrics(MetricFamilies& families) const;
  void AddEnergyMetrics(MetricFamilies& families) const;

  // --- driver_restore.cc
  absl::Status Restore();
  using LiveJobs = absl::flat_hash_map<JobId, std::vector<JobId>>;
  absl::Status StartClock(const Snapshot& snapshot);
  absl::StatusOr<RecalledJob> Recall(const SubmissionRow& row);
  absl::Status RestoreNodes(const Snapshot& snapshot);
  absl::Status TakeUpGrids(const std::vector<GridRow>& in_force,
                           GridFeed& grid);
  absl::Status RestateOnFiles(const Snapshot& snapshot);
  bool SameGridFile(RegionId region, const Settings& on_record) const;
  void RecordGridFiles(const Settings& on_record);
  // Puts on record what is under contract, if it has changed.
  void RecordContracts(std::vector<ContractRow> rows, Batch& batch,
                       absl::Time now);
  absl::Status RestoreJobs(const Snapshot& snapshot);
  absl::Status RestoreJob(const Snapshot::LiveJob& live,
                          const LiveJobs& live_jobs, RestoredJob& job);
  absl::Status RestoreAttempt(const Snapshot::LiveJob& live, RestoredJob& job);

  absl::StatusOr<PoolId> FindPool(const std::string& site,
                                  const std::string& accelerator) const;
  const Topology& topology() const { return engine_->topology(); }

  DriverSetup setup_;
  ClockSetting clock_setting_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<GridFeed> grid_;
  PriceFeed prices_;
  std::unique_ptr<Courier> courier_;
  LeaseTimes lease_times_;
  std::string policy_name_;
  std::map<std::string, double> policy_parameters_;
  v1::PolicyConfig shadow_policy_;  // without a name: none
  std::unique_ptr<ShadowRunner> shadow_;
  size_t shadow_placements_ = 0;  // that it knows
  SymbolTable symbols_;
  std::vector<ProjectTerms> terms_;         // agreed with projects
  std::map<std::string, Symbol> projects_;  // seen so far
  bool agree_ = false;                      // the engine does not know them yet
  RealTime next_shares_{};
  NodeTable nodes_;
  AttemptTable attempts_;
  NodeEnergyBook node_energy_;
  ContractSet contracts_;  // as on record
  absl::flat_hash_map<JobId, JobNotes> notes_;
  StartSlips slips_;
  uint64_t last_job_ = 0;
  absl::Time last_step_ = absl::InfinitePast();
  absl::Time wake_ = absl::InfinitePast();
  RealTime next_sweep_;
  bool holding_back_ = false;
  uint64_t steps_ = 0;
  std::vector<float> step_ms_;  // a ring of the last ones
  // For metrics, since the start.
  static constexpr std::array<double, 9> kStepBuckets = {
      .0001, .001, .005, .01, .025, .05, .1, .25, 1};
  std::array<uint64_t, 9> step_counts_ = {};
  double step_seconds_ = 0;
  std::array<int64_t, 16> job_counts_ = {};
  struct SiteSums {
    double milligrams = 0, idle_milligrams = 0, marginal_grams = 0;
  };
  std::vector<SiteSums> site_sums_;
  double avoided_milligrams_ = 0;
  std::atomic<bool> stopping_ = false;
  Work work_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_DRIVER_H_
