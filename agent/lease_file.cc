// The node's lease as a word of memory that agent and supervisors share.
// SPDX-License-Identifier: Apache-2.0
#include "agent/lease_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ccsched {

static_assert(std::atomic<int64_t>::is_always_lock_free);

LeaseFile::~LeaseFile() {
  if (word_ != nullptr) munmap(word_, sizeof(*word_));
}

bool LeaseFile::Open(const std::string& path, bool create) {
  const int flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0);
  const int fd = open(path.c_str(), flags, 0600);
  if (fd < 0) return false;
  void* map = MAP_FAILED;
  // Written out rather than extended: a hole on a full disk would be a fault.
  int64_t word = 0;
  bool sized = pread(fd, &word, sizeof(word), 0) == sizeof(word);
  if (!sized && create) {
    sized = pwrite(fd, &word, sizeof(word), 0) == sizeof(word);
  }
  if (sized) {
    map = mmap(nullptr, sizeof(*word_), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
               0);
  }
  close(fd);
  if (map == MAP_FAILED) return false;
  word_ = static_cast<std::atomic<int64_t>*>(map);
  return true;
}

}  // namespace ccsched
