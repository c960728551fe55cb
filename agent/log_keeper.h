// Keeps the folder of jobs' output within bounds: the oldest go first.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LOG_KEEPER_H_
#define CCSCHED_AGENT_LOG_KEEPER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/attempt_book.h"
#include "agent/event_loop.h"
#include "agent/worker.h"

namespace ccsched {

struct LogBounds {
  uint64_t bytes_max = 4ULL << 30;
  size_t files_max = 20000;
  // Of one look: between two it is asked again what is needed.
  size_t removals_max = 500;
};

// Looks each minute, on a thread of its own: a disk may take milliseconds for
// each file. Removes output of ended attempts, the least recently written
// first, until the folder is within bounds. What `needed` says, on the loop's
// thread, is left, as are files that are not output.
class LogKeeper {
 public:
  // REQUIRES: `loop` outlives this, and does not run any more once this is
  // gone. An attempt whose output is there and not needed is not needed later.
  LogKeeper(EventLoop& loop, std::string folder, LogBounds bounds,
            std::function<bool(AttemptId)> needed);
  // Waits for the file at hand.
  ~LogKeeper();
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

  void Begin();
  // For tests: looks that have come to their end.
  size_t looks() const { return looks_; }

 private:
  struct LogFile {
    std::string path;
    AttemptId id;
    uint64_t bytes = 0;
    int64_t written_ns = 0;
  };
  void Read();
  void OnRead();
  void RemoveOldest();
  void Later(int64_t pause_ns);
  bool WithinBounds() const {
    return bytes_ <= bounds_.bytes_max && count_ <= bounds_.files_max;
  }

  EventLoop& loop_;
  const std::string folder_;
  const LogBounds bounds_;
  const std::function<bool(AttemptId)> needed_;
  std::optional<EventLoop::Timer> timer_;
  size_t looks_ = 0;
  std::atomic<bool> stop_ = false;
  // The worker's while it is at work:
  std::vector<LogFile> files_;  // the oldest first; later, without the needed
  uint64_t bytes_ = 0;          // of all
  size_t count_ = 0;
  size_t removed_ = 0;
  Worker worker_;  // last: it is waited for before the rest goes
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_KEEPER_H_
