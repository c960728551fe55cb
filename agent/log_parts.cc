// Where in a job's output each part of its log begins.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_parts.h"

#include <cinttypes>
#include <cstdio>

namespace ccsched {

namespace {

constexpr char kEnding[] = ".parts";

}  // namespace

std::string LogPartsPath(const std::string& log) { return log + kEnding; }

std::string LogOfParts(const std::string& parts) {
  return parts.substr(0, parts.size() - (sizeof(kEnding) - 1));
}

bool WriteLogParts(const std::string& log, const std::vector<LogPart>& parts) {
  const std::string path = LogPartsPath(log);
  const std::string draft = path + ".new";
  std::FILE* const file = std::fopen(draft.c_str(), "we");
  if (file == nullptr) return false;
  bool written = true;
  for (const LogPart& part : parts) {
    written &=
        std::fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                     part.inode, part.start, part.at, part.dropped) > 0;
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
  char line[128];
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    LogPart part;
    // An earlier version noted two numbers.
    if (std::sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                    &part.inode, &part.start, &part.at, &part.dropped) >= 2) {
      parts.push_back(part);
    }
  }
  std::fclose(file);
  return parts;
}

}  // namespace ccsched
