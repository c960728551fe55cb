// Reads one job's output, a piece at a time, for one who asked for it.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_reader.h"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/launch.h"
#include "agent/log_parts.h"
#include "agent/run_file.h"
#include "scheduler/base/failpoint.h"

namespace ccsched {
namespace {

constexpr size_t kChunkBytes = 64 << 10;

// Takes on the rights of a user to open a file, and lays them off again. Of
// this thread alone: the library's setgroups would change all of them.
class AsUser {
 public:
  AsUser(uid_t uid, gid_t gid) {
    if (uid == geteuid()) return;
    changed_ = true;
    groups_.resize(std::max(0, getgroups(0, nullptr)));
    groups_.resize(std::max(
        0, getgroups(static_cast<int>(groups_.size()), groups_.data())));
    // Root's own would let in to what only root's group may read.
    syscall(SYS_setgroups, 0, nullptr);
    setfsgid(gid);
    setfsuid(uid);
  }
  ~AsUser() {
    if (!changed_) return;
    setfsuid(geteuid());
    setfsgid(getegid());
    syscall(SYS_setgroups, groups_.size(), groups_.data());
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;

 private:
  bool changed_ = false;
  std::vector<gid_t> groups_;
};

// Only a plain file: a pipe or a device may block or never end. Where the user
// said to put it, only what that user may read: the link is the user's.
Fd OpenPlainFile(const std::string& path) {
  struct stat link {};
  if (lstat(path.c_str(), &link) != 0) return Fd();
  const AsUser user(link.st_uid, link.st_gid);
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0 ||
      !S_ISREG(status.st_mode)) {
    return Fd();
  }
  return fd;
}

}  // namespace

LogReader::LogReader(Wanted wanted, const std::string& state,
                     std::shared_ptr<const Fd> inotify)
    : wanted_(wanted),
      path_(PathsOf(state, wanted.id).log),
      run_path_(PathsOf(state, wanted.id).run),
      inotify_(std::move(inotify)) {}

LogReader::Piece LogReader::Read(bool running, bool known) {
  Failpoint("agent.log_reads");
  Piece piece = ReadPiece(running, known);
  piece.left_watches = std::exchange(left_watches_, {});
  return piece;
}

LogReader::Piece LogReader::ReadPiece(bool running, bool known) {
  Piece piece;
  if (!file_.valid() && !known && access(path_.c_str(), F_OK) != 0) {
    piece.error = absl::StrCat("attempt ", wanted_.id.ToString(),
                               " is not known on this node");
    return piece;
  }
  if (!file_.valid() && !OpenNext()) {
    if (running && wanted_.follow) {
      piece.next = Next::kLookAgain;
    } else {
      TellGapAtEnd(piece);  // nothing of it was written
    }
    return piece;
  }
  std::string bytes(kChunkBytes, 0);
  const ssize_t n = read(file_.get(), bytes.data(), bytes.size());
  if (n > 0) {
    bytes.resize(UpToGap(n));
    v1::LogData data = NextData();
    offset_ += bytes.size();
    data.set_data(std::move(bytes));
    piece.data.push_back(std::move(data));
    piece.next = Next::kMore;
    return piece;
  }
  if (n < 0) {
    piece.error = absl::StrCat(path_, ": ", strerror(errno));
    return piece;
  }
  // At the end of this file. It may have been rotated away while it was read;
  // then the new one may not be there yet.
  struct stat open_one {};
  struct stat named {};
  const bool is_named = stat(path_.c_str(), &named) == 0;
  const bool replaced =
      is_named && fstat(file_.get(), &open_one) == 0 &&
      (open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev);
  if (replaced && OpenNext()) {
    piece.next = Next::kMore;
  } else if (!wanted_.follow || !running) {
    TellGapAtEnd(piece);
  } else {
    piece.next = watch_ < 0 || !is_named ? Next::kLookAgain : Next::kWait;
  }
  return piece;
}

// What comes after what was read: the rotated part, if that was not read yet
// (or another one by now), then the file itself. False: it is not there.
bool LogReader::OpenNext() {
  // Again if it was rotated meanwhile, twice.
  for (int tries = 0; tries < 3; ++tries) {
    if (TakeFile(OpenPlainFile(path_ + ".1"), true)) return true;
    if (TakeFile(OpenPlainFile(path_), false)) return true;
  }
  return false;
}

bool LogReader::TakeFile(Fd file, bool is_older) {
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return false;
  std::optional<uint64_t> start;
  uint64_t unwritten = 0;
  const std::vector<LogPart> parts = ReadLogParts(path_);
  for (const LogPart& part : parts) {
    if (part.inode != status.st_ino) continue;
    start = part.start;
    unwritten = part.dropped;
    break;  // what follows in it comes as it is read
  }
  if (start.has_value() ? *start < offset_ : !parts.empty()) return false;
  if (is_older && !start.has_value() && file_.valid()) return false;
  if (start.has_value()) {
    offset_ = *start;
    missing_ = true;
    unwritten_ += unwritten;
  }
  file_ = std::move(file);
  inode_ = status.st_ino;
  if (!is_older) Watch();
  return true;
}

// The kernel has one watch a file: all who follow that share it.
void LogReader::Watch() {
  if (!wanted_.follow || !inotify_->valid()) return;
  const int before = std::exchange(
      watch_, inotify_add_watch(inotify_->get(), path_.c_str(),
                                IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF));
  if (before >= 0 && before != watch_) left_watches_.push_back(before);
}

// Of what was just read of the file, how much comes before the next gap: the
// rest is read again. At a gap, takes it.
size_t LogReader::UpToGap(size_t size) {
  const off_t end = lseek(file_.get(), 0, SEEK_CUR);
  const uint64_t at = static_cast<uint64_t>(end) - size;
  // Noted before what follows it was written, so it is there.
  for (const LogPart& part : ReadLogParts(path_)) {
    if (part.inode != inode_ || part.at < at) continue;
    if (part.at >= at + size) break;
    if (part.at > at) {
      lseek(file_.get(), static_cast<off_t>(part.at), SEEK_SET);
      return part.at - at;
    }
    SkipTo(part.start);
  }
  return size;
}

// What is between was not written.
void LogReader::SkipTo(uint64_t offset) {
  if (offset <= offset_) return;
  unwritten_ += offset - offset_;
  offset_ = offset;
  missing_ = true;
}

// What nothing was written after: noted, or with the supervisor for now.
void LogReader::TellGapAtEnd(Piece& piece) {
  const uint64_t at =
      file_.valid() ? lseek(file_.get(), 0, SEEK_CUR) : uint64_t{0};
  // First: what it no longer has is noted by then.
  const Fd run(open(run_path_.c_str(), O_RDONLY | O_CLOEXEC));
  const std::optional<LogPart> last = RunFile(run.get()).gap();
  std::vector<LogPart> parts = ReadLogParts(path_);
  if (last) parts.push_back(*last);
  for (const LogPart& part : parts) {
    if (part.inode == inode_ && part.at == at) SkipTo(part.start);
  }
  if (unwritten_ > 0) piece.data.push_back(NextData());
}

v1::LogData LogReader::NextData() {
  v1::LogData data;
  data.set_request_id(wanted_.request);
  if (missing_) data.set_offset(offset_);
  data.set_unwritten(std::exchange(unwritten_, 0));
  return data;
}

}  // namespace ccsched
