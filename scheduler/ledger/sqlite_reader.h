// Reads the ledger from any thread, on connections of its own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_SQLITE_READER_H_
#define CCSCHED_SCHEDULER_LEDGER_SQLITE_READER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/read_pool.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

class SqliteReader : public LedgerReader {
 public:
  // REQUIRES: the file is there; its schema is checked.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(
      const std::string& path, const SqliteOpen& open);

  absl::StatusOr<JobRecord> Job(JobId id) override;
  absl::StatusOr<std::string> Owner(JobId id) override;
  absl::StatusOr<std::vector<ActRow>> Acts(JobId id) override;
  absl::StatusOr<std::vector<NumberedAct>> Acts(
      const ActFilter& filter) override;
  absl::StatusOr<std::vector<JobRecord>> Jobs(const JobFilter& filter) override;
  absl::StatusOr<std::vector<DecisionRow>> Decisions(JobId id) override;
  absl::StatusOr<std::vector<EmissionRow>> Emissions(
      JobId id, bool with_superseded) override;
  absl::Status Standing(const StandingFilter& filter,
                        const StandingVisitor& visitor) override;
  absl::StatusOr<std::vector<GridRow>> Grids(const GridFilter& filter) override;
  absl::StatusOr<std::vector<GridRow>> GridsInForce() override;
  absl::StatusOr<LedgerReport> Report(const ReportFilter& filter) override;
  absl::StatusOr<std::map<std::string, int64_t>> EmittedByProject(
      absl::Time from) override;
  absl::StatusOr<std::vector<StepRow>> Steps(uint64_t after_sequence,
                                             uint32_t limit) override;

  absl::StatusOr<Snapshot> Load();
  absl::StatusOr<std::optional<Ledger::KeyedJob>> FindKey(
      const std::string& key);

 private:
  SqliteReader(std::string path, SqliteOpen open)
      : pool_(std::move(path), std::move(open)) {}

  ReadPool pool_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_SQLITE_READER_H_
