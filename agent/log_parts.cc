// Where in a job's output each file of its rotated log begins.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_parts.h"

#include <cinttypes>
#include <cstdio>

namespace ccsched {

std::string LogPartsPath(const std::string& log) { return log + ".parts"; }

bool WriteLogParts(const std::string& log, const std::vector<LogPart>& parts) {
  const std::string path = LogPartsPath(log);
  const std::string draft = path + ".new";
  std::FILE* const file = std::fopen(draft.c_str(), "we");
  if (file == nullptr) return false;
  bool written = true;
  for (const LogPart& part : parts) {
    written &= std::fprintf(file, "%" PRIu64 " %" PRIu64 "\n",
                            static_cast<uint64_t>(part.inode), part.start) > 0;
  }
  written &= std::fclose(file) == 0;
  if (written && std::rename(draft.c_str(), path.c_str()) == 0) return true;
  std::remove(draft.c_str());
  return false;
}

std::vector<LogPart> ReadLogParts(const std::string& log) {
  std::vector<LogPart> parts;
  std::FILE* const file = std::fopen(LogPartsPath(log).c_str(), "re");
  if (file == nullptr) return parts;
  uint64_t inode = 0, start = 0;
  while (std::fscanf(file, "%" SCNu64 " %" SCNu64, &inode, &start) == 2) {
    parts.push_back({.inode = static_cast<ino_t>(inode), .start = start});
  }
  std::fclose(file);
  return parts;
}

}  // namespace ccsched
