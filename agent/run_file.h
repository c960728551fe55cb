// The file in which a supervisor keeps what became of its job.
// SPDX-License-Identifier: Apache-2.0
//
// The agent makes it, takes its lock and hands both to the supervisor; so the
// lock is held from before the start until the supervisor is gone, and an
// agent that comes back can tell a live supervisor from a dead one. Its bytes
// are written out in advance: on a full disk the end can still be recorded.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_RUN_FILE_H_
#define CCSCHED_AGENT_RUN_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "agent/log_parts.h"

namespace ccsched {

// A process that can't be mistaken for a later one of the same number.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // /proc/PID/stat, field 22
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

// The process of this number; nothing if there is none.
std::optional<ProcessId> IdentifyProcess(pid_t pid);

enum class EndKind : uint8_t {
  kExited,    // value: the exit code
  kKilled,    // value: the signal
  kRefused,   // could not be started at all
  kNotFound,  // there is no such command (127), or it can't be run (126)
  kBroken,    // could not be started: this node's own fault
};

// Why the supervisor ended the job, if it did.
enum class EndCause : uint8_t {
  kOwn,       // nobody asked it to
  kLimit,     // its time was over
  kStop,      // cancelled, moved
  kSuspend,   // asked to save its state
  kLease,     // the node's lease ran out
  kShutdown,  // the supervisor was told to end
};

struct RunEnd {
  EndKind kind = EndKind::kExited;
  int value = 0;
  EndCause cause = EndCause::kOwn;
  bool core_dumped = false;
  bool out_of_memory = false;
  int64_t elapsed_ns = 0;  // real time, from LaunchSpec::began_ns to its end
  int64_t cpu_ns = 0;      // of all of its processes
  std::string message;     // cut to 256 bytes
  std::string checkpoint;  // id of the last one acknowledged; 400 bytes
  int64_t checkpoint_cost_ns = 0;
};

class RunFile {
 public:
  // Takes no ownership of `fd`.
  explicit RunFile(int fd) : fd_(fd) {}

  // Fills a new file. False: errno says why.
  bool Create() const;
  bool WriteSupervisor(ProcessId id) const;
  bool WriteJob(ProcessId id) const;
  // That the job still runs, so long after LaunchSpec::began_ns.
  bool WriteAlive(int64_t elapsed_ns) const;
  // How often the job was asked to suspend and went on.
  bool WriteDeclined(uint64_t times) const;
  // Output that could not be written since the log's last byte: what would be
  // the log's next part. None of it once `dropped` is 0.
  bool WriteGap(const LogPart& gap) const;
  bool WriteEnd(const RunEnd& end) const;

  // Nothing if not written yet, or torn.
  std::optional<ProcessId> supervisor() const;
  std::optional<ProcessId> job() const;
  int64_t alive_ns() const;  // 0 if never written
  uint64_t declined() const;
  std::optional<LogPart> gap() const;
  std::optional<RunEnd> end() const;

 private:
  const int fd_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_RUN_FILE_H_
