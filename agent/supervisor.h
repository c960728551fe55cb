// Runs one job from its start to its end, whatever becomes of the agent.
// SPDX-License-Identifier: Apache-2.0
//
// Light: it starts in a millisecond and there is one for each running job. No
// Abseil, no protobuf, no thread.
#ifndef CCSCHED_AGENT_SUPERVISOR_H_
#define CCSCHED_AGENT_SUPERVISOR_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "agent/cgroup.h"
#include "agent/checkpoint_desk.h"
#include "agent/init_notes.h"
#include "agent/job_process.h"
#include "agent/launch_spec.h"
#include "agent/lease_file.h"
#include "agent/output_pipe.h"
#include "agent/prelude.h"
#include "agent/run_file.h"

namespace ccsched {

// When a job that has run for so long is next said to run, counted from its
// start: what is unrecorded, if its supervisor and the agent are killed, is at
// most half of it, or 0.1 s, and never more than two seconds.
int64_t NextAliveNs(int64_t elapsed_ns);

class Supervisor {
 public:
  // `run_fd` is the attempt's run file, locked; it stays the caller's.
  Supervisor(LaunchSpec spec, int run_fd)
      : spec_(std::move(spec)),
        run_(run_fd),
        run_fd_(run_fd),
        cgroup_(spec_.cgroup),
        output_(run_fd) {}

  // Runs the job to its end and leaves nothing of it. False if the end could
  // not be recorded. REQUIRES: called once, by a single-threaded process.
  bool Run();

 private:
  bool Prepare();
  bool PrepareFds();
  bool RunPrelude();
  bool StartJob();
  void Refuse(EndKind kind, int value, const std::string& message);
  void Loop();
  int64_t NextDeadline() const;
  void ArmTimer();
  void OnTime();
  void OnSignals();
  bool HasEnded();
  void EndFor(EndCause cause, const char* message);
  void OnStop(int value);
  void OnSuspend(int64_t until, const char* reason);
  void GiveUpSuspend();
  void OnCheckpoint();
  void OnInitNotes();
  void Warn();
  void KillGroup();
  void ReapChildren();
  void OnReaped(pid_t pid, int status);
  void TakeStatus(int status);
  void JudgeSuspend();
  void Finish();
  bool Record();
  void CleanUp();

  LaunchSpec spec_;
  const RunFile run_;
  const int run_fd_;
  const pid_t agent_ = getppid_at_start();
  LeaseFile lease_;
  Cgroup cgroup_;
  CheckpointDesk desk_;
  OutputPipe output_;
  Prelude prelude_;
  InitNotes init_;  // of its container's first process
  int signal_fd_ = -1;
  int timer_fd_ = -1;
  pid_t job_ = 0;
  bool job_ended_ = false;
  bool exited_ = false;   // the job's process, as opposed to killed
  int told_ = 0;          // the last signal that it was sent to end
  int64_t alive_at_ = 0;  // when to say so next
  int64_t lease_seen_ = 0;
  std::optional<int64_t> limit_at_;
  std::optional<int64_t> kill_at_;
  std::optional<int64_t> suspend_until_;
  bool told_by_socket_ = false;  // of the suspension
  uint64_t declined_ = 0;        // suspensions
  RunEnd end_;

  static pid_t getppid_at_start();
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SUPERVISOR_H_
