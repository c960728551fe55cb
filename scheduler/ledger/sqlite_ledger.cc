// The ledger in a SQLite file: opening it and committing to it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/sqlite_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/costs.h"
#include "scheduler/ledger/rows.h"
#include "scheduler/ledger/schema.h"
#include "scheduler/model/job.h"

namespace ccsched {
namespace {

absl::Status CheckNumber(const char* what, JobId job, uint64_t number) {
  if (job.value() < kJobMax && number <= kNumberMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "ledger: ", what, " ", number, " of job ", job.value(),
      " is out of range (", kNumberMax, " numbers, ", kJobMax, " jobs)"));
}

absl::Status CutError(int64_t attempt, int64_t start, int64_t end, int64_t from,
                      int64_t to) {
  const auto text = [](int64_t micros) {
    return absl::FormatTime(absl::FromUnixMicros(micros), absl::UTCTimeZone());
  };
  return absl::InvalidArgumentError(absl::StrCat(
      "ledger: emission of job ", PackedJob(attempt).value(), " from ",
      text(start), " to ", text(end), " covers only a part of the one from ",
      text(from), " to ", text(to)));
}

absl::Status NamedError(const absl::Status& status, const char* what,
                        uint64_t id) {
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), " (", what, " ", id, ")"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteLedger>> SqliteLedger::Open(
    const std::string& path, const SqliteLedgerOptions& options) {
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(path + ".lock"));
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db,
                   SqliteDb::Open(path, options.open));
  RETURN_IF_ERROR(MigrateSchema(*db));  // first: it may not be ours to touch
  // A commit returns when its pages of the log are on the disk.
  RETURN_IF_ERROR(
      db->Execute("PRAGMA journal_mode = WAL;"
                  "PRAGMA synchronous = FULL;"
                  "PRAGMA wal_autocheckpoint = 0;"
                  "PRAGMA cache_size = -65536;"
                  "PRAGMA temp_store = MEMORY"));
  std::unique_ptr<SqliteLedger> ledger(
      new SqliteLedger(std::move(lock), std::move(db)));
  ASSIGN_OR_RETURN(ledger->reader_, SqliteReader::Open(path, options.open));
  ASSIGN_OR_RETURN(ledger->checkpointer_,
                   Checkpointer::Start(path, options.open, options.checkpoint,
                                       &ledger->writer_));
  sqlite3_wal_hook(
      ledger->db_->handle(),
      [](void* checkpointer, sqlite3*, const char*, int pages) {
        static_cast<Checkpointer*>(checkpointer)->LogGrewTo(pages);
        return SQLITE_OK;
      },
      ledger->checkpointer_.get());
  return ledger;
}

absl::Status SqliteLedger::Commit(const Batch& batch) {
  if (batch.empty()) return absl::OkStatus();
  std::lock_guard<std::mutex> hold(writer_);
  absl::Status status = Write(batch);
  if (!status.ok()) db_->Rollback();
  return status;
}

absl::Status SqliteLedger::Write(const Batch& batch) {
  RETURN_IF_ERROR(db_->Prepare("BEGIN IMMEDIATE").Bind().Run());
  RETURN_IF_ERROR(WriteSubmissions(batch));
  RETURN_IF_ERROR(WriteAttempts(batch.attempts));
  RETURN_IF_ERROR(WriteDecisions(batch.decisions));
  for (const EmissionRow& row : batch.emissions) {
    RETURN_IF_ERROR(WriteEmission(row));
  }
  for (const NodeEnergyRow& row : batch.node_energy) {
    RETURN_IF_ERROR(WriteNodeEnergy(row));
  }
  RETURN_IF_ERROR(WriteBaselines(batch.baselines));
  if (batch.contracts) RETURN_IF_ERROR(WriteContracts(*batch.contracts));
  RETURN_IF_ERROR(WriteCosts(*db_, batch.costs));
  RETURN_IF_ERROR(WriteCluster(batch));
  return db_->Prepare("COMMIT").Bind().Run();
}

absl::Status SqliteLedger::WriteSubmissions(const Batch& batch) {
  Statement& insert =
      db_->Prepare("INSERT INTO submissions (job, " CCSCHED_SUBMISSION_COLUMNS
                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?)");
  bool keys = false;
  for (const SubmissionRow& row : batch.submissions) {
    RETURN_IF_ERROR(CheckNumber("attempt", row.id, 0));
    absl::Status status =
        insert.Bind(row.id, SubmissionFields(row), Blob{row.payload}).Run();
    if (!status.ok()) return NamedError(status, "job", row.id.value());
    keys = keys || !row.key.empty();
  }
  if (keys) RETURN_IF_ERROR(WriteKeys(batch.submissions));
  JobId first_new =
      batch.submissions.empty() ? JobId(kJobMax) : batch.submissions.front().id;
  return WriteStates(batch.states, first_new);
}

absl::Status SqliteLedger::WriteKeys(const std::vector<SubmissionRow>& rows) {
  Statement& insert =
      db_->Prepare("INSERT INTO keys (key, job, jobs) VALUES (?,?,?)");
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && rows[end].key == rows[i].key) ++end;
    if (!rows[i].key.empty()) {
      absl::Status status = insert.Bind(rows[i].key, rows[i].id, end - i).Run();
      if (!status.ok()) {
        return absl::Status(
            status.code(),
            absl::StrCat(status.message(), " (key '", rows[i].key, "')"));
      }
    }
    i = end;
  }
  return absl::OkStatus();
}

// Jobs from `first_new` on are of this batch: they have no earlier state.
absl::Status SqliteLedger::WriteStates(const std::vector<JobStateRow>& rows,
                                       JobId first_new) {
  Statement& live =
      db_->Prepare("REPLACE INTO jobs_live (" CCSCHED_STATE_COLUMNS
                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  Statement& ended =
      db_->Prepare("REPLACE INTO jobs_ended (" CCSCHED_STATE_COLUMNS
                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  Statement& not_live = db_->Prepare("DELETE FROM jobs_live WHERE job = ?");
  Statement& not_ended = db_->Prepare("DELETE FROM jobs_ended WHERE job = ?");
  for (const JobStateRow& row : rows) {
    bool terminal = IsTerminal(static_cast<JobState>(row.state));
    RETURN_IF_ERROR((terminal ? ended : live).Bind(StateFields(row)).Run());
    if (terminal) {
      RETURN_IF_ERROR(not_live.Bind(row.id).Run());
    } else if (row.id < first_new) {
      RETURN_IF_ERROR(not_ended.Bind(row.id).Run());
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteLedger::WriteAttempts(const std::vector<AttemptRow>& rows) {
  Statement& replace =
      db_->Prepare("REPLACE INTO attempts (id, " CCSCHED_ATTEMPT_COLUMNS
                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const AttemptRow& row : rows) {
    RETURN_IF_ERROR(CheckNumber("attempt", row.job, row.epoch));
    RETURN_IF_ERROR(
        replace.Bind(PackedId(row.job, row.epoch), AttemptFields(row)).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteLedger::WriteDecisions(
    const std::vector<DecisionRow>& rows) {
  Statement& last =
      db_->Prepare("SELECT max(id) FROM decisions WHERE id BETWEEN ? AND ?");
  Statement& insert = db_->Prepare(
      "INSERT INTO decisions (id, at, policy, payload) VALUES (?,?,?,?)");
  for (const DecisionRow& row : rows) {
    RETURN_IF_ERROR(CheckNumber("decision", row.job, 0));
    last.Bind(PackedId(row.job, 0), PackedId(row.job, kNumberMax));
    std::optional<int64_t> newest;
    if (last.Next()) newest = last.Column<std::optional<int64_t>>(0);
    RETURN_IF_ERROR(last.status());
    int64_t id = newest ? *newest + 1 : PackedId(row.job, 0);
    RETURN_IF_ERROR(
        CheckNumber("decision", row.job, id - PackedId(row.job, 0)));
    RETURN_IF_ERROR(
        insert.Bind(id, row.at, row.policy, Blob{row.payload}).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteLedger::WriteEmission(const EmissionRow& row) {
  RETURN_IF_ERROR(CheckNumber("attempt", row.job, row.epoch));
  if (row.start > row.end) {
    return absl::InvalidArgumentError(
        absl::StrCat("ledger: emission of job ", row.job.value(), " from ",
                     absl::FormatTime(row.start), " ends before it begins"));
  }
  int64_t attempt = PackedId(row.job, row.epoch);
  Statement& known = db_->Prepare("SELECT 1 FROM attempts WHERE id = ?");
  bool found = known.Bind(attempt).Next();
  RETURN_IF_ERROR(known.status());
  if (!found) {
    return absl::InvalidArgumentError(
        absl::StrCat("ledger: emission of attempt ", row.epoch, " of job ",
                     row.job.value(), ", which is not on record"));
  }
  ASSIGN_OR_RETURN(
      uint32_t revision,
      Supersede(attempt, absl::ToUnixMicros(row.start),
                absl::ToUnixMicros(row.end), absl::ToUnixMicros(row.recorded)));
  Statement& insert = db_->Prepare(
      "INSERT INTO emissions (attempt, start, "
      "revision, " CCSCHED_EMISSION_COLUMNS
      ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  return insert.Bind(attempt, row.start, revision, EmissionFields(row)).Run();
}

// Marks the rows within [start, end) as superseded; one without length stands
// in for others without length at that instant only. Returns the revision of
// the row to be written. Compares times as they are kept, in microseconds.
absl::StatusOr<uint32_t> SqliteLedger::Supersede(int64_t attempt, int64_t start,
                                                 int64_t end, int64_t at) {
  Statement& earlier = db_->Prepare(
      "SELECT start, \"end\", revision, superseded_by IS NULL "
      "FROM emissions WHERE attempt = ? AND start <= ? "
      "ORDER BY start DESC, revision DESC");
  earlier.Bind(attempt, end);
  std::optional<uint32_t> newest;
  bool covers = false;
  while (earlier.Next()) {
    auto from = earlier.Column<int64_t>(0);
    auto to = earlier.Column<int64_t>(1);
    bool stands = earlier.Column<bool>(3) && (from < to) == (start < end);
    if (from < start) {
      // Rows that stand don't overlap: none before this one can matter.
      if (stands && to > start) return CutError(attempt, start, end, from, to);
      if (stands) break;
      continue;
    }
    if (from == end && start < end) continue;  // adjoins it
    newest = std::max(newest.value_or(0), earlier.Column<uint32_t>(2));
    if (!stands) continue;
    if (to > end) return CutError(attempt, start, end, from, to);
    covers = true;
  }
  RETURN_IF_ERROR(earlier.status());
  uint32_t revision = newest ? *newest + 1 : 0;
  if (covers) {
    Statement& mark = db_->Prepare(
        "UPDATE emissions SET superseded_by = ?1, superseded_at = ?5 "
        "WHERE attempt = ?2 AND "
        "start >= ?3 AND start <= ?4 AND \"end\" <= ?4 AND "
        "(start < \"end\") = (?3 < ?4) AND superseded_by IS NULL");
    RETURN_IF_ERROR(mark.Bind(revision, attempt, start, end, at).Run());
  }
  return revision;
}

absl::Status SqliteLedger::WriteNodeEnergy(const NodeEnergyRow& row) {
  if (row.start >= row.end) {
    return absl::InvalidArgumentError(
        absl::StrCat("ledger: energy of node ", row.node.value(), " from ",
                     absl::FormatTime(row.start), " ends before it begins"));
  }
  Statement& newest = db_->Prepare(
      "SELECT max(revision) FROM node_energy WHERE node = ? AND start = ?");
  std::optional<int64_t> last;
  if (newest.Bind(row.node, row.start).Next()) {
    last = newest.Column<std::optional<int64_t>>(0);
  }
  RETURN_IF_ERROR(newest.status());
  if (last) {
    Statement& mark = db_->Prepare(
        "UPDATE node_energy SET superseded_at = ? "
        "WHERE node = ? AND start = ? AND superseded_at IS NULL");
    RETURN_IF_ERROR(mark.Bind(row.recorded, row.node, row.start).Run());
  }
  Statement& insert =
      db_->Prepare("INSERT INTO node_energy (" CCSCHED_NODE_ENERGY_COLUMNS
                   ", revision) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  return insert.Bind(NodeEnergyFields(row), last ? *last + 1 : 0).Run();
}

absl::Status SqliteLedger::WriteBaselines(
    const std::vector<BaselineRow>& rows) {
  Statement& keep = db_->Prepare(
      "REPLACE INTO baselines_past (job, recorded, replaced, milligrams, "
      "estimated) SELECT job, recorded, ?2, milligrams, estimated "
      "FROM baselines WHERE job = ?1");
  Statement& put =
      db_->Prepare("REPLACE INTO baselines (" CCSCHED_BASELINE_COLUMNS
                   ") VALUES (?,?,?,?,?,?,?,?,?)");
  for (const BaselineRow& row : rows) {
    RETURN_IF_ERROR(keep.Bind(row.job, row.recorded).Run());
    RETURN_IF_ERROR(put.Bind(BaselineFields(row)).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteLedger::WriteContracts(const ContractSet& set) {
  Statement& newest =
      db_->Prepare("SELECT ifnull(max(version), 0) FROM contracts");
  int64_t version = 1;
  if (newest.Bind().Next()) version = newest.Column<int64_t>(0) + 1;
  RETURN_IF_ERROR(newest.status());
  Statement& insert = db_->Prepare(
      "INSERT INTO contracts (version, recorded, region, site, name, start, "
      "\"end\", step, kwh, residual, loss) VALUES (?,?,?,?,?,?,?,?,?,?,?)");
  std::vector<ContractRow> rows = set.rows;
  // A set that is empty is on record too: the contracts before it have ended.
  if (rows.empty()) rows.emplace_back();
  for (const ContractRow& row : rows) {
    const std::string_view kwh(reinterpret_cast<const char*>(row.kwh.data()),
                               row.kwh.size() * sizeof(double));
    RETURN_IF_ERROR(insert
                        .Bind(version, set.recorded, row.region, row.site,
                              row.name, row.start, row.end, row.step, Blob{kwh},
                              row.residual, row.loss)
                        .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteLedger::WriteCluster(const Batch& batch) {
  Statement& node = db_->Prepare("REPLACE INTO nodes (" CCSCHED_NODE_COLUMNS
                                 ") VALUES (?,?,?,?,?,?,?,?,?)");
  for (const NodeRow& row : batch.nodes) {
    RETURN_IF_ERROR(node.Bind(NodeFields(row)).Run());
  }
  Statement& grid = db_->Prepare("INSERT INTO grids (" CCSCHED_GRID_COLUMNS
                                 ") VALUES (?,?,?,?,?,?,?)");
  for (const GridRow& row : batch.grids) {
    RETURN_IF_ERROR(grid.Bind(GridFields(row), Blob{row.payload}).Run());
  }
  Statement& act = db_->Prepare("INSERT INTO acts (" CCSCHED_ACT_COLUMNS
                                ") VALUES (?,?,?,?,?,?)");
  for (const ActRow& row : batch.acts) {
    RETURN_IF_ERROR(act.Bind(ActFields(row)).Run());
  }
  if (batch.step) {
    RETURN_IF_ERROR(db_->Prepare("INSERT INTO steps (now, events, decisions) "
                                 "VALUES (?,?,?)")
                        .Bind(batch.step->now, Blob{batch.step->events},
                              Blob{batch.step->decisions})
                        .Run());
  }
  Statement& setting =
      db_->Prepare("REPLACE INTO settings (name, value) VALUES (?,?)");
  for (const auto& [name, value] : batch.settings) {
    RETURN_IF_ERROR(setting.Bind(name, Blob{value}).Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<Snapshot> SqliteLedger::Load() { return reader_->Load(); }

absl::StatusOr<std::optional<Ledger::KeyedJob>> SqliteLedger::FindKey(
    const std::string& key) {
  return reader_->FindKey(key);
}

absl::StatusOr<std::unique_ptr<Ledger>> OpenSqliteLedger(
    const std::string& path) {
  return SqliteLedger::Open(path);
}

absl::StatusOr<std::unique_ptr<LedgerReader>> OpenSqliteLedgerReader(
    const std::string& path) {
  SqliteOpen open;
  open.read_only = true;
  return SqliteReader::Open(path, open);
}

}  // namespace ccsched
