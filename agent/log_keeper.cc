// Keeps the folder of jobs' output within bounds: the oldest go first.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_keeper.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <tuple>
#include <vector>

#include "agent/log_parts.h"

namespace ccsched {
namespace {

struct LogFile {
  std::string path;
  AttemptId id;
  uint64_t bytes = 0;
  int64_t written_ns = 0;
};

// "12-1.out" and, rotated, "12-1.out.1"; "12-1.out.parts" where that alone is
// left, of output that could not be written.
std::optional<AttemptId> IdOf(const std::string& name) {
  unsigned long job = 0;
  unsigned epoch = 0;
  int used = 0;
  if (std::sscanf(name.c_str(), "%lu-%u.out%n", &job, &epoch, &used) != 2 ||
      used == 0) {
    return std::nullopt;
  }
  const std::string rest = name.substr(used);
  if (!rest.empty() && rest != ".1" && rest != ".parts") return std::nullopt;
  return AttemptId{.job = job, .epoch = epoch};
}

}  // namespace

size_t PruneLogs(const std::string& folder, const LogBounds& bounds,
                 const std::function<bool(AttemptId)>& needed) {
  std::vector<LogFile> files;
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto id = IdOf(entry.path().filename());
    struct stat status {};
    // A link counts for itself: what it points to is its user's.
    if (!id || lstat(entry.path().c_str(), &status) != 0) continue;
    if (entry.path().extension() == ".parts" &&
        access(LogOfParts(entry.path()).c_str(), F_OK) == 0) {
      continue;  // goes with its log
    }
    files.push_back({.path = entry.path(),
                     .id = *id,
                     .bytes = static_cast<uint64_t>(status.st_size),
                     .written_ns = status.st_mtim.tv_sec * 1'000'000'000 +
                                   status.st_mtim.tv_nsec});
    bytes += files.back().bytes;
  }
  size_t count = files.size();
  if (bytes <= bounds.bytes_max && count <= bounds.files_max) return 0;
  std::sort(files.begin(), files.end(), [](const LogFile& a, const LogFile& b) {
    return std::tie(a.written_ns, a.path) < std::tie(b.written_ns, b.path);
  });
  size_t removed = 0;
  for (const LogFile& file : files) {
    if (bytes <= bounds.bytes_max && count <= bounds.files_max) break;
    if (removed == bounds.removals_max) break;
    if (needed(file.id) || unlink(file.path.c_str()) != 0) continue;
    // What is noted of its parts goes with the newest of them.
    unlink(LogPartsPath(file.path).c_str());
    bytes -= file.bytes;
    --count;
    ++removed;
  }
  return removed;
}

}  // namespace ccsched
