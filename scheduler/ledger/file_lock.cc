// A lock that one process at a time holds on a state directory's file.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ccsched {
namespace {

absl::Status HeldError(const std::string& path, int fd) {
  char text[32];
  ssize_t n = pread(fd, text, sizeof text, 0);
  absl::string_view holder(text, n > 0 ? n : 0);
  holder = absl::StripSuffix(holder, "\n");
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": in use by another process",
      holder.empty() ? std::string() : absl::StrCat(" (pid ", holder, ")")));
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path) {
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    std::string what = absl::StrCat(path, ": ", std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(what)
                           : absl::PermissionDeniedError(what);
  }
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return HeldError(path, fd);
  // The id is for people; the lock holds without it, even on a full disk.
  std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) == 0) {
    [[maybe_unused]] ssize_t n = pwrite(fd, pid.data(), pid.size(), 0);
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace ccsched
