// An append-only file of checked records, put on disk a batch at a time.
// SPDX-License-Identifier: Apache-2.0
#include "agent/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// What a job says of itself, in its names, comes in a message of 16 MiB at
// most.
constexpr uint32_t kRecordBytesMax = 64 << 20;

// Before each record: its size and a sum over its bytes.
struct Head {
  uint32_t size;
  uint32_t sum;
};

// FNV-1a, 32 bits.
uint32_t Sum(std::string_view bytes) {
  uint32_t h = 0x811c9dc5;
  for (const char c : bytes) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x01000193;
  }
  return h;
}

void AppendRecord(const v1::AgentRecord& record, std::string& out) {
  const std::string bytes = record.SerializeAsString();
  const Head head{static_cast<uint32_t>(bytes.size()), Sum(bytes)};
  out.append(reinterpret_cast<const char*>(&head), sizeof(head));
  out.append(bytes);
}

absl::Status SystemError(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string text = absl::StrCat(what, " ", path, ": ", strerror(error));
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(text);
  }
  return absl::InternalError(text);
}

absl::Status WriteAll(int fd, std::string_view bytes, uint64_t offset,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n =
        pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return SystemError("write", path);
    bytes.remove_prefix(n);
    offset += n;
  }
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", folder);
  const int synced = fsync(fd);
  close(fd);
  return synced == 0 ? absl::OkStatus() : SystemError("fsync", folder);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& path,
                                                       const Replay& replay) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open", path);
  std::unique_ptr<Journal> journal(new Journal(path, fd));
  RETURN_IF_ERROR(journal->ReplayAll(replay));
  RETURN_IF_ERROR(SyncFolderOf(path));
  return journal;
}

Journal::~Journal() { close(fd_); }

absl::Status Journal::ReplayAll(const Replay& replay) {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return SystemError("stat", path_);
  std::string all(status.st_size, 0);
  size_t have = 0;
  while (have < all.size()) {
    const ssize_t n = pread(fd_, all.data() + have, all.size() - have,
                            static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", path_);
    if (n == 0) break;
    have += n;
  }
  std::string_view rest(all.data(), have);
  while (rest.size() >= sizeof(Head)) {
    Head head;
    std::memcpy(&head, rest.data(), sizeof(head));
    const size_t whole = sizeof(head) + head.size;
    if (head.size > kRecordBytesMax || whole > rest.size()) break;
    const std::string_view bytes = rest.substr(sizeof(head), head.size);
    v1::AgentRecord record;
    if (Sum(bytes) != head.sum ||
        !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      break;
    }
    replay(record);
    size_ += whole;
    rest.remove_prefix(whole);
  }
  if (size_ < have && ftruncate(fd_, static_cast<off_t>(size_)) != 0) {
    return SystemError("truncate", path_);
  }
  return absl::OkStatus();
}

void Journal::Append(const v1::AgentRecord& record) {
  AppendRecord(record, pending_);
}

absl::Status Journal::Commit(bool durable) {
  if (pending_.empty()) return absl::OkStatus();
  Failpoint("agent.journal");
  const std::string bytes = std::move(pending_);
  pending_.clear();
  absl::Status written = WriteAll(fd_, bytes, size_, path_);
  if (written.ok() && durable && fdatasync(fd_) != 0) {
    written = SystemError("fdatasync", path_);
  }
  if (!written.ok()) {
    // If even this fails, the next record overwrites what is left.
    [[maybe_unused]] const int cut = ftruncate(fd_, static_cast<off_t>(size_));
    return written;
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status Journal::Rewrite(const std::vector<v1::AgentRecord>& records) {
  RETURN_IF_ERROR(Commit());
  Failpoint("agent.journal");
  std::string bytes;
  for (const v1::AgentRecord& record : records) AppendRecord(record, bytes);
  const std::string next = path_ + ".new";
  const int fd =
      open(next.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open", next);
  absl::Status done = WriteAll(fd, bytes, 0, next);
  if (done.ok() && fdatasync(fd) != 0) done = SystemError("fdatasync", next);
  if (done.ok() && std::rename(next.c_str(), path_.c_str()) != 0) {
    done = SystemError("rename", next);
  }
  if (!done.ok()) {
    close(fd);
    unlink(next.c_str());
    return done;
  }
  close(fd_);
  fd_ = fd;
  size_ = bytes.size();
  return SyncFolderOf(path_);
}

}  // namespace ccsched
