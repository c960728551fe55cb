// Keeps the folder of jobs' output within bounds: the oldest go first.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LOG_KEEPER_H_
#define CCSCHED_AGENT_LOG_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "agent/attempt_book.h"

namespace ccsched {

struct LogBounds {
  uint64_t bytes_max = 4ULL << 30;
  size_t files_max = 20000;
  // A disk may take milliseconds for each, and the agent waits meanwhile.
  size_t removals_max = 500;
};

// Removes output of ended attempts, the least recently written first, until
// the folder is within bounds. What `needed` says is left, as are files that
// are not output. Returns how many files were removed: if as many as may be at
// once, there may be more.
size_t PruneLogs(const std::string& folder, const LogBounds& bounds,
                 const std::function<bool(AttemptId)>& needed);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_KEEPER_H_
