// The ledger in a SQLite file: one writer, readers beside it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_SQLITE_LEDGER_H_
#define CCSCHED_SCHEDULER_LEDGER_SQLITE_LEDGER_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/ledger/checkpointer.h"
#include "scheduler/ledger/file_lock.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/sqlite_db.h"
#include "scheduler/ledger/sqlite_reader.h"

namespace ccsched {

struct SqliteLedgerOptions {
  SqliteOpen open;  // tests put a faulty VFS here
  CheckpointOptions checkpoint;
};

class SqliteLedger : public Ledger {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteLedger>> Open(
      const std::string& path, const SqliteLedgerOptions& options = {});

  absl::Status Commit(const Batch& batch) override;
  absl::StatusOr<Snapshot> Load() override;
  absl::StatusOr<std::optional<KeyedJob>> FindKey(
      const std::string& key) override;
  LedgerReader& reader() override { return *reader_; }

 private:
  SqliteLedger(FileLock lock, std::unique_ptr<SqliteDb> db)
      : lock_(std::move(lock)), db_(std::move(db)) {}

  absl::Status Write(const Batch& batch);
  absl::Status WriteSubmissions(const Batch& batch);
  absl::Status WriteKeys(const std::vector<SubmissionRow>& rows);
  absl::Status WriteStates(const std::vector<JobStateRow>& rows, JobId newest);
  absl::Status WriteAttempts(const std::vector<AttemptRow>& rows);
  absl::Status WriteDecisions(const std::vector<DecisionRow>& rows);
  absl::Status WriteEmission(const EmissionRow& row);
  absl::StatusOr<uint32_t> Supersede(int64_t attempt, int64_t start,
                                     int64_t end, int64_t at);
  absl::Status WriteNodeEnergy(const NodeEnergyRow& row);
  absl::Status WriteBaselines(const std::vector<BaselineRow>& rows);
  absl::Status WriteContracts(const ContractSet& set);
  absl::Status WriteCluster(const Batch& batch);

  FileLock lock_;
  std::mutex writer_;  // guards db_
  std::unique_ptr<SqliteDb> db_;
  std::unique_ptr<SqliteReader> reader_;
  std::unique_ptr<Checkpointer> checkpointer_;  // uses writer_: ends first
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_SQLITE_LEDGER_H_
