// The agent's folder on disk: made, locked, and given a name of its own.
// SPDX-License-Identifier: Apache-2.0
#include "agent/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

constexpr size_t kIdBytes = 16;

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

absl::StatusOr<std::string> ReadOrMakeId(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return SystemError("open " + path);
  std::string id(kIdBytes, 0);
  if (pread(fd.get(), id.data(), id.size(), 0) == kIdBytes) return id;
  id = RandomId();
  if (pwrite(fd.get(), id.data(), id.size(), 0) != kIdBytes ||
      fsync(fd.get()) != 0) {
    return SystemError("write " + path);
  }
  return id;
}

}  // namespace

std::string RandomId() {
  std::string id(kIdBytes, 0);
  [[maybe_unused]] const ssize_t n = getrandom(id.data(), id.size(), 0);
  return id;
}

absl::StatusOr<StateFolder> OpenStateFolder(const std::string& path) {
  StateFolder folder;
  std::error_code error;
  folder.path = std::filesystem::absolute(path, error).lexically_normal();
  if (!folder.path.empty() && folder.path.back() == '/') folder.path.pop_back();
  // Jobs' scripts are read by their users: not closed to others.
  for (const char* part : {"", "/run", "/logs", "/work"}) {
    std::filesystem::create_directories(folder.path + part, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat("state folder ", folder.path,
                                                 part, ": ", error.message()));
    }
  }
  const std::string lock = folder.path + "/lock";
  folder.lock = Fd(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!folder.lock.valid()) return SystemError("open " + lock);
  if (flock(folder.lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("state folder ", folder.path, ": another agent uses it"));
  }
  ASSIGN_OR_RETURN(folder.id, ReadOrMakeId(folder.path + "/id"));
  return folder;
}

}  // namespace ccsched
