// Answers the scheduler's requests to read what jobs have written.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_server.h"

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
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/launch.h"
#include "agent/log_parts.h"
#include "agent/run_file.h"

namespace ccsched {
namespace {

constexpr size_t kReadersMax = 256;
constexpr size_t kChunkBytes = 64 << 10;
// To look again for a file that is about to be made.
constexpr int64_t kLookAgainNs = kNanosPerSecond / 20;

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

LogServer::LogServer(EventLoop& loop, std::string state, Attempts attempts,
                     std::function<void(v1::LogData)> send,
                     std::function<bool()> room)
    : loop_(loop),
      state_(std::move(state)),
      attempts_(std::move(attempts)),
      send_(std::move(send)),
      room_(std::move(room)),
      inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_.valid()) loop_.Watch(inotify_.get(), [this] { OnChanges(); });
}

LogServer::~LogServer() {
  Clear();
  if (inotify_.valid()) loop_.Forget(inotify_.get());
}

void LogServer::Handle(const v1::ReadLog& request) {
  const uint64_t number = request.request_id();
  if (request.cancel()) {
    const auto found = readers_.find(number);
    if (found == readers_.end()) return;
    Unwatch(found->second);
    readers_.erase(found);
    return;
  }
  const AttemptId id = FromProto(request.key());
  Reader reader{
      .id = id, .path = PathsOf(state_, id).log, .follow = request.follow()};
  const bool exists = access(reader.path.c_str(), F_OK) == 0;
  readers_.insert_or_assign(number, std::move(reader));
  if (readers_.size() > kReadersMax) {
    return Close(number, "too many logs are being read on this node");
  }
  if (!exists && !attempts_.known(id)) {
    return Close(number, absl::StrCat("attempt ", id.ToString(),
                                      " is not known on this node"));
  }
  Pump();
}

void LogServer::OnEnded(AttemptId id) {
  bool found = false;
  for (auto& [number, reader] : readers_) {
    if (reader.id != id) continue;
    reader.waits = false;
    found = true;
  }
  if (found) Pump();
}

void LogServer::Clear() {
  for (auto& [number, reader] : readers_) Unwatch(reader);
  readers_.clear();
  if (later_) loop_.Cancel(*later_);
  later_.reset();
}

void LogServer::Close(uint64_t request, const std::string& error) {
  v1::LogData data;
  data.set_request_id(request);
  data.set_end(true);
  data.set_error(error);
  const auto found = readers_.find(request);
  Unwatch(found->second);
  readers_.erase(found);
  send_(std::move(data));
}

void LogServer::Pump() {
  bool any = true;
  while (any) {  // in turns: a long log does not keep the others waiting
    any = false;
    for (auto it = readers_.begin(); it != readers_.end();) {
      if (!room_()) return;
      const auto current = it++;
      if (!current->second.waits) any |= Step(current->first, current->second);
    }
  }
}

// The kernel has one watch a file: all who follow that share it.
void LogServer::Unwatch(Reader& reader) {
  const int watch = std::exchange(reader.watch, -1);
  if (watch < 0) return;
  for (const auto& [number, other] : readers_) {
    if (other.watch == watch) return;
  }
  inotify_rm_watch(inotify_.get(), watch);
}

// What comes after what was read: the rotated part, if that was not read yet
// (or another one by now), then the file itself. False: it is not there.
bool LogServer::OpenNext(Reader& reader) {
  // Again if it was rotated meanwhile, twice.
  for (int tries = 0; tries < 3; ++tries) {
    if (TakeFile(reader, OpenPlainFile(reader.path + ".1"), true)) return true;
    if (TakeFile(reader, OpenPlainFile(reader.path), false)) return true;
  }
  return false;
}

bool LogServer::TakeFile(Reader& reader, Fd file, bool is_older) {
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return false;
  std::optional<uint64_t> start;
  uint64_t unwritten = 0;
  const std::vector<LogPart> parts = ReadLogParts(reader.path);
  for (const LogPart& part : parts) {
    if (part.inode != status.st_ino) continue;
    start = part.start;
    unwritten = part.dropped;
    break;  // what follows in it comes as it is read
  }
  if (start.has_value() ? *start < reader.offset : !parts.empty()) return false;
  if (is_older && !start.has_value() && reader.file.valid()) return false;
  if (start.has_value()) {
    reader.offset = *start;
    reader.missing = true;
    reader.unwritten += unwritten;
  }
  reader.file = std::move(file);
  reader.inode = status.st_ino;
  if (is_older) return true;
  Unwatch(reader);
  if (reader.follow && inotify_.valid()) {
    reader.watch = inotify_add_watch(inotify_.get(), reader.path.c_str(),
                                     IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF);
  }
  return true;
}

// The file was rotated away while it was read.
bool LogServer::WasReplaced(const Reader& reader) const {
  struct stat open_one {};
  struct stat named {};
  return fstat(reader.file.get(), &open_one) == 0 &&
         stat(reader.path.c_str(), &named) == 0 &&
         (open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev);
}

// Of what was just read of the file, how much comes before the next gap: the
// rest is read again. At a gap, takes it.
size_t LogServer::UpToGap(Reader& reader, size_t size) const {
  const off_t end = lseek(reader.file.get(), 0, SEEK_CUR);
  const uint64_t at = static_cast<uint64_t>(end) - size;
  // Noted before what follows it was written, so it is there.
  for (const LogPart& part : ReadLogParts(reader.path)) {
    if (part.inode != reader.inode || part.at < at) continue;
    if (part.at >= at + size) break;
    if (part.at > at) {
      lseek(reader.file.get(), static_cast<off_t>(part.at), SEEK_SET);
      return part.at - at;
    }
    if (part.start <= reader.offset) continue;
    reader.unwritten += part.start - reader.offset;
    reader.offset = part.start;
    reader.missing = true;
  }
  return size;
}

// What nothing was written after: noted, or with the supervisor for now.
void LogServer::TellGapAtEnd(uint64_t request, Reader& reader) {
  const uint64_t at =
      reader.file.valid() ? lseek(reader.file.get(), 0, SEEK_CUR) : uint64_t{0};
  // First: what it no longer has is noted by then.
  const Fd run(
      open(PathsOf(state_, reader.id).run.c_str(), O_RDONLY | O_CLOEXEC));
  const std::optional<LogPart> last = RunFile(run.get()).gap();
  std::vector<LogPart> parts = ReadLogParts(reader.path);
  if (last) parts.push_back(*last);
  for (const LogPart& part : parts) {
    if (part.inode != reader.inode || part.at != at ||
        part.start <= reader.offset) {
      continue;
    }
    reader.unwritten += part.start - reader.offset;
    reader.offset = part.start;
    reader.missing = true;
  }
  if (reader.unwritten > 0) send_(NextData(request, reader));
}

v1::LogData LogServer::NextData(uint64_t request, Reader& reader) const {
  v1::LogData data;
  data.set_request_id(request);
  if (reader.missing) data.set_offset(reader.offset);
  data.set_unwritten(std::exchange(reader.unwritten, 0));
  return data;
}

bool LogServer::Step(uint64_t request, Reader& reader) {
  // Asked before the read: what is written after it is not missed.
  const bool running = attempts_.running(reader.id);
  if (!reader.file.valid() && !OpenNext(reader)) {
    if (running && reader.follow) {
      PumpLater();
    } else {
      TellGapAtEnd(request, reader);
      Close(request, "");  // nothing of it was written
    }
    return false;
  }
  std::string bytes(kChunkBytes, 0);
  const ssize_t n = read(reader.file.get(), bytes.data(), bytes.size());
  if (n > 0) {
    bytes.resize(UpToGap(reader, n));
    v1::LogData data = NextData(request, reader);
    reader.offset += bytes.size();
    data.set_data(std::move(bytes));
    send_(std::move(data));
    return true;
  }
  if (n < 0) {
    Close(request, absl::StrCat(reader.path, ": ", strerror(errno)));
    return false;
  }
  if (WasReplaced(reader) && OpenNext(reader)) return true;
  if (!reader.follow || !running) {
    TellGapAtEnd(request, reader);
    Close(request, "");
    return false;
  }
  reader.waits = true;
  if (reader.watch < 0) PumpLater();
  return false;
}

void LogServer::OnChanges() {
  char buffer[16384];
  while (read(inotify_.get(), buffer, sizeof(buffer)) > 0) {
  }
  // Rotation: the new file may not be there yet.
  for (auto& [number, reader] : readers_) {
    reader.waits = false;
    if (reader.file.valid() && access(reader.path.c_str(), F_OK) != 0) {
      PumpLater();
    }
  }
  Pump();
}

void LogServer::PumpLater() {
  if (later_) return;
  later_ = loop_.At(BootNanos() + kLookAgainNs, [this] {
    later_.reset();
    for (auto& [number, reader] : readers_) reader.waits = false;
    Pump();
  });
}

}  // namespace ccsched
