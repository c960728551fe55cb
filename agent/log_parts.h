// Where in a job's output each file of its rotated log begins.
// SPDX-License-Identifier: Apache-2.0
//
// A rotation throws the oldest output away. Who reads on after having been away
// must be able to tell how much of it was missed, so the supervisor notes,
// beside the log and before each rotation, at which byte of all output each
// file begins. Files go by their inodes: one that was opened just before it was
// renamed is still known.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_LOG_PARTS_H_
#define CCSCHED_AGENT_LOG_PARTS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ccsched {

struct LogPart {
  ino_t inode = 0;
  uint64_t start = 0;  // of its first byte, in all output

  friend bool operator==(const LogPart&, const LogPart&) = default;
};

// Where the parts of this log are noted.
std::string LogPartsPath(const std::string& log);

// Takes the place of what was noted, at once or not at all. False: errno says
// why.
bool WriteLogParts(const std::string& log, const std::vector<LogPart>& parts);

// Empty if the log was never rotated.
std::vector<LogPart> ReadLogParts(const std::string& log);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_PARTS_H_
