// A job's output on its way to a file that is rotated, so bounded on disk.
// SPDX-License-Identifier: Apache-2.0
#include "agent/output_pipe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace ccsched {
namespace {

// More gaps in a file than these are noted as one, where the last of them is.
constexpr size_t kPartsMax = 64;

int OpenLog(const std::string& path, int flags) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags,
              0640);
}

}  // namespace

OutputPipe::~OutputPipe() {
  for (const int fd : {file_, pipe_[0], pipe_[1]}) {
    if (fd >= 0) close(fd);
  }
}

bool OutputPipe::Open(const std::string& path, uint64_t limit, bool append) {
  path_ = path;
  limit_ = limit;
  append_ = append;
  if (pipe2(pipe_, O_CLOEXEC) != 0) return false;
  return fcntl(pipe_[0], F_SETFL, O_NONBLOCK) == 0;
}

// With the first output: a job that writes nothing costs no file.
bool OutputPipe::OpenFile() {
  if (file_ >= 0) return true;
  file_ = OpenLog(path_, append_ ? 0 : O_TRUNC);
  struct stat status {};
  if (file_ < 0 || fstat(file_, &status) != 0) return false;
  size_ = status.st_size;
  parts_ = {{.inode = status.st_ino}};
  return true;
}

// Of the next byte, in all output.
uint64_t OutputPipe::Position() const {
  if (parts_.empty()) return dropped_;
  return parts_.back().start + size_ - parts_.back().at + dropped_;
}

LogPart OutputPipe::Gap() const {
  return {.inode = parts_.empty() ? 0 : parts_.back().inode,
          .start = Position(),
          .at = size_,
          .dropped = dropped_};
}

void OutputPipe::Drop(uint64_t bytes) {
  dropped_ += bytes;
  run_.WriteGap(Gap());
}

// Before the output goes on, so that whoever reads that finds it noted.
bool OutputPipe::NoteGap() {
  if (dropped_ == 0) return true;
  if (file_ < 0) return false;
  std::vector<LogPart> parts = parts_;
  LogPart gap = Gap();
  const LogPart& last = parts.back();
  if (last.at == size_ || (last.at > 0 && parts.size() >= kPartsMax)) {
    gap.dropped += last.dropped;
    parts.pop_back();
  }
  parts.push_back(gap);
  if (!WriteLogParts(path_, parts)) return false;
  parts_ = std::move(parts);
  dropped_ = 0;
  run_.WriteGap({});
  return true;
}

// The next file is noted before it takes its name, so that whoever opens a file
// finds it there. False: nothing has changed.
bool OutputPipe::Rotate() {
  const std::string older = path_ + ".1";
  const std::string draft = path_ + ".new";
  const int next = OpenLog(draft, O_TRUNC);
  if (next < 0) return false;
  struct stat status {};
  std::vector<LogPart> parts = parts_;
  bool noted = fstat(next, &status) == 0;
  if (noted) {
    parts.push_back(
        {.inode = status.st_ino, .start = Position(), .dropped = dropped_});
    noted = WriteLogParts(path_, parts);
    // On a full disk what is to go makes the room.
    if (!noted && unlink(older.c_str()) == 0) {
      noted = WriteLogParts(path_, parts);
    }
  }
  if (!noted) {
    close(next);
    unlink(draft.c_str());
    return false;
  }
  // By way of a second name, where there can be one: so there is always a file
  // under `path_`.
  const std::string second = path_ + ".old";
  if (link(path_.c_str(), second.c_str()) == 0) {
    std::rename(second.c_str(), older.c_str());
  } else {
    std::rename(path_.c_str(), older.c_str());
  }
  std::rename(draft.c_str(), path_.c_str());
  close(file_);
  file_ = next;
  size_ = 0;
  // What is noted of the file that is gone goes with it.
  std::erase_if(parts, [&](const LogPart& part) {
    return part.inode != parts_.back().inode && part.inode != status.st_ino;
  });
  parts_ = std::move(parts);
  if (std::exchange(dropped_, 0) > 0) run_.WriteGap({});
  return true;
}

void OutputPipe::CloseWriteEnd() {
  if (pipe_[1] >= 0) close(pipe_[1]);
  pipe_[1] = -1;
}

uint64_t OutputPipe::Write(const char* data, uint64_t size) {
  uint64_t done = 0;
  while (done < size && OpenFile()) {
    if (size_ >= limit_ / 2 && !Rotate()) break;
    if (!NoteGap()) break;
    const uint64_t part =
        std::min(size - done, std::max<uint64_t>(1, limit_ / 2 - size_));
    const ssize_t n = write(file_, data + done, part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;  // a full disk
    done += n;
    size_ += n;
  }
  return done;
}

bool OutputPipe::Copy(uint64_t bytes_max) {
  if (pipe_[0] < 0) return false;
  char buffer[65536];
  while (bytes_max > 0) {
    const ssize_t n = read(pipe_[0], buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    const uint64_t written = Write(buffer, n);
    if (written < static_cast<uint64_t>(n)) Drop(n - written);
    bytes_max -= std::min<uint64_t>(bytes_max, n);
  }
  return true;
}

}  // namespace ccsched
