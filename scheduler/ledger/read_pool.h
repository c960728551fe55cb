// Connections for reading, lent for one query each.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_READ_POOL_H_
#define CCSCHED_SCHEDULER_LEDGER_READ_POOL_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/base/status.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

// Idle connections; one is made when none is idle. Any thread.
class ReadPool {
 public:
  ReadPool(std::string path, SqliteOpen open)
      : path_(std::move(path)), open_(std::move(open)) {}

  // All statements of a lease see the same moment of the database. Short: a
  // lease that stays keeps the log from being reset.
  class Lease {
   public:
    Lease(ReadPool* pool, std::unique_ptr<SqliteDb> db)
        : pool_(pool), db_(std::move(db)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (db_ != nullptr) pool_->Return(std::move(db_));
    }
    SqliteDb& operator*() const { return *db_; }
    SqliteDb* operator->() const { return db_.get(); }

   private:
    ReadPool* pool_;
    std::unique_ptr<SqliteDb> db_;
  };

  absl::StatusOr<Lease> Take() {
    std::unique_ptr<SqliteDb> db;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        db = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (db == nullptr) {
      ASSIGN_OR_RETURN(db, SqliteDb::Open(path_, open_));
      RETURN_IF_ERROR(db->Execute("PRAGMA query_only = 1"));
    }
    RETURN_IF_ERROR(db->Prepare("BEGIN").Bind().Run());
    return Lease(this, std::move(db));
  }

 private:
  void Return(std::unique_ptr<SqliteDb> db) {
    // A connection that can't end its transaction is not kept.
    if (!db->Prepare("COMMIT").Bind().Run().ok()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(db));
  }

  static constexpr size_t kIdleMax = 4;
  const std::string path_;
  const SqliteOpen open_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SqliteDb>> idle_;  // guarded by mutex_
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_READ_POOL_H_
