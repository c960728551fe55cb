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
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

constexpr size_t kIdBytes = 16;

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

// What a copy of the file does not share with it: the machine, or the inode.
std::string HomeOf(const struct stat& file) {
  std::ifstream in("/etc/machine-id");
  std::string machine;
  in >> machine;
  return absl::StrCat(machine, " ", file.st_ino, "\n");
}

void ForgetAttempts(const std::string& folder) {
  Log(LogLevel::kWarning, "the state folder is a copy: its jobs are forgotten",
      {{"folder", folder}});
  std::error_code ignored;
  for (const char* part : {"/journal", "/lease", "/run", "/tmp"}) {
    std::filesystem::remove_all(folder + part, ignored);
  }
  for (const char* part : {"/run", "/tmp"}) {
    std::filesystem::create_directory(folder + part, ignored);
  }
}

// The file "id": 16 bytes, and where they were made.
absl::StatusOr<std::string> ReadOrMakeId(const std::string& folder) {
  const std::string path = folder + "/id";
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) {
    return SystemError("open " + path);
  }
  const std::string home = HomeOf(status);
  std::string text(kIdBytes + home.size() + 1, 0);
  const ssize_t n = pread(fd.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? n : 0);
  std::string id = text.substr(0, kIdBytes);
  const bool whole = id.size() == kIdBytes;
  if (whole && text.substr(kIdBytes) == home) return id;
  // Only the name was written by earlier versions.
  if (!whole || text.size() > kIdBytes) {
    if (whole) ForgetAttempts(folder);
    id = RandomId();
  }
  text = id + home;
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), text.data(), text.size(), 0) !=
          static_cast<ssize_t>(text.size()) ||
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
  for (const char* part : {"", "/run", "/logs", "/work", "/tmp"}) {
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
  ASSIGN_OR_RETURN(folder.id, ReadOrMakeId(folder.path));
  return folder;
}

}  // namespace ccsched
