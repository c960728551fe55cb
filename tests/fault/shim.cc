// Preloaded into a real binary: jumps of its clock, a slow or a full disk.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using ccsched::testing::ShimState;

ShimState* Map() {
  const char* path = std::getenv(ccsched::testing::kShimVariable);
  const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* at = mmap(nullptr, sizeof(ShimState), PROT_READ | PROT_WRITE,
                  MAP_SHARED, fd, 0);
  close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<ShimState*>(at);
}

const ShimState* State() {
  static const ShimState* const state = Map();
  return state;
}

template <typename Function>
Function Next(const char* name, Function) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void Delay(int64_t us) {
  if (us <= 0) return;
  const timespec pause{us / 1'000'000, us % 1'000'000 * 1000};
  nanosleep(&pause, nullptr);
}

bool IsPlainFile(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// False: the write fails.
bool MayWrite(int fd) {
  const ShimState* const state = State();
  // A log tells of what a test has to hear of.
  if (state == nullptr || fd == STDERR_FILENO) return true;
  const int64_t delay = state->write_delay_us.load();
  const bool full = state->disk_full.load() != 0;
  if ((delay <= 0 && !full) || !IsPlainFile(fd)) return true;
  Delay(delay);
  if (full) errno = ENOSPC;
  return !full;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static const auto next = Next("clock_gettime", &clock_gettime);
  const int result = next(clock, out);
  if (result != 0 || clock != CLOCK_REALTIME || State() == nullptr) {
    return result;
  }
  const int64_t offset = State()->clock_offset_ns.load();
  int64_t ns = out->tv_nsec + offset % 1'000'000'000;
  out->tv_sec += offset / 1'000'000'000;
  if (ns < 0 || ns >= 1'000'000'000) {
    out->tv_sec += ns < 0 ? -1 : 1;
    ns += ns < 0 ? 1'000'000'000 : -1'000'000'000;
  }
  out->tv_nsec = ns;
  return 0;
}

int gettimeofday(timeval* out, void* zone) noexcept {
  static_cast<void>(zone);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int fsync(int fd) {
  static const auto next = Next("fsync", &fsync);
  if (State() != nullptr) Delay(State()->sync_delay_us.load());
  return next(fd);
}

int fdatasync(int fd) {
  static const auto next = Next("fdatasync", &fdatasync);
  if (State() != nullptr) Delay(State()->sync_delay_us.load());
  return next(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = Next("write", &write);
  return MayWrite(fd) ? next(fd, bytes, size) : -1;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static const auto next = Next("pwrite64", &pwrite64);
  return MayWrite(fd) ? next(fd, bytes, size, at) : -1;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto next = Next("pwrite", &pwrite);
  return MayWrite(fd) ? next(fd, bytes, size, at) : -1;
}

}  // extern "C"
