// The file in which a supervisor keeps what became of its job.
// SPDX-License-Identifier: Apache-2.0
#include "agent/run_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scheduler/base/fnv1a.h"

namespace ccsched {
namespace {

constexpr off_t kSupervisorOffset = 64;
constexpr off_t kJobOffset = 128;
constexpr off_t kDeclinedOffset = 192;
constexpr off_t kAliveOffset = 224;
constexpr off_t kEndOffset = 256;
constexpr off_t kGapOffset = 976;
constexpr size_t kFileBytes = 1024;
constexpr char kMagic[] = "ccsched-run 1\n";

// A fixed place in the file: a sum over what follows, then the content. It is
// written by one call within one page, so that a kill can't tear it; the sum
// is for the loss of power.
struct ProcessSlot {
  uint64_t sum;
  int64_t pid;
  uint64_t start_ticks;
};
struct CountSlot {
  uint64_t sum;
  uint64_t count;
};
struct GapSlot {
  uint64_t sum;
  LogPart part;
};
struct EndSlot {
  uint64_t sum;
  int64_t elapsed_ns;
  int64_t cpu_ns;
  int64_t checkpoint_cost_ns;
  int32_t value;
  uint8_t kind;
  uint8_t cause;
  uint8_t core_dumped;
  uint8_t out_of_memory;
  char message[257];
  char checkpoint[401];
};
static_assert(kJobOffset + sizeof(ProcessSlot) <= kDeclinedOffset);
static_assert(kDeclinedOffset + sizeof(CountSlot) <= kAliveOffset);
static_assert(kAliveOffset + sizeof(CountSlot) <= kEndOffset);
static_assert(kEndOffset + sizeof(EndSlot) <= kGapOffset);
static_assert(kGapOffset + sizeof(GapSlot) <= kFileBytes);

// Of all but the sum itself; never 0, which is an empty slot.
template <typename Slot>
uint64_t Sum(const Slot& slot) {
  Fnv1a fnv;
  fnv.Add(reinterpret_cast<const char*>(&slot) + sizeof(slot.sum),
          sizeof(slot) - sizeof(slot.sum));
  return fnv.digest() | 1;
}

template <typename Slot>
bool WriteSlot(int fd, off_t offset, Slot& slot) {
  slot.sum = Sum(slot);
  return pwrite(fd, &slot, sizeof(slot), offset) == sizeof(slot);
}

template <typename Slot>
bool ReadSlot(int fd, off_t offset, Slot& slot) {
  return pread(fd, &slot, sizeof(slot), offset) == sizeof(slot) &&
         slot.sum == Sum(slot);
}

bool WriteProcess(int fd, off_t offset, ProcessId id) {
  ProcessSlot slot{};
  slot.pid = id.pid;
  slot.start_ticks = id.start_ticks;
  return WriteSlot(fd, offset, slot);
}

std::optional<ProcessId> ReadProcess(int fd, off_t offset) {
  ProcessSlot slot;
  if (!ReadSlot(fd, offset, slot)) return std::nullopt;
  return ProcessId{.pid = static_cast<pid_t>(slot.pid),
                   .start_ticks = slot.start_ticks};
}

void CopyText(const std::string& from, char* to, size_t size) {
  from.copy(to, size - 1);
}

}  // namespace

std::optional<ProcessId> IdentifyProcess(pid_t pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char text[1024];
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (n <= 0) return std::nullopt;
  text[n] = 0;
  // The name, in parentheses, may hold anything; count fields after it.
  const char* p = std::strrchr(text, ')');
  for (int field = 2; p != nullptr && field < 22; ++field) {
    p = std::strchr(p + 1, ' ');
  }
  if (p == nullptr) return std::nullopt;
  return ProcessId{.pid = pid, .start_ticks = std::strtoull(p, nullptr, 10)};
}

bool RunFile::Create() const {
  char bytes[kFileBytes] = {};
  std::memcpy(bytes, kMagic, sizeof(kMagic) - 1);
  return pwrite(fd_, bytes, sizeof(bytes), 0) == sizeof(bytes);
}

bool RunFile::WriteSupervisor(ProcessId id) const {
  return WriteProcess(fd_, kSupervisorOffset, id);
}

bool RunFile::WriteJob(ProcessId id) const {
  return WriteProcess(fd_, kJobOffset, id);
}

bool RunFile::WriteDeclined(uint64_t times) const {
  CountSlot slot{.sum = 0, .count = times};
  return WriteSlot(fd_, kDeclinedOffset, slot);
}

bool RunFile::WriteAlive(int64_t elapsed_ns) const {
  CountSlot slot{.sum = 0, .count = static_cast<uint64_t>(elapsed_ns)};
  return WriteSlot(fd_, kAliveOffset, slot);
}

bool RunFile::WriteGap(const LogPart& gap) const {
  GapSlot slot{.sum = 0, .part = gap};
  return WriteSlot(fd_, kGapOffset, slot);
}

bool RunFile::WriteEnd(const RunEnd& end) const {
  EndSlot slot;
  std::memset(&slot, 0, sizeof(slot));  // the padding too: it is summed
  slot.elapsed_ns = end.elapsed_ns;
  slot.cpu_ns = end.cpu_ns;
  slot.checkpoint_cost_ns = end.checkpoint_cost_ns;
  slot.value = end.value;
  slot.kind = static_cast<uint8_t>(end.kind);
  slot.cause = static_cast<uint8_t>(end.cause);
  slot.core_dumped = end.core_dumped;
  slot.out_of_memory = end.out_of_memory;
  CopyText(end.message, slot.message, sizeof(slot.message));
  CopyText(end.checkpoint, slot.checkpoint, sizeof(slot.checkpoint));
  return WriteSlot(fd_, kEndOffset, slot);
}

std::optional<ProcessId> RunFile::supervisor() const {
  return ReadProcess(fd_, kSupervisorOffset);
}

std::optional<ProcessId> RunFile::job() const {
  return ReadProcess(fd_, kJobOffset);
}

uint64_t RunFile::declined() const {
  CountSlot slot;
  return ReadSlot(fd_, kDeclinedOffset, slot) ? slot.count : 0;
}

std::optional<LogPart> RunFile::gap() const {
  GapSlot slot;
  if (!ReadSlot(fd_, kGapOffset, slot) || slot.part.dropped == 0) {
    return std::nullopt;
  }
  return slot.part;
}

int64_t RunFile::alive_ns() const {
  CountSlot slot;
  return ReadSlot(fd_, kAliveOffset, slot) ? static_cast<int64_t>(slot.count)
                                           : 0;
}

std::optional<RunEnd> RunFile::end() const {
  EndSlot slot;
  if (!ReadSlot(fd_, kEndOffset, slot)) return std::nullopt;
  slot.message[sizeof(slot.message) - 1] = 0;
  slot.checkpoint[sizeof(slot.checkpoint) - 1] = 0;
  return RunEnd{.kind = static_cast<EndKind>(slot.kind),
                .value = slot.value,
                .cause = static_cast<EndCause>(slot.cause),
                .core_dumped = slot.core_dumped != 0,
                .out_of_memory = slot.out_of_memory != 0,
                .elapsed_ns = slot.elapsed_ns,
                .cpu_ns = slot.cpu_ns,
                .message = slot.message,
                .checkpoint = slot.checkpoint,
                .checkpoint_cost_ns = slot.checkpoint_cost_ns};
}

}  // namespace ccsched
