// Where in a job's output each part of its log begins.
// SPDX-License-Identifier: Apache-2.0
//
// A rotation throws the oldest output away, and a full disk what comes next.
// Who reads must be able to tell how much of it is missing, and where, so the
// supervisor notes beside the log, before each rotation and before it writes on
// after a gap, at which byte of all output what follows begins. Files go by
// their inodes: one that was opened just before it was renamed is still known.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_LOG_PARTS_H_
#define CCSCHED_AGENT_LOG_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace ccsched {

struct LogPart {
  uint64_t inode = 0;
  uint64_t start = 0;    // of its first byte, in all output
  uint64_t at = 0;       // of its first byte, in the file
  uint64_t dropped = 0;  // could not be written, just before its first byte

  friend bool operator==(const LogPart&, const LogPart&) = default;
};

// Where the parts of this log are noted.
std::string LogPartsPath(const std::string& log);

// The reverse.
std::string LogOfParts(const std::string& parts);

// Takes the place of what was noted, at once or not at all. False: errno says
// why.
bool WriteLogParts(const std::string& log, const std::vector<LogPart>& parts);

// Empty if nothing is missing.
std::vector<LogPart> ReadLogParts(const std::string& log);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_PARTS_H_
