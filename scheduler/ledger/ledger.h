// The durable record: jobs, attempts, decisions, nodes, grid data, emissions.
// SPDX-License-Identifier: Apache-2.0
//
// One writer thread commits batches; what is acknowledged to anybody was in a
// batch whose Commit returned OK. Rows are plain values; bytes named `payload`
// are serialised ccsched.v1 messages that the ledger does not look into.
// A PostgreSQL implementation is meant to fit behind this interface: no SQL
// is seen outside this folder.
//
// Times and durations are kept in whole microseconds; what is finer is cut
// off. A driver whose steps must replay exactly reads its clock so.
#ifndef CCSCHED_SCHEDULER_LEDGER_LEDGER_H_
#define CCSCHED_SCHEDULER_LEDGER_LEDGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"

namespace ccsched {

// A job as it was submitted. Never changed.
struct SubmissionRow {
  JobId id;
  absl::Time submitted;
  std::string user, project, name;
  // Idempotency key; empty: none. An array's jobs share one and are committed
  // in one batch. A key that is known already fails the batch: FindKey first.
  std::string key;
  std::string payload;  // ccsched.v1.JobSpec
  std::optional<uint32_t> array_index;
  JobId array_id;
  // Baseline, frozen: where it would have run at once.
  std::string baseline_site, baseline_accelerator;

  friend bool operator==(const SubmissionRow&, const SubmissionRow&) = default;
};

// Where a job stands. One row a job; a new state replaces the old one. The
// restart needs no more than this, its submission and its attempts.
struct JobStateRow {
  JobId id;
  uint8_t state = 0;  // ccsched::JobState
  uint32_t epoch = 0;
  uint64_t queue_key = 0;
  absl::Time changed;
  std::optional<absl::Time> wake;
  std::string planned_site, planned_accelerator;
  absl::Duration executed;
  std::optional<absl::Time> started, ended;  // first start, final end
  std::optional<int32_t> exit_code;
  bool hold_wanted = false, cancel_wanted = false;
  uint8_t losses = 0;  // see ccsched::Job
  std::string note;
  bool budget_held = false;
  absl::Duration checkpoint;  // what one was seen to cost; zero: none was

  friend bool operator==(const JobStateRow&, const JobStateRow&) = default;
};

struct AttemptRow {
  JobId job;
  uint32_t epoch = 0;
  std::string site, accelerator;
  uint32_t count = 0;
  std::string nodes;  // "node:count,node:count", in rank order
  absl::Time sent;
  std::optional<absl::Time> started, ended;
  std::string outcome;  // empty while it runs
  std::optional<int32_t> exit_code, signal;
  std::string message;
  std::string use;  // see ccsched::UseHistory
  // When each part of a gang started, in rank order: "us,us", microseconds
  // since 1970, with nothing for one that has not. Empty: all at `started`.
  std::string part_starts;
  // Its end, lost or refused, may be the job's own doing: a job that has enough
  // of them is given up.
  bool blamed = false;

  friend bool operator==(const AttemptRow&, const AttemptRow&) = default;
};

struct DecisionRow {
  JobId job;
  absl::Time at;
  std::string policy;
  std::string payload;  // ccsched.v1.Reason

  friend bool operator==(const DecisionRow&, const DecisionRow&) = default;
};

// One hour (or less) of one attempt. Integers, rounded once. A stretch whose
// energy is unknown has a row too, without joules. A row that covers earlier
// rows of the attempt restates them: they stay on record as superseded, and
// sums leave them out. REQUIRES: start <= end; the attempt is on record or in
// the batch; no earlier row is covered in part only.
struct EmissionRow {
  JobId job;
  uint32_t epoch = 0;
  absl::Time start, end;          // within one step of the intensity series
  std::optional<int64_t> joules;  // of the accelerators; absent: unknown
  double pue = 1;
  std::optional<double> intensity;    // gCO2e/kWh used; absent: unknown
  std::optional<int64_t> milligrams;  // CO2e, PUE included, gross
  std::string method;                 // measured modelled estimated
  // A forecast or filled value was used; so where the intensity is unknown.
  bool intensity_estimated = false;
  std::string data_version;  // source and issue time of the intensity
  std::string site, region;
  std::optional<double> grid_share;  // carbon-free, 0 to 1; absent: unknown
  // Apart, never in a sum with the above: gCO2e/kWh at the margin, and the
  // share of making the machines (milligrams).
  std::optional<double> marginal;
  std::optional<int64_t> embodied;
  absl::Time recorded;  // when it was put on record
  // Given by the ledger, ignored by Commit: the slice's revision, and the one
  // that took its place (absent: it stands), with when it did.
  uint32_t revision = 0;
  std::optional<uint32_t> superseded_by;
  std::optional<absl::Time> superseded_at;

  friend bool operator==(const EmissionRow&, const EmissionRow&) = default;
};

// What a node's meter said over a stretch within one step of the intensity and
// one hour, and what of it is in no job's rows. A row of the same node and
// start restates an earlier one, which stays on record. REQUIRES: start < end.
struct NodeEnergyRow {
  NodeId node;
  absl::Time start, end;
  int64_t metered = 0, unallocated = 0;  // joules, before PUE
  double pue = 1;
  std::optional<double> intensity;    // gCO2e/kWh; absent: unknown
  std::optional<int64_t> milligrams;  // CO2e of the unallocated, PUE included
  std::string method;                 // measured modelled
  bool intensity_estimated = false;
  std::string data_version;
  std::optional<double> grid_share, marginal;  // as of an EmissionRow
  std::string site, region;
  absl::Time recorded;
  // Given by the ledger, ignored by Commit.
  uint32_t revision = 0;
  std::optional<absl::Time> superseded_at;

  friend bool operator==(const NodeEnergyRow&, const NodeEnergyRow&) = default;
};

// Carbon-free energy bought on a region's grid: of one site (named), or of all
// its sites (site is empty). Without `kwh`: what is agreed of the region alone,
// its residual mix and its grid's loss.
struct ContractRow {
  std::string region, site, name;
  absl::Time start = absl::InfinitePast(), end = absl::InfiniteFuture();
  absl::Duration step;      // of `kwh` from `start` on; zero: one value an hour
  std::vector<double> kwh;  // carbon-free energy a step
  std::optional<double> residual;  // gCO2e/kWh of what is not covered
  std::optional<double> loss;      // of what is generated, 0 to below 1

  friend bool operator==(const ContractRow&, const ContractRow&) = default;
};
// All that is under contract, as it was known from `recorded` on.
struct ContractSet {
  absl::Time recorded;
  std::vector<ContractRow> rows;
};

// What the baseline would have emitted for all of the job's energy so far (may
// exceed or fall short of what was emitted). A newer row takes the older one's
// place; reports as of an earlier time still see that.
struct BaselineRow {
  JobId job;
  std::optional<int64_t> milligrams;
  bool estimated = false;
  absl::Time recorded;
  // What it is made of: the job's energy as if used there over [start, end).
  // An empty region: that is not on record.
  std::string region;
  absl::Time start, end;
  std::optional<int64_t> joules;  // before PUE; absent: unknown
  double pue = 1;

  friend bool operator==(const BaselineRow&, const BaselineRow&) = default;
};

// What an emission row of the same attempt and start cost: its electricity, and
// its accelerators by the hour, each in a currency of its own and in millionths
// of it. Absent: unknown (no price was published), or nothing is charged.
struct CostRow {
  JobId job;
  uint32_t epoch = 0;
  absl::Time start;
  std::optional<int64_t> electricity_micros, accelerator_micros;
  std::string currency, accelerator_currency;

  friend bool operator==(const CostRow&, const CostRow&) = default;
};

struct NodeRow {
  NodeId id;
  std::string name, site, accelerator;
  uint32_t count = 0;
  bool drained = false;
  std::string drain_reason, meter, state_id;

  friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

// A grid series as it arrived. Never changed: a newer one is a new row.
struct GridRow {
  std::string region;
  absl::Time issued, received;
  bool actual = false;
  std::string source, basis;
  std::string payload;  // ccsched.v1.GridSeries

  friend bool operator==(const GridRow&, const GridRow&) = default;
};

// Something that somebody did: the audit trail. Never changed.
struct ActRow {
  absl::Time at;
  std::string by;    // a certificate's common name, "local", an address
  std::string what;  // cancel hold release resize drain undrain ...
  std::optional<JobId> job;
  std::string target;  // what it was done with, where that is no job
  std::string detail;

  friend bool operator==(const ActRow&, const ActRow&) = default;
};

// One Step as journalled, for replay: its time, its events, and a digest of
// the decisions that came of it. Payloads are written by scheduler/wire.
struct StepRow {
  absl::Time now;
  std::string events;
  std::string decisions;
  uint64_t sequence = 0;  // given by the ledger, from 1; ignored by Commit

  friend bool operator==(const StepRow&, const StepRow&) = default;
};

// All that one step changed; committed together.
struct Batch {
  std::vector<SubmissionRow> submissions;
  std::vector<JobStateRow> states;
  std::vector<AttemptRow> attempts;  // inserted or replaced by (job, epoch)
  std::vector<DecisionRow> decisions;
  std::vector<EmissionRow> emissions;
  std::vector<NodeEnergyRow> node_energy;
  std::vector<BaselineRow> baselines;
  std::vector<CostRow> costs;
  std::vector<NodeRow> nodes;
  std::vector<GridRow> grids;
  std::vector<ActRow> acts;
  std::optional<ContractSet> contracts;  // a new version
  std::optional<StepRow> step;
  std::vector<std::pair<std::string, std::string>> settings;  // name, value
  bool empty() const;
  void Clear();
};

// What a restart needs: all that is not ended, and where numbering goes on.
struct Snapshot {
  struct LiveJob {
    SubmissionRow submission;
    JobStateRow state;
    std::optional<AttemptRow> attempt;  // the last one
    // Of all its attempts so far.
    std::optional<int64_t> joules;  // before PUE, where known
    bool energy_unknown = false;    // of some stretch
    int64_t milligrams = 0;         // where known
    absl::Duration ran;             // of the attempts that have ended
    // The outcome of each that has, the oldest first, and AttemptRow::blamed.
    std::vector<std::pair<std::string, bool>> ends;
    // How far the last attempt's energy is on record; absent: not at all.
    std::optional<absl::Time> accounted_until;
  };
  std::vector<LiveJob> jobs;  // by id
  std::vector<NodeRow> nodes;
  // In the order of their arrival: all actual ones, and of each region, source
  // and basis the forecast issued last.
  std::vector<GridRow> grids;
  ContractSet contracts;  // the newest version
  // How far each node's energy is on record.
  std::vector<std::pair<NodeId, absl::Time>> metered_until;
  JobId last_job;
  std::optional<absl::Time> last_step;  // time never runs backwards
  std::vector<std::pair<std::string, std::string>> settings;
};

// A job with all that is recorded of it.
struct JobRecord {
  SubmissionRow submission;
  JobStateRow state;
  std::vector<AttemptRow> attempts;
  std::optional<DecisionRow> decision;  // the last one
  std::optional<int64_t> joules;        // PUE included; absent: unknown
  std::optional<int64_t> milligrams;
  std::optional<int64_t> baseline_milligrams;
  bool estimated = false;
};

struct JobFilter {
  std::vector<uint8_t> states;  // ccsched::JobState; empty: all
  std::string user, project;
  bool newest_first = false;  // by id
  // Paging: only ids above `after`; where the newest are first, only those
  // below `before`, if it is not 0.
  JobId after;
  JobId before;
  uint32_t limit = 100;
};

struct ActFilter {
  absl::Time from = absl::InfinitePast(), to = absl::InfiniteFuture();
  std::string by;                 // empty: by anybody
  std::vector<std::string> what;  // empty: all
  // Paging: of those at `to` itself, the ones that were put on record before
  // this one.
  uint64_t below = 0;
  uint32_t limit = 100;
};
// With its number on record, which grows.
struct NumberedAct {
  uint64_t number = 0;
  ActRow act;
};

struct GridFilter {
  std::string region;                  // empty: all
  std::optional<bool> actual;          // absent: both
  std::optional<absl::Time> from, to;  // by when it was issued
};

struct StandingFilter {
  std::string region;
  absl::Time from, to;
  bool estimated_only = false;  // on an estimated or unknown intensity
};
struct StandingVisitor {
  std::function<void(EmissionRow row, const std::string& project)> emission;
  std::function<void(NodeEnergyRow row)> node;
  std::function<void(BaselineRow row)> baseline;
};

enum class ReportBy : uint8_t { kUser, kProject, kSite, kRegion, kJob, kMonth };
struct ReportFilter {
  ReportBy by = ReportBy::kSite;
  // By when the energy was used: a slice belongs to [from, to) by its start, so
  // that adjoining ranges add up.
  std::optional<absl::Time> from, to;
  std::string user, project;
  std::optional<absl::Time> as_of;  // the figures as they were known then
};
// In one currency; absent: unknown, or nothing is charged.
struct ReportCost {
  std::optional<int64_t> electricity_micros, accelerator_micros;
};
struct ReportRecord {
  std::string key;  // a month is "2026-11", UTC; an unknown region is ""
  uint64_t jobs = 0, attempts = 0;
  double accelerator_hours = 0;  // of a running attempt: to the last step
  // PUE included. Absent: all of it is unknown; otherwise the sum of what is
  // known. The baseline is each job's, by this part's share of its energy.
  std::optional<int64_t> joules, milligrams, baseline_milligrams;
  // Of `milligrams`, those of jobs that have a baseline: of ended ones.
  std::optional<int64_t> compared_milligrams;
  int64_t measured_joules = 0;  // of `joules`
  bool estimated = false;
  uint64_t unknown_energy_attempts = 0;  // in whole or in part
  // Their energy is known (in part), but not the intensity at all its hours.
  uint64_t unknown_carbon_attempts = 0;
  // Market-based: less what is under contract, matched hour by hour; absent if
  // no contract and no residual mix is on record.
  std::optional<int64_t> net_milligrams;
  // Carbon-free energy by the 24/7 method, of the joules for which it is known.
  double carbon_free_joules = 0;
  int64_t score_joules = 0;
  // Apart; absent: no marginal signal, no figure for making the machines.
  std::optional<int64_t> marginal_milligrams, embodied_milligrams;
  // Apart: what was generated for it beyond that, and lost on the way; absent
  // if that part is not on record for any of its regions.
  std::optional<int64_t> lost_joules, lost_milligrams;
  // Slices that are restatements of earlier ones, and when the last was made.
  uint64_t restated = 0;
  std::optional<absl::Time> restated_last;
  int64_t metered_joules = 0;  // of the unallocated alone; PUE included
  std::map<std::string, ReportCost> costs;  // by currency
  int64_t unpriced_joules = 0;  // of those where there are prices; PUE included
};

// Adds to `sum` what of `part` adds up: not the counts of jobs and attempts,
// of which one may be in several records.
void AddSums(const ReportRecord& part, ReportRecord& sum);

struct LedgerReport {
  std::vector<ReportRecord> rows;  // in the order of their key
  // Of all rows; each job and attempt counts once. What is known of it where a
  // part is unknown.
  ReportRecord total;
  // What the nodes' meters say that is no job's: by site, region or month; in
  // one record by anything else, as it is nobody's; none for a user or project.
  std::vector<ReportRecord> unallocated;
  ReportRecord unallocated_total;
};

// Reads; may be called from any thread, beside the writer.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  // Errors: NotFound.
  virtual absl::StatusOr<JobRecord> Job(JobId id) = 0;
  // Who submitted the job. Errors: NotFound.
  virtual absl::StatusOr<std::string> Owner(JobId id) = 0;
  // What was done with the job, in its order.
  virtual absl::StatusOr<std::vector<ActRow>> Acts(JobId id) = 0;
  // The newest first; at most `limit`.
  virtual absl::StatusOr<std::vector<NumberedAct>> Acts(const ActFilter&) = 0;
  // By id; at most `limit`.
  virtual absl::StatusOr<std::vector<JobRecord>> Jobs(const JobFilter&) = 0;
  virtual absl::StatusOr<std::vector<DecisionRow>> Decisions(JobId id) = 0;
  // By attempt and time; the superseded ones, if wanted, before their own.
  virtual absl::StatusOr<std::vector<EmissionRow>> Emissions(
      JobId id, bool with_superseded = false) = 0;
  // Shows all that stands in a region and overlaps a stretch of time, which is
  // to be restated when the region's data change: rows of attempts (with their
  // project), of nodes, and baselines. What is shown must not commit.
  virtual absl::Status Standing(const StandingFilter& filter,
                                const StandingVisitor& visitor) = 0;
  // In the order of their arrival.
  virtual absl::StatusOr<std::vector<GridRow>> Grids(const GridFilter&) = 0;
  // Those that count, as in Snapshot::grids.
  virtual absl::StatusOr<std::vector<GridRow>> GridsInForce() = 0;
  virtual absl::StatusOr<LedgerReport> Report(const ReportFilter&) = 0;
  // Milligrams by project, of the energy used from `from` on.
  virtual absl::StatusOr<std::map<std::string, int64_t>> EmittedByProject(
      absl::Time from) = 0;
  // In order, those numbered above `after_sequence`.
  virtual absl::StatusOr<std::vector<StepRow>> Steps(uint64_t after_sequence,
                                                     uint32_t limit) = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;
  // Durable when it returns OK; on an error nothing of the batch is in it, and
  // the same batch may be tried again. One thread at a time. Errors:
  //   ResourceExhausted  the disk is full (writable again when space returns)
  //   Unavailable        the disk failed
  //   PermissionDenied   read-only
  //   DataLoss           the file is damaged
  //   AlreadyExists      a submission's id or key is known
  //   InvalidArgument    a row breaks what its type requires
  virtual absl::Status Commit(const Batch& batch) = 0;
  virtual absl::StatusOr<Snapshot> Load() = 0;
  // The job submitted under this idempotency key, how many jobs it made, and
  // what was submitted. Sees what is committed. Any thread.
  struct KeyedJob {
    JobId first;
    uint32_t jobs = 1;
    std::string payload;  // of the first; see SubmissionRow
  };
  virtual absl::StatusOr<std::optional<KeyedJob>> FindKey(
      const std::string& key) = 0;
  virtual LedgerReader& reader() = 0;
};

// Opens or makes the ledger in `path` (a SQLite file) and migrates an older
// schema to this one. Errors: FailedPrecondition if it was written by a newer
// version or another program, or is in use by another process; and those of
// Commit.
absl::StatusOr<std::unique_ptr<Ledger>> OpenSqliteLedger(
    const std::string& path);

// Only reads, beside a scheduler that may be using the file. Errors: NotFound;
// FailedPrecondition if the schema is not this version's.
absl::StatusOr<std::unique_ptr<LedgerReader>> OpenSqliteLedgerReader(
    const std::string& path);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_LEDGER_H_
