// A job's output on its way to a file that is rotated, so bounded on disk.
// SPDX-License-Identifier: Apache-2.0
#include "agent/output_pipe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace ccsched {
namespace {

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
  return true;
}

void OutputPipe::CloseWriteEnd() {
  if (pipe_[1] >= 0) close(pipe_[1]);
  pipe_[1] = -1;
}

void OutputPipe::Write(const char* data, uint64_t size) {
  while (size > 0 && OpenFile()) {
    if (size_ >= limit_ / 2) {
      std::rename(path_.c_str(), (path_ + ".1").c_str());
      const int next = OpenLog(path_, O_TRUNC);
      if (next < 0) return;
      close(file_);
      file_ = next;
      size_ = 0;
    }
    const uint64_t part =
        std::min(size, std::max<uint64_t>(1, limit_ / 2 - size_));
    const ssize_t n = write(file_, data, part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // a full disk: dropped
    data += n;
    size -= n;
    size_ += n;
  }
}

bool OutputPipe::Copy(uint64_t bytes_max) {
  if (pipe_[0] < 0) return false;
  char buffer[65536];
  while (bytes_max > 0) {
    const ssize_t n = read(pipe_[0], buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    Write(buffer, n);
    bytes_max -= std::min<uint64_t>(bytes_max, n);
  }
  return true;
}

}  // namespace ccsched
