// Moves the write-ahead log into the database, beside the writer.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/checkpointer.h"

#include <utility>

#include "scheduler/base/status.h"

namespace ccsched {

absl::StatusOr<std::unique_ptr<Checkpointer>> Checkpointer::Start(
    const std::string& path, const SqliteOpen& open,
    const CheckpointOptions& options, std::mutex* writer) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path, open));
  // The database is synced by a checkpoint in this mode too; what it spares is
  // nothing that a commit relies on.
  RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL"));
  return std::unique_ptr<Checkpointer>(
      new Checkpointer(std::move(db), options, writer));
}

Checkpointer::Checkpointer(std::unique_ptr<SqliteDb> db,
                           const CheckpointOptions& options, std::mutex* writer)
    : db_(std::move(db)),
      options_(options),
      writer_(writer),
      wanted_(options.passive_pages),
      thread_([this] { Work(); }) {}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::LogGrewTo(int64_t pages) {
  std::lock_guard<std::mutex> lock(mutex_);
  // A shorter log was reset: count from its beginning again.
  if (pages < pages_) wanted_ = options_.passive_pages;
  pages_ = pages;
  if (pages >= wanted_) wake_.notify_one();
}

void Checkpointer::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || pages_ >= wanted_; });
    if (stop_) return;
    int64_t pages = pages_;
    wanted_ = pages + options_.passive_pages;
    lock.unlock();
    Checkpoint(pages);
    lock.lock();
  }
}

void Checkpointer::Checkpoint(int64_t pages) {
  // A failure (a full disk, a reader in the way) loses nothing: the log keeps
  // what was not moved, and the next one tries again.
  int log = 0, moved = 0;
  sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                            &log, &moved);
  if (pages < options_.restart_pages) return;
  std::lock_guard<std::mutex> hold(*writer_);
  sqlite3_busy_timeout(db_->handle(), 20);  // readers may be in the way
  sqlite3_wal_checkpoint_v2(db_->handle(), nullptr,
                            pages < options_.truncate_pages
                                ? SQLITE_CHECKPOINT_RESTART
                                : SQLITE_CHECKPOINT_TRUNCATE,
                            &log, &moved);
}

}  // namespace ccsched
