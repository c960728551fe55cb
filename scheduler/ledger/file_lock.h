// A lock that one process at a time holds on a state directory's file.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_LEDGER_FILE_LOCK_H_
#define CCSCHED_SCHEDULER_LEDGER_FILE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"

namespace ccsched {

// Held until destroyed or until the process ends, however it ends. The file
// stays, with the holder's process id as text.
class FileLock {
 public:
  // Errors: FailedPrecondition if another holds it (naming its process id);
  // NotFound or PermissionDenied if the file can't be made.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_FILE_LOCK_H_
