// Reads the ledger: jobs, decisions, emissions, grid data, steps.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/sqlite_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/known_sum.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/market.h"
#include "scheduler/ledger/report.h"
#include "scheduler/ledger/rows.h"
#include "scheduler/ledger/schema.h"
#include "scheduler/model/job.h"

namespace ccsched {
namespace {

#define CCSCHED_FROM_JOBS(states)                                            \
  "SELECT submissions.job, " CCSCHED_SUBMISSION_COLUMNS ", s.* FROM " states \
  " AS s JOIN submissions ON submissions.job = s.job "

// Reads what CCSCHED_FROM_JOBS selects.
void ReadJob(const Statement& s, SubmissionRow& submission,
             JobStateRow& state) {
  submission.id = s.Column<JobId>(0);
  s.Read(1, SubmissionFields(submission));
  submission.payload = s.Column<std::string>(kSubmissionColumns);
  s.Read(kSubmissionColumns + 1, StateFields(state));
}

AttemptRow ReadAttempt(const Statement& s) {
  AttemptRow row;
  int64_t id = s.Column<int64_t>(0);
  row.job = PackedJob(id);
  row.epoch = PackedNumber(id);
  s.Read(1, AttemptFields(row));
  return row;
}

DecisionRow ReadDecision(const Statement& s) {
  return {s.Column<JobId>(0), s.Column<absl::Time>(1), s.Column<std::string>(2),
          s.Column<std::string>(3)};
}

// Columns of an emission before those of its fields.
constexpr int kEmissionKey = 5;

EmissionRow ReadEmission(const Statement& s) {
  EmissionRow row;
  int64_t attempt = s.Column<int64_t>(0);
  row.job = PackedJob(attempt);
  row.epoch = PackedNumber(attempt);
  row.start = s.Column<absl::Time>(1);
  row.revision = s.Column<uint32_t>(2);
  row.superseded_by = s.Column<std::optional<uint32_t>>(3);
  row.superseded_at = s.Column<std::optional<absl::Time>>(4);
  s.Read(kEmissionKey, EmissionFields(row));
  return row;
}

GridRow ReadGrid(const Statement& s) {
  GridRow row;
  s.Read(0, GridFields(row));
  row.payload = s.Column<std::string>(kGridColumns - 1);
  return row;
}

Statement& BindJob(Statement& s, JobId id) {
  return s.Bind(PackedId(id, 0), PackedId(id, kNumberMax));
}

// Adds what hangs on the job's submission and state.
absl::Status Complete(SqliteDb& db, JobRecord& record) {
  JobId id = record.submission.id;
  Statement& attempts =
      db.Prepare("SELECT id, " CCSCHED_ATTEMPT_COLUMNS
                 " FROM attempts WHERE id BETWEEN ? AND ? ORDER BY id");
  BindJob(attempts, id);
  while (attempts.Next()) record.attempts.push_back(ReadAttempt(attempts));
  RETURN_IF_ERROR(attempts.status());

  Statement& decision = db.Prepare(
      "SELECT job, at, policy, payload FROM decisions "
      "WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1");
  BindJob(decision, id);
  if (decision.Next()) record.decision = ReadDecision(decision);
  RETURN_IF_ERROR(decision.status());

  Statement& emissions = db.Prepare(
      "SELECT joules, pue, milligrams, intensity_estimated FROM emissions "
      "WHERE attempt BETWEEN ? AND ? AND superseded_by IS NULL");
  BindJob(emissions, id);
  while (emissions.Next()) {
    auto joules = emissions.Column<std::optional<int64_t>>(0);
    auto milligrams = emissions.Column<std::optional<int64_t>>(2);
    if (joules) *joules = WithPue(*joules, emissions.Column<double>(1));
    AddKnown(record.joules, joules);
    AddKnown(record.milligrams, milligrams);
    record.estimated =
        record.estimated || (milligrams && emissions.Column<bool>(3));
  }
  RETURN_IF_ERROR(emissions.status());

  Statement& baseline =
      db.Prepare("SELECT milligrams FROM baselines WHERE job = ?");
  if (baseline.Bind(id).Next()) {
    record.baseline_milligrams = baseline.Column<std::optional<int64_t>>(0);
  }
  return baseline.status();
}

// A bit for each wanted state; all if none is named.
int64_t StateMask(const std::vector<uint8_t>& states) {
  int64_t mask = 0;
  for (uint8_t state : states) mask |= int64_t{1} << (state & 63);
  return states.empty() ? -1 : mask;
}

#define CCSCHED_JOBS_WHERE(beyond, order)                       \
  "WHERE s.job " beyond                                         \
  " ?1 AND (?2 >> s.state) & 1 AND (?3 = '' OR user = ?3) AND " \
  "(?4 = '' OR project = ?4) ORDER BY s.job " order " LIMIT ?5"
#define CCSCHED_JOBS(table, newest)                                  \
  (newest ? CCSCHED_FROM_JOBS(table) CCSCHED_JOBS_WHERE("<", "DESC") \
          : CCSCHED_FROM_JOBS(table) CCSCHED_JOBS_WHERE(">", "ASC"))

// The statement that reads only the tables that can hold such states.
Statement& JobsStatement(SqliteDb& db, int64_t mask, bool newest) {
  constexpr int64_t kLive =
      (int64_t{1} << static_cast<int>(JobState::kSucceeded)) - 1;
  if ((mask & ~kLive) == 0) {
    return db.Prepare(CCSCHED_JOBS("jobs_live", newest));
  }
  if ((mask & kLive) == 0) {
    return db.Prepare(CCSCHED_JOBS("jobs_ended", newest));
  }
  return db.Prepare(CCSCHED_JOBS("job_states", newest));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(
    const std::string& path, const SqliteOpen& open) {
  std::unique_ptr<SqliteReader> reader(new SqliteReader(path, open));
  ASSIGN_OR_RETURN(ReadPool::Lease db, reader->pool_.Take());
  RETURN_IF_ERROR(CheckSchema(*db));
  return reader;
}

absl::StatusOr<JobRecord> SqliteReader::Job(JobId id) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  JobRecord record;
  Statement& s = db->Prepare(CCSCHED_FROM_JOBS("job_states") "WHERE s.job = ?");
  bool found = s.Bind(id).Next();
  if (found) ReadJob(s, record.submission, record.state);
  RETURN_IF_ERROR(s.status());
  if (!found) {
    return absl::NotFoundError(absl::StrCat("there is no job ", id.value()));
  }
  RETURN_IF_ERROR(Complete(*db, record));
  return record;
}

absl::StatusOr<std::string> SqliteReader::Owner(JobId id) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare("SELECT user FROM submissions WHERE job = ?");
  std::optional<std::string> user;
  if (s.Bind(id).Next()) user = s.Column<std::string>(0);
  RETURN_IF_ERROR(s.status());
  if (user) return *std::move(user);
  return absl::NotFoundError(absl::StrCat("there is no job ", id.value()));
}

absl::StatusOr<std::vector<JobRecord>> SqliteReader::Jobs(
    const JobFilter& filter) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  int64_t mask = StateMask(filter.states);
  Statement& s = JobsStatement(*db, mask, filter.newest_first);
  const JobId before =
      filter.before == JobId() ? JobId(INT64_MAX) : filter.before;
  s.Bind(filter.newest_first ? before : filter.after, mask, filter.user,
         filter.project, filter.limit);
  std::vector<JobRecord> records;
  while (s.Next()) {
    JobRecord& record = records.emplace_back();
    ReadJob(s, record.submission, record.state);
  }
  RETURN_IF_ERROR(s.status());
  for (JobRecord& record : records) RETURN_IF_ERROR(Complete(*db, record));
  return records;
}

absl::StatusOr<std::vector<DecisionRow>> SqliteReader::Decisions(JobId id) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare(
      "SELECT job, at, policy, payload FROM decisions "
      "WHERE id BETWEEN ? AND ? ORDER BY id");
  BindJob(s, id);
  std::vector<DecisionRow> rows;
  while (s.Next()) rows.push_back(ReadDecision(s));
  RETURN_IF_ERROR(s.status());
  return rows;
}

#define CCSCHED_FROM_EMISSIONS                       \
  "SELECT attempt, start, revision, superseded_by, " \
  "superseded_at, " CCSCHED_EMISSION_COLUMNS " FROM emissions "

absl::StatusOr<std::vector<EmissionRow>> SqliteReader::Emissions(
    JobId id, bool with_superseded) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare(
      CCSCHED_FROM_EMISSIONS
      "WHERE attempt BETWEEN ?1 AND ?2 AND (?3 OR superseded_by IS NULL) "
      "ORDER BY attempt, start, revision");
  s.Bind(PackedId(id, 0), PackedId(id, kNumberMax), with_superseded);
  std::vector<EmissionRow> rows;
  while (s.Next()) rows.push_back(ReadEmission(s));
  RETURN_IF_ERROR(s.status());
  return rows;
}

namespace {

// No row of energy is longer.
constexpr absl::Duration kLongestRow = absl::Hours(1);

// Both sides of the index, each a range of it.
absl::Status VisitEmissions(SqliteDb& db, const StandingFilter& filter,
                            const StandingVisitor& visitor) {
  Statement& s = db.Prepare(
      "SELECT attempt, start, revision, superseded_by, "
      "superseded_at, " CCSCHED_EMISSION_COLUMNS
      ", project FROM emissions "
      "JOIN submissions ON submissions.job = attempt >> 20 "
      "WHERE superseded_by IS NULL AND region = ?1 "
      "AND intensity_estimated IN (1, ?2) AND start > ?3 AND start < ?4");
  s.Bind(filter.region, filter.estimated_only, filter.from - kLongestRow,
         filter.to);
  while (s.Next()) {
    visitor.emission(ReadEmission(s),
                     s.Column<std::string>(kEmissionKey + kEmissionColumns));
  }
  return s.status();
}

absl::Status VisitNodeEnergy(SqliteDb& db, const StandingFilter& filter,
                             const StandingVisitor& visitor) {
  Statement& s =
      db.Prepare("SELECT " CCSCHED_NODE_ENERGY_COLUMNS
                 ", revision FROM node_energy WHERE superseded_at IS NULL "
                 "AND region = ?1 AND intensity_estimated IN (1, ?2) "
                 "AND start > ?3 AND start < ?4");
  s.Bind(filter.region, filter.estimated_only, filter.from - kLongestRow,
         filter.to);
  while (s.Next()) {
    NodeEnergyRow row;
    s.Read(0, NodeEnergyFields(row));
    row.revision = s.Column<uint32_t>(kNodeEnergyColumns);
    visitor.node(std::move(row));
  }
  return s.status();
}

absl::Status VisitBaselines(SqliteDb& db, const StandingFilter& filter,
                            const StandingVisitor& visitor) {
  Statement& s = db.Prepare(
      "SELECT " CCSCHED_BASELINE_COLUMNS
      " FROM baselines WHERE region = ?1 AND \"end\" > ?3 AND start < ?4 "
      "AND joules IS NOT NULL AND (NOT ?2 OR estimated)");
  s.Bind(filter.region, filter.estimated_only, filter.from, filter.to);
  while (s.Next()) {
    BaselineRow row;
    s.Read(0, BaselineFields(row));
    visitor.baseline(std::move(row));
  }
  return s.status();
}

}  // namespace

absl::Status SqliteReader::Standing(const StandingFilter& filter,
                                    const StandingVisitor& visitor) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  RETURN_IF_ERROR(VisitEmissions(*db, filter, visitor));
  RETURN_IF_ERROR(VisitNodeEnergy(*db, filter, visitor));
  return VisitBaselines(*db, filter, visitor);
}

absl::StatusOr<std::vector<GridRow>> SqliteReader::Grids(
    const GridFilter& filter) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare("SELECT " CCSCHED_GRID_COLUMNS
                             " FROM grids WHERE (?1 = '' OR region = ?1) AND "
                             "(?2 IS NULL OR actual = ?2) AND issued >= ?3 AND "
                             "issued < ?4 ORDER BY id");
  s.Bind(filter.region, filter.actual,
         filter.from.value_or(absl::InfinitePast()),
         filter.to.value_or(absl::InfiniteFuture()));
  std::vector<GridRow> rows;
  while (s.Next()) rows.push_back(ReadGrid(s));
  RETURN_IF_ERROR(s.status());
  return rows;
}

absl::StatusOr<std::vector<StepRow>> SqliteReader::Steps(
    uint64_t after_sequence, uint32_t limit) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare(
      "SELECT sequence, now, events, decisions FROM steps "
      "WHERE sequence > ? ORDER BY sequence LIMIT ?");
  s.Bind(after_sequence, limit);
  std::vector<StepRow> rows;
  while (s.Next()) {
    StepRow& row = rows.emplace_back();
    row.sequence = s.Column<uint64_t>(0);
    s.Read(1, std::tie(row.now, row.events, row.decisions));
  }
  RETURN_IF_ERROR(s.status());
  return rows;
}

absl::StatusOr<LedgerReport> SqliteReader::Report(const ReportFilter& filter) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  return MakeReport(*db, filter);
}

absl::StatusOr<std::map<std::string, int64_t>> SqliteReader::EmittedByProject(
    absl::Time from) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare(
      "SELECT project, sum(milligrams) FROM emissions "
      "JOIN submissions ON submissions.job = attempt >> 20 "
      "WHERE superseded_by IS NULL AND start >= ? "
      "AND milligrams IS NOT NULL GROUP BY project");
  s.Bind(from);
  std::map<std::string, int64_t> emitted;
  while (s.Next()) emitted[s.Column<std::string>(0)] = s.Column<int64_t>(1);
  RETURN_IF_ERROR(s.status());
  return emitted;
}

absl::StatusOr<std::optional<Ledger::KeyedJob>> SqliteReader::FindKey(
    const std::string& key) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare(
      "SELECT job, jobs, payload FROM keys JOIN submissions USING (job) "
      "WHERE keys.key = ?");
  std::optional<Ledger::KeyedJob> found;
  if (s.Bind(key).Next()) {
    found = {s.Column<JobId>(0), s.Column<uint32_t>(1),
             s.Column<std::string>(2)};
  }
  RETURN_IF_ERROR(s.status());
  return found;
}

namespace {

absl::Status LoadUse(SqliteDb& db, Snapshot::LiveJob& job) {
  const JobId id = job.submission.id;
  Statement& energy = db.Prepare(
      "SELECT sum(joules), count(*) > count(joules), "
      "ifnull(sum(milligrams), 0), "
      "max(CASE WHEN attempt = ?3 THEN \"end\" END) FROM emissions "
      "WHERE attempt BETWEEN ?1 AND ?2 AND superseded_by IS NULL");
  energy.Bind(PackedId(id, 0), PackedId(id, kNumberMax),
              PackedId(id, job.attempt->epoch));
  if (energy.Next()) {
    energy.Read(0, std::tie(job.joules, job.energy_unknown, job.milligrams,
                            job.accounted_until));
  }
  RETURN_IF_ERROR(energy.status());
  Statement& ends = db.Prepare(
      "SELECT ifnull(ended - started, 0), outcome, blamed FROM attempts "
      "WHERE id BETWEEN ? AND ? AND ended IS NOT NULL ORDER BY id");
  BindJob(ends, id);
  while (ends.Next()) {
    job.ran += ends.Column<absl::Duration>(0);
    job.ends.emplace_back(ends.Column<std::string>(1), ends.Column<bool>(2));
  }
  return ends.status();
}

absl::Status LoadJobs(SqliteDb& db, std::vector<Snapshot::LiveJob>& jobs) {
  Statement& s = db.Prepare(CCSCHED_FROM_JOBS("jobs_live") "ORDER BY s.job");
  Statement& last = db.Prepare("SELECT id, " CCSCHED_ATTEMPT_COLUMNS
                               " FROM attempts WHERE id BETWEEN ? AND ? "
                               "ORDER BY id DESC LIMIT 1");
  s.Bind();
  while (s.Next()) {
    Snapshot::LiveJob& job = jobs.emplace_back();
    ReadJob(s, job.submission, job.state);
    if (BindJob(last, job.submission.id).Next()) {
      job.attempt = ReadAttempt(last);
    }
    RETURN_IF_ERROR(last.status());
    if (job.attempt) RETURN_IF_ERROR(LoadUse(db, job));
  }
  return s.status();
}

// Of equal issue times the last to arrive counts.
absl::StatusOr<std::vector<GridRow>> ReadGridsInForce(SqliteDb& db) {
  Statement& s =
      db.Prepare("SELECT " CCSCHED_GRID_COLUMNS
                 " FROM grids AS g WHERE actual OR NOT EXISTS (SELECT 1 FROM "
                 "grids AS n WHERE n.actual = 0 AND n.region = g.region AND "
                 "n.source = g.source AND n.basis = g.basis AND "
                 "(n.issued, n.id) > (g.issued, g.id)) ORDER BY id");
  s.Bind();
  std::vector<GridRow> rows;
  while (s.Next()) rows.push_back(ReadGrid(s));
  RETURN_IF_ERROR(s.status());
  return rows;
}

absl::Status LoadCluster(SqliteDb& db, Snapshot& snapshot) {
  Statement& nodes =
      db.Prepare("SELECT " CCSCHED_NODE_COLUMNS " FROM nodes ORDER BY id");
  nodes.Bind();
  while (nodes.Next()) nodes.Read(0, NodeFields(snapshot.nodes.emplace_back()));
  RETURN_IF_ERROR(nodes.status());

  ASSIGN_OR_RETURN(snapshot.grids, ReadGridsInForce(db));
  ASSIGN_OR_RETURN(snapshot.contracts,
                   ReadContracts(db, absl::InfiniteFuture()));
  Statement& until = db.Prepare(
      "SELECT \"end\" FROM node_energy WHERE node = ? "
      "ORDER BY start DESC LIMIT 1");
  for (const NodeRow& node : snapshot.nodes) {
    if (until.Bind(node.id).Next()) {
      snapshot.metered_until.emplace_back(node.id, until.Column<absl::Time>(0));
    }
    RETURN_IF_ERROR(until.status());
  }

  Statement& settings =
      db.Prepare("SELECT name, value FROM settings ORDER BY name");
  settings.Bind();
  while (settings.Next()) {
    snapshot.settings.emplace_back(settings.Column<std::string>(0),
                                   settings.Column<std::string>(1));
  }
  return settings.status();
}

}  // namespace

absl::StatusOr<std::vector<GridRow>> SqliteReader::GridsInForce() {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  return ReadGridsInForce(*db);
}

absl::StatusOr<Snapshot> SqliteReader::Load() {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Snapshot snapshot;
  RETURN_IF_ERROR(LoadJobs(*db, snapshot.jobs));
  RETURN_IF_ERROR(LoadCluster(*db, snapshot));
  Statement& job = db->Prepare("SELECT ifnull(max(job), 0) FROM submissions");
  if (job.Bind().Next()) snapshot.last_job = job.Column<JobId>(0);
  RETURN_IF_ERROR(job.status());
  Statement& step =
      db->Prepare("SELECT now FROM steps ORDER BY sequence DESC LIMIT 1");
  if (step.Bind().Next()) snapshot.last_step = step.Column<absl::Time>(0);
  RETURN_IF_ERROR(step.status());
  return snapshot;
}

}  // namespace ccsched
