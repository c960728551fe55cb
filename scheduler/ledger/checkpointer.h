// Moves the write-ahead log into the database, beside the writer.
// SPDX-License-Identifier: Apache-2.0
//
// A checkpoint inside a commit would stop the writer for many milliseconds;
// here a thread of its own does passive ones on its own connection. They can't
// reset a log that is written without pause, so when it has grown past a bound
// the writer is held for the short while that the rest takes.
#ifndef CCSCHED_SCHEDULER_LEDGER_CHECKPOINTER_H_
#define CCSCHED_SCHEDULER_LEDGER_CHECKPOINTER_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

struct CheckpointOptions {
  // In pages of 4 KiB. A restarted log is written over in place, which syncs
  // faster than one that grows anew; beyond the second bound its space is
  // given back instead.
  int64_t passive_pages = 2048;
  int64_t restart_pages = 32768;
  int64_t truncate_pages = 131072;
};

class Checkpointer {
 public:
  // `writer` is held while a restart keeps the writer out; it must outlive
  // this.
  static absl::StatusOr<std::unique_ptr<Checkpointer>> Start(
      const std::string& path, const SqliteOpen& open,
      const CheckpointOptions& options, std::mutex* writer);
  ~Checkpointer();

  // Tells how long the log is after a commit. Any thread.
  void LogGrewTo(int64_t pages);

 private:
  Checkpointer(std::unique_ptr<SqliteDb> db, const CheckpointOptions& options,
               std::mutex* writer);
  void Work();
  void Checkpoint(int64_t pages);

  const std::unique_ptr<SqliteDb> db_;
  const CheckpointOptions options_;
  std::mutex* const writer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t pages_ = 0;   // as last told
  int64_t wanted_ = 0;  // a checkpoint is due at this length
  bool stop_ = false;
  std::thread thread_;  // last: the rest is there when it starts
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_CHECKPOINTER_H_
